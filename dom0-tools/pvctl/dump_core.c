/* SPDX-License-Identifier: MIT */
/*
 * pvctl dump-core: the memory and the registers of a domain into a file, in Xen's format; and then,
 * if that is asked for, its end or its next life.
 */
#include "dump_core.h"

#include <stdlib.h>
#include <string.h>

#include "interrupt.h"
#include "pvctl.h"
#include "state.h"

/* From the configuration that was kept. */
static int make_again(const struct call *c, const char *xml)
{
    struct domain_config cfg;
    struct error e = {0};
    int rc;

    if (domain_config_parse(xml, strlen(xml), "kept configuration", &cfg, &e)) {
        fail(&e);
        return EXIT_CONFIG;
    }
    rc = create_domain(c, &cfg);
    domain_config_free(&cfg);
    return rc;
}

static int end(const struct call *c, const struct live_domain *l, const char *xml)
{
    const char *how =
        xml ? "reset; its core was dumped" : "crashed by request; its core was dumped";
    struct error e = {0};

    if (lifecycle_reap(c->h, &l->d, l->name, how, &console_by_daemon, &e))
        return fail(&e);
    return xml ? make_again(c, xml) : EXIT_OK;
}

static int run(const struct call *c)
{
    bool crash = c->options & OPT_CRASH, reset = c->options & OPT_RESET;
    struct live_domain l;
    struct error e = {0};
    char *xml = NULL;
    int rc;

    if (crash && reset)
        return usage_error(&verb_dump_core, "either --crash or --reset", "");
    rc = need_guest(c, "dump", &l);
    if (rc)
        return rc;
    if (reset && state_read_xml(l.d.domid, &xml)) {
        error_set(&e, 0, "%s: it cannot be reset: pvctl has not created it", l.name);
        return fail(&e);
    }
    interrupt_catch();
    rc = dump_core(c->h, &l, c->more[0], c->options & OPT_LIVE, &e) ? fail(&e) : EXIT_OK;
    if (rc == EXIT_OK && (crash || reset))
        rc = end(c, &l, xml);
    free(xml);
    return rc;
}

const struct verb verb_dump_core = {
    .name = "dump-core",
    .arg = "NAME FILE",
    .options = OPT_LIVE | OPT_CRASH | OPT_RESET,
    .run = run,
    .summary = "write a domain's memory and registers to a file",
    .help =
        "The file is a core dump in Xen's format, for crash and other programs. It has its name\n"
        "only when it is whole, in the place of a file that is there; pages of zeroes take no\n"
        "room. The domain is paused meanwhile: with --live it goes on, and what is written is of\n"
        "different moments. --crash ends it afterwards, as if it had crashed; --reset ends it, "
        "and\n"
        "creates it again.\n",
    .examples = "pvctl dump-core web /srv/web.core\n"
                "pvctl dump-core --live web /srv/web.core\n"
                "pvctl dump-core --reset web /srv/web.core\n",
};
