/* SPDX-License-Identifier: MIT */
/*
 * pvctl dumpxml: the configuration of a live domain, or of one that is defined, as `create` takes
 * it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "definition.h"
#include "plain.h"
#include "pvctl.h"
#include "state.h"

void print_xml(const char *xml)
{
    char shown[PLAIN_GROWS * 1024 + 4];
    struct plain p = {.have = 0};
    size_t left = strlen(xml);

    if (!isatty(STDOUT_FILENO)) {
        fputs(xml, stdout);
        return;
    }
    for (size_t n; left > 0; xml += n, left -= n) {
        n = left < 1024 ? left : 1024;
        fwrite(shown, 1, plain_text(&p, xml, n, shown), stdout);
    }
}

/* Its number is the domain's, not its configuration's. */
static int print_numbered(const char *kept, uint32_t domid, struct error *e)
{
    struct domain_config cfg;
    char *xml;
    int rc = domain_config_parse(kept, strlen(kept), "kept configuration", &cfg, e);

    if (rc)
        return rc;
    xml = domain_config_to_xml(&cfg, (int)domid);
    domain_config_free(&cfg);
    if (!xml)
        return error_errno(e, -ENOMEM, "domain %u", domid);
    print_xml(xml);
    free(xml);
    return 0;
}

static int print_live(const struct live_domain *l)
{
    struct error e = {0};
    char *xml;
    int rc = state_read_xml(l->d.domid, &xml);

    if (rc == -ENOENT) {
        error_set(&e, -ENODATA, "%s: this domain was not created by pvctl: it has no XML", l->name);
        return fail(&e);
    }
    if (rc) {
        error_errno(&e, rc, "%s: its kept configuration", l->name);
        return fail(&e);
    }
    rc = print_numbered(xml, l->d.domid, &e);
    free(xml);
    return rc ? fail(&e) : EXIT_OK;
}

static int print_defined(const char *name)
{
    struct definition d;
    struct error e = {0};
    char *xml;
    int rc = EXIT_OK;

    definitions_come();
    if (definition_read(name, &d, &e))
        return worse(fail(&e), e.code == -ESRCH ? EXIT_OK : EXIT_CONFIG);
    xml = domain_config_to_xml(&d.cfg, -1);
    if (xml)
        print_xml(xml);
    else
        rc = error_errno(&e, -ENOMEM, "%s", name) ? fail(&e) : EXIT_OK;
    free(xml);
    domain_config_free(&d.cfg);
    return rc;
}

static int run(const struct call *c)
{
    struct live_domain l;
    struct error e = {0}, none = {0};

    if (c->options & OPT_INACTIVE)
        return print_defined(c->arg);
    if (lifecycle_find(c->h, c->arg, &l, &e) == 0)
        return print_live(&l);
    if (e.code == -ESRCH)
        definitions_come();
    if (e.code != -ESRCH || definition_find(c->arg, &none) == -ESRCH)
        return fail(&e);
    return print_defined(c->arg);
}

const struct verb verb_dumpxml = {
    .name = "dumpxml",
    .arg = "NAME",
    .options = OPT_INACTIVE,
    .run = run,
    .summary = "print the configuration of a domain that lives, or is defined",
    .help = "Of one that lives it is the one that it was created with; what pin and sched have set "
            "does\n"
            "not stand in it.\n",
    .examples = "pvctl dumpxml web >web.xml\n"
                "pvctl dumpxml --inactive web >web.xml\n",
};
