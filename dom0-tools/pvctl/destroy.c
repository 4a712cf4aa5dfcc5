/* SPDX-License-Identifier: MIT */
/*
 * pvctl destroy: ends a domain without asking it, and frees all that it has.
 *
 * One that ends and starts again all the time is hardly ever there to be found: between two lives
 * there is none, or parvisd is making one. So that is given up first.
 */
#include <errno.h>

#include "pvctl.h"

static int run(const struct call *c)
{
    struct live_domain l = {.name = ""};
    struct error none = {0}, e = {0};
    const char *name = lifecycle_find(c->h, c->arg, &l, &none) ? c->arg : l.name;
    bool restarts = lifecycle_restarts(name);
    int rc;

    if (restarts && lifecycle_give_up(name, &e))
        return fail(&e);
    none.code = 0;
    if (restarts && lifecycle_find(c->h, name, &l, &none) == -ESRCH)
        return EXIT_OK;
    rc = need_guest(c, "destroy", &l);
    if (rc)
        return rc;
    return lifecycle_reap(c->h, &l.d, l.name, "destroyed", &console_by_daemon, &e) ? fail(&e)
                                                                                   : EXIT_OK;
}

const struct verb verb_destroy = {
    .name = "destroy",
    .arg = "NAME...",
    .options = OPT_ALL,
    .each = true,
    .run = run,
    .summary = "end a domain at once and free all that it has",
    .examples = "pvctl destroy web db\n"
                "pvctl destroy --all\n",
};
