/* SPDX-License-Identifier: MIT */
/*
 * pvctl destroy: ends a domain without asking it, and frees all that it has.
 */
#include "pvctl.h"

int verb_destroy(const struct call *c)
{
    struct live_domain l;
    struct error e = {0};
    int rc = need_guest(c, "destroy", &l);

    if (rc)
        return rc;
    return lifecycle_reap(c->h, &l.d, l.name, "destroyed", &console_by_daemon, &e) ? fail(&e)
                                                                                   : EXIT_OK;
}
