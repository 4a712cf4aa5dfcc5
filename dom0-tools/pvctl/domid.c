/* SPDX-License-Identifier: MIT */
/*
 * pvctl domid, pvctl domname: the number of a domain, and its name, a line each, for scripts.
 */
#include "pvctl.h"

static int run_domid(const struct call *c)
{
    struct live_domain l;
    int rc = need_domain(c, &l);

    if (rc == 0)
        printf("%u\n", l.d.domid);
    return rc;
}

const struct verb verb_domid = {
    .name = "domid",
    .arg = "NAME...",
    .each = true,
    .run = run_domid,
    .summary = "print the number of a domain",
    .examples = "pvctl domid web\n"
                "xenstore-ls /local/domain/$(pvctl domid web)\n",
};

static int run_domname(const struct call *c)
{
    struct live_domain l;
    int rc = need_domain(c, &l);

    if (rc == 0)
        printf("%s\n", l.name);
    return rc;
}

const struct verb verb_domname = {
    .name = "domname",
    .arg = "ID...",
    .each = true,
    .run = run_domname,
    .summary = "print the name of a domain",
    .examples = "pvctl domname 5\n",
};
