/* SPDX-License-Identifier: MIT */
/*
 * pvctl dumpxml: the configuration of a live domain, as `create` takes it.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config.h"
#include "pvctl.h"
#include "state.h"

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
    fputs(xml, stdout);
    free(xml);
    return 0;
}

static int run(const struct call *c)
{
    struct live_domain l;
    struct error e = {0};
    char *xml;
    int rc = need_domain(c, &l);

    if (rc)
        return rc;
    rc = state_read_xml(l.d.domid, &xml);
    if (rc == -ENOENT) {
        error_set(&e, -ENODATA, "%s: this domain was not created by pvctl: it has no XML", l.name);
        return fail(&e);
    }
    if (rc) {
        error_errno(&e, rc, "%s: its kept configuration", l.name);
        return fail(&e);
    }
    rc = print_numbered(xml, l.d.domid, &e);
    free(xml);
    return rc ? fail(&e) : EXIT_OK;
}

const struct verb verb_dumpxml = {
    .name = "dumpxml",
    .arg = "NAME",
    .run = run,
    .summary = "print the configuration of a live domain",
    .help = "It is the one that the domain was created with; what pin and sched have set does not "
            "stand in it.\n",
    .examples = "pvctl dumpxml web >web.xml\n",
};
