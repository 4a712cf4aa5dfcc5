/* SPDX-License-Identifier: MIT */
/*
 * Which domain has an id, and the list of all.
 *
 * The table has two levels, so that it costs a page and not 256 KiB. An entry stays until the
 * domain's struct is freed: as long as a frame names an id as its owner, the id is not given to
 * another domain. New ids are given in a circle, so an id that was just freed comes back late and a
 * tool's stale number finds nobody rather than somebody else.
 *
 * Whoever goes through all domains goes through their ids. A leaf that is there has a domain, and a
 * full one is passed over where a free id is wanted: a step is a look at two leaves at most. dom_io
 * and its like have ids beyond those of domains.
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
#include <port/nospec.h>
#include <xen/errno.h>

#define LEAF_BITS 6
#define LEAF_SIZE (1u << LEAF_BITS)
#define NR_LEAVES ((DOMID_MASK + 1) >> LEAF_BITS)

spinlock_t domlist_lock = SPINLOCK_INIT(RANK_DOMLIST);
struct domain *control_domain, *dom_io, *dom_xen;
static struct domain **leaf[NR_LEAVES];
static unsigned int in_leaf[NR_LEAVES]; /* domains; an empty leaf is freed */
static unsigned int nr_domains;         /* without dom_io and its like */
static domid_t last_id;

void domain_table_init(void)
{
    memset(leaf, 0, sizeof(leaf));
    memset(in_leaf, 0, sizeof(in_leaf));
    nr_domains = last_id = 0;
}

static struct domain *lookup(unsigned int id)
{
    struct domain **l =
        id <= DOMID_MASK ? leaf[index_nospec(id, DOMID_MASK + 1) >> LEAF_BITS] : NULL;

    return l ? l[id & (LEAF_SIZE - 1)] : NULL;
}

/* The first id that nobody has, in [from, end). */
static bool find_free(unsigned int from, unsigned int end, domid_t *out)
{
    for (unsigned int id = from; id < end; id++) {
        if (in_leaf[id >> LEAF_BITS] == LEAF_SIZE) {
            id |= LEAF_SIZE - 1;
        } else if (!lookup(id)) {
            *out = (domid_t)id;
            return true;
        }
    }
    return false;
}

static int choose_id(struct domain *d)
{
    if (!find_free(last_id + 1u, DOMID_FIRST_RESERVED, &d->domain_id) &&
        !find_free(1, last_id + 1u, &d->domain_id))
        return -XEN_ENOMEM;
    last_id = d->domain_id;
    return 0;
}

static int enter(struct domain *d)
{
    struct domain ***l = &leaf[d->domain_id >> LEAF_BITS];

    if (!*l)
        *l = hv_alloc_array(LEAF_SIZE, sizeof(**l));
    if (!*l)
        return -XEN_ENOMEM;
    (*l)[d->domain_id & (LEAF_SIZE - 1)] = d;
    in_leaf[d->domain_id >> LEAF_BITS]++;
    nr_domains += d->domain_id < DOMID_FIRST_RESERVED;
    return 0;
}

int domain_table_insert(struct domain *d)
{
    int rc = 0;

    spin_lock(&domlist_lock);
    if (d->domain_id == DOMID_INVALID)
        rc = choose_id(d);
    else if (lookup(d->domain_id))
        rc = -XEN_EEXIST;
    if (!rc)
        rc = enter(d);
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
    nr_domains--;
    spin_unlock(&domlist_lock);
}

struct domain *owner_of_page(const struct page_info *pg)
{
    domid_t id = READ_ONCE(pg->owner);

    return id == DOMID_INVALID ? NULL : lookup(id);
}

void domain_table_show(struct domain *d)
{
    spin_lock(&domlist_lock);
    d->listed = true;
    spin_unlock(&domlist_lock);
}

/* The domain with the least id from this one on. */
static struct domain *domain_from(unsigned int id)
{
    struct domain *d;

    for (; id < DOMID_FIRST_RESERVED; id++) {
        if (!leaf[id >> LEAF_BITS])
            id |= LEAF_SIZE - 1;
        else if ((d = lookup(id)) != NULL && d->listed)
            return d;
    }
    return NULL;
}

struct domain *next_domain(const struct domain *d)
{
    return domain_from(d ? d->domain_id + 1u : 0);
}

struct domain *get_domain_from(unsigned int id)
{
    struct domain *d;

    spin_lock(&domlist_lock);
    /* One that is being freed has no reference left to take. */
    d = domain_from(id);
    while (d && !get_domain(d))
        d = next_domain(d);
    spin_unlock(&domlist_lock);
    return d;
}

unsigned int count_domains(void)
{
    return READ_ONCE(nr_domains);
}

bool get_domain(struct domain *d)
{
    uint32_t x = READ_ONCE(d->refcount), seen;

    for (; x; x = seen) {
        seen = cmpxchg(&d->refcount, x, x + 1); /* model: get_domain.take */
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

    if (atomic_sub_return(&d->refcount, 1)) /* model: put_domain.drop */
        return;
    d->next_dead = c->dead;
    c->dead = d; /* model: put_domain.put_off */
    cpu_raise(c, CPU_WORK_REAP);
}

struct domain *get_domain_by_id(domid_t id)
{
    struct domain *d;

    if (unlikely(id >= DOMID_FIRST_RESERVED))
        return NULL;
    spin_lock(&domlist_lock);
    d = lookup(id);
    if (d && (!d->listed || !get_domain(d)))
        d = NULL;
    spin_unlock(&domlist_lock);
    return d;
}

/* The current domain, with another reference: it has some while it runs. */
static inline struct domain *get_own(struct domain *d)
{
    atomic_add_return(&d->refcount, 1);
    return d;
}

struct domain *get_domain_for_guest(domid_t id)
{
    struct domain *d = current->domain;

    return id == DOMID_SELF || id == d->domain_id ? get_own(d) : get_domain_by_id(id);
}

int get_domain_permitted(domid_t id, struct domain **d)
{
    struct domain *own = current->domain;

    if (likely(id == DOMID_SELF || id == own->domain_id)) {
        *d = get_own(own);
        return 0;
    }
    *d = get_domain_by_id(id);
    if (!*d)
        return -XEN_ESRCH;
    if (own->is_control)
        return 0;
    put_domain(*d);
    return refused(-XEN_EPERM, "d%u is not the caller's to name", id);
}
