/* SPDX-License-Identifier: MIT */
/*
 * pvctl save, pvctl restore: a domain into a file, and out of it again. Neither is built yet, for
 * any kind of guest: that is said in a sentence, and nothing is touched.
 */
#include <errno.h>

#include "pvctl.h"

int verb_save(const struct call *c)
{
    struct live_domain l;
    struct error e = {0};
    int rc = need_guest(c, "save", &l);

    if (rc)
        return rc;
    error_set(&e, -EOPNOTSUPP, "%s: a domain cannot be saved yet: it goes on as it was", l.name);
    return fail(&e);
}

int verb_restore(const struct call *c)
{
    struct error e = {0};

    error_set(&e, -EOPNOTSUPP, "%s: a domain cannot be restored yet, as none can be saved", c->arg);
    return fail(&e);
}
