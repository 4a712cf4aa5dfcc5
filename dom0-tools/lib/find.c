/* SPDX-License-Identifier: MIT */
/*
 * Finding domains: names to numbers and back.
 *
 * The list of domains is one hypercall; names come from the state directory, one readlink
 * each. A domain that is asked for by its name is looked for alone. Only for a domain that these
 * tools did not make is the store asked for its name.
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

int lifecycle_domains(struct host *h, struct host_domain **out, size_t *nr)
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

const struct host_domain *lifecycle_domain(const struct host_domain *list, size_t nr,
                                           uint32_t domid)
{
    size_t first = 0, end = nr;

    while (first < end) {
        size_t middle = first + (end - first) / 2;

        if (list[middle].domid == domid)
            return &list[middle];
        if (list[middle].domid < domid)
            first = middle + 1;
        else
            end = middle;
    }
    return NULL;
}

int lifecycle_libxls(struct host *h, uint32_t domid)
{
    char path[32], **names;
    unsigned int n;
    int rc;

    snprintf(path, sizeof(path), "/libxl/%u", domid);
    rc = h->ops->store_list(h, 0, path, &names, &n);
    if (rc == 0)
        free(names);
    return rc == 0 ? 1 : rc == -ENOENT ? 0 : rc;
}

int lifecycle_stands_for(struct host *h, const struct state_entry *s, const struct host_domain *d)
{
    int rc;

    if (!state_matches(s, d))
        return 0;
    rc = s->domid == UINT32_MAX ? lifecycle_libxls(h, d->domid) : 0;
    return rc < 0 ? rc : !rc;
}

/* If the entry stands for this domain. */
static void name_if_ours(struct host *h, struct live_domain *l, const struct state_entry *s)
{
    if (l->ours || lifecycle_stands_for(h, s, &l->d) <= 0)
        return;
    snprintf(l->name, sizeof(l->name), "%s", s->name);
    l->ours = true;
    l->maker = s->abandoned ? 0 : s->maker;
}

/* Those that have a name of ours. An entry without a number may be that of any. */
static void name_ours(struct host *h, struct live_domain *l, const struct host_domain *d, size_t n,
                      const struct state_entry *s, size_t nr)
{
    for (size_t i = 0; i < nr; i++) {
        const struct host_domain *at = lifecycle_domain(d, n, s[i].domid);

        if (at)
            name_if_ours(h, &l[at - d], &s[i]);
        for (size_t j = 0; j < n && s[i].domid == UINT32_MAX; j++)
            name_if_ours(h, &l[j], &s[i]);
    }
}

static void name_other(struct host *h, struct live_domain *l)
{
    char *name = NULL;

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
    int rc = lifecycle_domains(h, &d, &n);

    if (rc)
        return error_errno(e, rc, "listing the domains");
    rc = state_list(&s, &names);
    l = rc ? NULL : calloc(n + 1, sizeof(*l));
    if (!l)
        rc = error_errno(e, rc ? rc : -ENOMEM, "listing the domains");
    for (size_t i = 0; l && i < n; i++)
        l[i].d = d[i];
    if (l)
        name_ours(h, l, d, n, s, names);
    for (size_t i = 0; l && i < n; i++) {
        if (!l[i].ours)
            name_other(h, &l[i]);
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

/* A name of ours, of a domain that lives: no other domain comes before it, so that nobody has to
 * look at all that there are. -ENOENT: it is not that. */
static int find_named(struct host *h, const char *name, struct live_domain *out)
{
    struct live_domain l = {.ours = false};
    struct state_entry s;
    unsigned int n = 0;
    int rc;

    if (state_get(name, &s) || s.domid == UINT32_MAX)
        return -ENOENT;
    rc = h->ops->domain_list(h, s.domid, &l.d, 1, &n);
    if (rc)
        return rc;
    if (n == 1 && !l.d.dying)
        name_if_ours(h, &l, &s);
    if (!l.ours)
        return -ENOENT;
    *out = l;
    return 0;
}

bool lifecycle_number(const char *text, uint32_t *domid)
{
    if (!*text || strlen(text) > 5 || strspn(text, "0123456789") != strlen(text))
        return false;
    *domid = (uint32_t)strtoul(text, NULL, 10);
    return true;
}

int lifecycle_find(struct host *h, const char *which, struct live_domain *out, struct error *e)
{
    uint32_t id = 0;
    bool number = lifecycle_number(which, &id);
    struct live_domain *all;
    size_t n;
    int rc = number ? -ENOENT : find_named(h, which, out);

    if (rc == 0)
        return 0;
    if (rc != -ENOENT)
        return error_errno(e, rc, "listing the domains");
    rc = lifecycle_list(h, &all, &n, e);
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

/* libxl's domain of this number, if it lives and has the name: -EEXIST. */
static int check_libxls(struct host *h, uint32_t domid, const char *name, struct error *e)
{
    char *other = NULL;
    int rc = store_domain_name(h, domid, &other);
    struct host_domain d;
    unsigned int n = 0;

    if (rc == 0 && strcmp(other, name) == 0) {
        rc = h->ops->domain_list(h, domid, &d, 1, &n);
        if (rc == 0 && n == 1 && d.domid == domid && !d.dying)
            rc = error_set(e, -EEXIST, "%s: domain %u, which xl or virsh made, has this name", name,
                           domid);
    }
    free(other);
    return rc == -ENOENT ? 0 : rc;
}

int lifecycle_check_name(struct host *h, const char *name, struct error *e)
{
    char **ids = NULL;
    unsigned int n = 0;
    int rc = h->ops->store_list(h, 0, "/libxl", &ids, &n);

    for (unsigned int i = 0; i < n && rc == 0; i++)
        rc = check_libxls(h, (uint32_t)strtoul(ids[i], NULL, 10), name, e);
    free(ids);
    return rc == 0 || rc == -ENOENT ? 0
                                    : error_errno(e, rc, "%s: whether another has this name", name);
}
