/* SPDX-License-Identifier: MIT */
/*
 * pvctl pause: stops a domain where it is; nothing in it runs until unpause.
 */
#include "pvctl.h"

static int run(const struct call *c)
{
    struct live_domain l;
    struct error e = {0};
    int rc = need_guest(c, "pause", &l);

    if (rc)
        return rc;
    if ((c->options & OPT_ALL) && (l.d.shutdown || l.d.dying || l.d.paused))
        return EXIT_OK; /* nothing is to be done */
    if (l.d.shutdown || l.d.dying) {
        error_set(&e, 0, "%s: it has ended (%s)", l.name, domain_state_text(&l.d));
        return fail(&e);
    }
    if (l.d.paused) {
        error_set(&e, 0, "%s: it is paused already", l.name);
        return fail(&e);
    }
    rc = c->h->ops->domain_pause(c->h, l.d.domid);
    if (rc) {
        error_errno(&e, rc, "%s: pause", l.name);
        return fail(&e);
    }
    return EXIT_OK;
}

const struct verb verb_pause = {
    .name = "pause",
    .arg = "NAME...",
    .options = OPT_ALL,
    .each = true,
    .run = run,
    .summary = "stop a domain where it is",
    .examples = "pvctl pause web db\n"
                "pvctl pause --all\n",
};
