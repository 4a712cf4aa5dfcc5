/* SPDX-License-Identifier: MIT */
/*
 * Finding domains: names to numbers and back.
 *
 * The list of domains is one hypercall; names come from the state directory, one readlink
 * each. Only for a domain that these tools did not make is the store asked for its name.
 */
#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "lifecycle.h"
#include "plain.h"
#include "state.h"
#include "store.h"

#define LIST_STEP 256u

/* All domains as the hypervisor has them. */
static int all_domains(struct host *h, struct host_domain **out, size_t *nr)
{
    struct host_domain *list = NULL;
    size_t n = 0;
    uint32_t first = 0;

    for (;;) {
        struct host_domain *more = realloc(list, (n + LIST_STEP) * sizeof(*list));
        unsigned int got = 0;
        int rc = more ? h->ops->domain_list(h, first, more + n, LIST_STEP, &got) : -ENOMEM;

        list = more ? more : list;
        if (rc) {
            free(list);
            return rc;
        }
        n += got;
        if (got < LIST_STEP)
            break;
        first = list[n - 1].domid + 1;
    }
    *out = list;
    *nr = n;
    return 0;
}

static void name_domain(struct host *h, struct live_domain *l, const struct state_entry *s,
                        size_t nr)
{
    char *name = NULL;

    for (size_t i = 0; i < nr; i++) {
        if (state_matches(&s[i], &l->d)) {
            snprintf(l->name, sizeof(l->name), "%s", s[i].name);
            l->ours = true;
            l->maker = s[i].abandoned ? 0 : s[i].maker;
            return;
        }
    }
    if (l->d.domid == 0) {
        snprintf(l->name, sizeof(l->name), "Domain-0");
    } else if (store_domain_name(h, l->d.domid, &name) == 0) {
        snprintf(l->name, sizeof(l->name), "%s", name);
        plain_line(l->name); /* who made it may have let it name itself */
        free(name);
    } else {
        snprintf(l->name, sizeof(l->name), "(domain-%u)", l->d.domid);
    }
}

int lifecycle_list(struct host *h, struct live_domain **out, size_t *nr, struct error *e)
{
    struct host_domain *d = NULL;
    struct state_entry *s = NULL;
    struct live_domain *l = NULL;
    size_t n = 0, names = 0;
    int rc = all_domains(h, &d, &n);

    if (rc)
        return error_errno(e, rc, "listing the domains");
    rc = state_list(&s, &names);
    l = rc ? NULL : calloc(n + 1, sizeof(*l));
    if (!l)
        rc = error_errno(e, rc ? rc : -ENOMEM, "listing the domains");
    for (size_t i = 0; l && i < n; i++) {
        l[i].d = d[i];
        name_domain(h, &l[i], s, names);
    }
    free(d);
    free(s);
    if (l) {
        *out = l;
        *nr = n;
    }
    return rc;
}

static int not_found(const char *which, struct error *e)
{
    char *ended = state_read_ended(which);
    int rc;

    if (ended)
        rc = error_set(e, -ESRCH, "%s: no such domain (the last of this name: %s)", which, ended);
    else
        rc = error_set(e, -ESRCH, "%s: no such domain", which);
    free(ended);
    return rc;
}

/* Of two with one name, the one that is not about to go, and is ours, is meant. */
static int rank(const struct live_domain *l)
{
    return (l->d.dying ? 0 : 2) + l->ours;
}

int lifecycle_find(struct host *h, const char *which, struct live_domain *out, struct error *e)
{
    bool number = *which && strspn(which, "0123456789") == strlen(which) && strlen(which) < 6;
    unsigned long id = number ? strtoul(which, NULL, 10) : 0;
    struct live_domain *all;
    size_t n;
    int rc = lifecycle_list(h, &all, &n, e);

    if (rc)
        return rc;
    rc = -ESRCH;
    for (size_t i = 0; i < n; i++) {
        if (number ? all[i].d.domid != id : strcmp(all[i].name, which) != 0)
            continue;
        if (rc == 0 && rank(&all[i]) == rank(out)) {
            rc = error_set(e, -EBUSY, "%s: domains %u and %u have this name; give the number",
                           which, out->d.domid, all[i].d.domid);
            break;
        }
        if (rc || rank(&all[i]) > rank(out)) {
            *out = all[i];
            rc = 0;
        }
    }
    free(all);
    return rc == -ESRCH ? not_found(which, e) : rc;
}
