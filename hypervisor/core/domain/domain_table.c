/* SPDX-License-Identifier: MIT */
/*
 * Which domain has an id, and the list of all.
 *
 * The table has two levels, so that it costs a page and not 256 KiB. An entry stays until the
 * domain's struct is freed: as long as a frame names an id as its owner, the id is not given to
 * another domain. New ids are given in a circle, so an id that was just freed comes back late and a
 * tool's stale number finds nobody rather than somebody else.
 *
 * The list holds the domains in order of their ids; dom_io and its like are in the table alone.
 *
 * Lock: domlist_lock (RANK_DOMLIST) for all changes and walks. owner_of_page() needs no lock: what
 * it looks for cannot go away.
 */
#include <core/base/log.h>
#include <core/domain/domain_table.h>
#include <core/state/domain.h>
#include <parvis/string.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>

#define LEAF_BITS 9
#define LEAF_SIZE (1u << LEAF_BITS)
#define NR_LEAVES ((DOMID_MASK + 1) >> LEAF_BITS)

spinlock_t domlist_lock = SPINLOCK_INIT(RANK_DOMLIST);
struct domain *control_domain, *dom_io, *dom_xen;
static struct domain **leaf[NR_LEAVES];
static unsigned int in_leaf[NR_LEAVES]; /* domains; an empty leaf is freed */
static struct list domains = LIST_INIT(domains);
static domid_t last_id;

void domain_table_init(void)
{
    memset(leaf, 0, sizeof(leaf));
    memset(in_leaf, 0, sizeof(in_leaf));
    list_init(&domains);
    last_id = 0;
}

static struct domain *lookup(unsigned int id)
{
    struct domain **l = id <= DOMID_MASK ? leaf[id >> LEAF_BITS] : NULL;

    return l ? l[id & (LEAF_SIZE - 1)] : NULL;
}

static int choose_id(struct domain *d)
{
    domid_t id = last_id;

    for (unsigned int tries = 1; tries < DOMID_FIRST_RESERVED; tries++) {
        id = id + 1u < DOMID_FIRST_RESERVED ? id + 1 : 1;
        if (!lookup(id)) {
            d->domain_id = last_id = id;
            return 0;
        }
    }
    return -XEN_ENOMEM;
}

static void link_in_order(struct domain *d)
{
    struct list *at;

    list_for_each (at, &domains)
        if (list_entry(at, struct domain, link)->domain_id > d->domain_id)
            break;
    list_insert_before(at, &d->link);
}

int domain_table_insert(struct domain *d)
{
    struct domain **l;
    int rc = 0;

    spin_lock(&domlist_lock);
    if (d->domain_id == DOMID_INVALID)
        rc = choose_id(d);
    else if (d->domain_id > DOMID_MASK)
        rc = -XEN_EINVAL;
    else if (lookup(d->domain_id))
        rc = -XEN_EEXIST;
    if (rc)
        goto out;
    l = leaf[d->domain_id >> LEAF_BITS];
    if (!l) {
        l = leaf[d->domain_id >> LEAF_BITS] = hv_alloc_array(LEAF_SIZE, sizeof(*l));
        if (!l) {
            rc = -XEN_ENOMEM;
            goto out;
        }
    }
    l[d->domain_id & (LEAF_SIZE - 1)] = d;
    in_leaf[d->domain_id >> LEAF_BITS]++;
    if (d->domain_id < DOMID_FIRST_RESERVED)
        link_in_order(d);
out:
    spin_unlock(&domlist_lock);
    return rc;
}

void domain_table_remove(struct domain *d)
{
    unsigned int n = d->domain_id >> LEAF_BITS;

    spin_lock(&domlist_lock);
    leaf[n][d->domain_id & (LEAF_SIZE - 1)] = NULL;
    if (--in_leaf[n] == 0) {
        hv_free(leaf[n]);
        leaf[n] = NULL;
    }
    list_del(&d->link);
    spin_unlock(&domlist_lock);
}

struct domain *owner_of_page(const struct page_info *pg)
{
    domid_t id = READ_ONCE(pg->owner);

    return id == DOMID_INVALID ? NULL : lookup(id);
}

struct domain *next_domain(struct domain *d)
{
    struct list *next = d ? d->link.next : domains.next;

    return next == &domains ? NULL : list_entry(next, struct domain, link);
}

bool get_domain(struct domain *d)
{
    uint32_t x = READ_ONCE(d->refcount), seen;

    for (; x; x = seen) {
        seen = cmpxchg(&d->refcount, x, x + 1);
        if (likely(seen == x))
            return true;
    }
    return false;
}

void get_knownalive_domain(struct domain *d)
{
    bool alive = get_domain(d);

    BUG_ON(!alive);
}

void put_domain(struct domain *d)
{
    struct cpu *c = this_cpu();

    if (atomic_sub_return(&d->refcount, 1))
        return;
    d->next_dead = c->dead;
    c->dead = d;
    cpu_raise(c, CPU_WORK_REAP);
}

struct domain *get_domain_by_id(domid_t id)
{
    struct domain *d;

    if (unlikely(id >= DOMID_FIRST_RESERVED))
        return NULL;
    spin_lock(&domlist_lock);
    d = lookup(id);
    if (d && !get_domain(d))
        d = NULL;
    spin_unlock(&domlist_lock);
    return d;
}

struct domain *get_domain_for_guest(domid_t id)
{
    struct domain *d = current->domain;

    if (id != DOMID_SELF && id != d->domain_id)
        return get_domain_by_id(id);
    return get_domain(d) ? d : NULL;
}

int get_domain_permitted(domid_t id, struct domain **d)
{
    *d = get_domain_for_guest(id);
    if (!*d)
        return -XEN_ESRCH;
    if (*d == current->domain || current->domain->is_control)
        return 0;
    put_domain(*d);
    return refused(-XEN_EPERM, "d%u is not the caller's to name", id);
}
