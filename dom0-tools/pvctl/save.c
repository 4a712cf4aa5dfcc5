/* SPDX-License-Identifier: MIT */
/*
 * pvctl save, pvctl restore: a domain into a file, and out of it again. Neither is built yet, for
 * any kind of guest: that is said in a sentence, and nothing is touched.
 */
#include <errno.h>

#include "pvctl.h"

static int run_save(const struct call *c)
{
    struct live_domain l;
    struct error e = {0};
    int rc = need_guest(c, "save", &l);

    if (rc)
        return rc;
    error_set(&e, -EOPNOTSUPP, "%s: a domain cannot be saved yet: it goes on as it was", l.name);
    return fail(&e);
}

static int run_restore(const struct call *c)
{
    struct error e = {0};

    error_set(&e, -EOPNOTSUPP, "%s: a domain cannot be restored yet, as none can be saved", c->arg);
    return fail(&e);
}

const struct verb verb_save = {
    .name = "save",
    .arg = "NAME FILE",
    .run = run_save,
    .summary = "not built yet: no domain can be saved",
    .help = "It is refused, and the domain goes on as it was.\n",
    .examples = "pvctl save web web.save\n",
};

const struct verb verb_restore = {
    .name = "restore",
    .arg = "FILE",
    .no_host = true,
    .run = run_restore,
    .summary = "not built yet, as save",
    .examples = "pvctl restore web.save\n",
};
