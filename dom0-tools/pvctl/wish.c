/* SPDX-License-Identifier: MIT */
/*
 * Asking a guest to end: see wish.h.
 */
#include "wish.h"

#include <errno.h>
#include <string.h>

#include "store.h"

int wish_for(const struct call *c, const struct live_domain *l, const char *wish, struct error *e)
{
    int rc;

    if (l->d.kind != KIND_HVM)
        return store_request_shutdown(c->h, l->d.domid, wish, e);
    if (strcmp(wish, "poweroff") != 0)
        return error_set(e, -EOPNOTSUPP,
                         "%s: an hvm guest can be asked to power off, and not to reboot: do that "
                         "from inside",
                         l->name);
    rc = c->h->ops->domain_power_button(c->h, l->d.domid);
    return rc ? error_errno(e, rc, "%s: pressing its power button", l->name) : 0;
}

/*
 * A guest that is still starting takes a request and may lose it: Linux says that it has it, and
 * asks an init that does not listen yet. So who took it and goes on is asked again, as a person
 * would; to one that is on its way down it is nothing new. What cannot be asked any more has ended,
 * which the wait tells.
 */
void wish_again(const struct call *c, const struct live_domain *l, const char *wish)
{
    struct error ignored = {0};

    if (l->d.kind != KIND_HVM && !store_request_taken(c->h, l->d.domid))
        return;
    if (wish_for(c, l, wish, &ignored))
        return;
}
