/* SPDX-License-Identifier: MIT */
/*
 * pvctl dumpxml: the configuration of a live domain, as `create` takes it.
 */
#include <errno.h>
#include <stdlib.h>

#include "pvctl.h"
#include "state.h"

int verb_dumpxml(const struct call *c)
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
    fputs(xml, stdout);
    free(xml);
    return EXIT_OK;
}
