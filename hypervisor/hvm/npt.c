/* SPDX-License-Identifier: MIT */
/*
 * Nested page tables: the map from a domain's frame numbers to frames of the machine. The CPU walks
 * it behind the guest's own tables, and everybody else who means a frame of the domain asks it
 * (npt_lookup()).
 *
 * An entry holds a reference of each frame that it maps, 512 if it is large: so no frame is freed
 * that the guest reaches. A frame is at one place only, and M2P says which. Frames have no types:
 * the guest may write all of them. What is not mapped faults: devices, and holes. Entries are large
 * where 512 frames are aligned in both numberings and come at once; taking out one of them splits
 * it. Small entries are never joined.
 *
 * Tables are the hypervisor's memory and cost the domain nothing, so their number is limited by the
 * domain's memory: twice what it needs when it lies close together, and some. A large entry counts
 * as the table into which it may be split, so a split is never refused for that.
 *
 * A frame goes so: its entry is cleared, then the domain's translations are flushed wherever it
 * runs, then the reference goes.
 *
 * Lock: npt_lock (RANK_NPT), for all that is written. Who looks up has none and reads an entry of
 * each level. An entry changes by one store: a split is a new table, complete, in place of the
 * large entry.
 *
 * Race: tables are freed at the end of the domain alone (npt_free.c), and one may be freed while it
 * is read, by a hypercall of another domain. What is read then is what was there: nobody writes
 * freed memory until it is somebody's again, which is not before each CPU with a guest has flushed
 * since (core/frame/heap.c), and no CPU flushes on its way through the tables. The frame that is
 * found may be the domain's no more, as ever where there is no lock: get_page() tells.
 */
#include <core/base/tlb.h>
#include <core/domain/domain_pages.h>
#include <core/frame/m2p.h>
#include <core/state/domain.h>
#include <hvm/npt.h>
#include <hvm/npt_tables.h>
#include <port/sanitize.h>
#include <xen/errno.h>

#define TABLES_OF_ALL 64u
/* What a range of frames may need beside a table, or large entry, for each 512. */
#define TABLES_AROUND 6u

int npt_init(struct domain *d)
{
    spin_lock_init(&d->arch.hvm.npt_lock, RANK_NPT);
    d->arch.hvm.npt_tables = 1;
    d->arch.hvm.npt = alloc_hv_pages(0);
    return d->arch.hvm.npt ? 0 : -XEN_ENOMEM;
}

/* Race: the table may be freed by now; see above. */
static __no_sanitize uint64_t read_entry(const uint64_t *table, uint64_t gfn, unsigned int level)
{
    return __atomic_load_n(&table[npt_index(gfn, level)], __ATOMIC_ACQUIRE);
}

mfn_t npt_lookup(const struct domain *d, gfn_t gfn)
{
    const uint64_t *table = d->arch.hvm.npt;

    if (gfn.n >= NPT_GFNS)
        return INVALID_MFN;
    for (unsigned int level = NPT_TOP;; level--) {
        uint64_t e = read_entry(table, gfn.n, level);

        if (!(e & PTE_PRESENT))
            return INVALID_MFN;
        if (level == 1)
            return npt_mfn(e);
        if (e & PTE_PSE)
            return MFN(npt_mfn(e).n + gfn.n % NPT_LARGE);
        table = read_frame(npt_mfn(e));
    }
}

/* ---- the lock is held from here on ---- */

static bool may_have_tables(const struct domain *d, uint64_t frames)
{
    uint64_t most = TABLES_OF_ALL + READ_ONCE(d->max_pages) / (NPT_LARGE / 2);

    return d->arch.hvm.npt_tables + frames / NPT_LARGE + TABLES_AROUND <= most;
}

/* The entry of gfn at this level; the tables on the way there are made. -XEN_EEXIST: it is in a
 * large one. */
static int make_entry(struct domain *d, uint64_t gfn, unsigned int level, uint64_t **entry)
{
    uint64_t *table = d->arch.hvm.npt;

    for (unsigned int l = NPT_TOP; l > level; l--) {
        uint64_t *e = &table[npt_index(gfn, l)];

        if (!*e) {
            table = alloc_hv_pages(0);
            if (!table)
                return -XEN_ENOMEM;
            d->arch.hvm.npt_tables++;
            npt_set(e, frame_of(table).n << PAGE_SHIFT | NPT_TABLE);
        }
        if (npt_is_frame(*e, l))
            return -XEN_EEXIST;
        table = npt_table(*e);
    }
    *entry = &table[npt_index(gfn, level)];
    return 0;
}

/* The next of `left` frames to be mapped: into which entry, which is free, and how many go into it.
 * The same answer each time until something is mapped there. */
static int next_entry(struct domain *d, uint64_t gfn, uint64_t mfn, uint64_t left, uint64_t **entry,
                      uint64_t *n)
{
    bool large = (gfn | mfn) % NPT_LARGE == 0 && left >= NPT_LARGE;
    int rc = make_entry(d, gfn, large ? 2 : 1, entry);

    if (!rc && large && **entry && !npt_is_frame(**entry, 2)) { /* there is a table already */
        large = false;
        rc = make_entry(d, gfn, 1, entry);
    }
    *n = large ? NPT_LARGE : 1;
    return rc ? rc : **entry ? -XEN_EEXIST : 0;
}

static int make_room(struct domain *d, uint64_t gfn, uint64_t mfn, uint64_t frames)
{
    uint64_t *entry, n;

    if (!may_have_tables(d, frames))
        return -XEN_ENOMEM;
    for (uint64_t i = 0; i < frames; i += n) {
        int rc = next_entry(d, gfn + i, mfn + i, frames - i, &entry, &n);

        if (rc)
            return rc;
    }
    return 0;
}

/* Is it somewhere already? (M2P may also say where it is to be soon.) */
static bool is_mapped(const struct domain *d, mfn_t mfn)
{
    return mfn_eq(npt_lookup(d, GFN(READ_ONCE(machine_to_phys[mfn.n]))), mfn);
}

static int take_references(struct domain *d, uint64_t mfn, uint64_t frames)
{
    uint64_t taken;
    int rc = 0;

    for (taken = 0; !rc && taken < frames; taken++) {
        if (!get_page_from_mfn(MFN(mfn + taken), d)) {
            rc = -XEN_EINVAL;
            break;
        }
        if (is_mapped(d, MFN(mfn + taken)))
            rc = -XEN_EBUSY;
    }
    while (rc && taken-- > 0)
        put_page(mfn_to_page(MFN(mfn + taken)));
    return rc;
}

/* There is room. */
static void set_entries(struct domain *d, uint64_t gfn, uint64_t mfn, uint64_t frames)
{
    uint64_t *entry, n;

    for (uint64_t i = 0; i < frames; i += n) {
        int rc = next_entry(d, gfn + i, mfn + i, frames - i, &entry, &n);
        bool large = n == NPT_LARGE;

        BUG_ON(rc);
        d->arch.hvm.npt_tables += large;
        set_gpfn(MFN(mfn + i), large ? 9 : 0, gfn + i);
        npt_set(entry, (mfn + i) << PAGE_SHIFT | NPT_FRAME | (large ? PTE_PSE : 0));
    }
}

/* Puts a table in place of a large entry. It is counted already. */
static int split(uint64_t *entry)
{
    uint64_t *table = alloc_hv_pages(0);

    if (!table)
        return -XEN_ENOMEM;
    for (uint64_t i = 0; i < NPT_LARGE; i++)
        table[i] = (npt_mfn(*entry).n + i) << PAGE_SHIFT | NPT_FRAME;
    npt_set(entry, frame_of(table).n << PAGE_SHIFT | NPT_TABLE);
    return 0;
}

/* Clears the entry of gfn, where this frame is to be: its reference is the caller's now. */
static int clear_entry(struct domain *d, gfn_t gfn, mfn_t mfn)
{
    uint64_t *entry = &d->arch.hvm.npt[npt_index(gfn.n, NPT_TOP)];

    if (!mfn_valid(mfn) || !mfn_eq(npt_lookup(d, gfn), mfn))
        return -XEN_ENOENT;
    for (unsigned int level = NPT_TOP; level > 1; level--) {
        if (npt_is_frame(*entry, level) && split(entry))
            return -XEN_ENOMEM;
        entry = &npt_table(*entry)[npt_index(gfn.n, level - 1)];
    }
    set_gpfn(mfn, 0, INVALID_GPFN);
    npt_set(entry, 0);
    return 0;
}

/* ---- and not any more ---- */

/* Is there such a place? */
static bool may_be_memory(uint64_t gfn, uint64_t frames)
{
    return gfn < NPT_GFNS && frames <= NPT_GFNS - gfn &&
           (gfn > NPT_APIC_GFN || frames <= NPT_APIC_GFN - gfn);
}

int npt_map(struct domain *d, gfn_t first, mfn_t mfn, unsigned int order)
{
    uint64_t frames = 1ull << MIN(order, HEAP_MAX_ORDER);
    int rc;

    if (order > HEAP_MAX_ORDER || !may_be_memory(first.n, frames))
        return -XEN_EINVAL;
    spin_lock(&d->arch.hvm.npt_lock);
    /* Race: with the lock, so that npt_relinquish() comes after all that is mapped */
    rc = READ_ONCE(d->dying) ? -XEN_EINVAL : make_room(d, first.n, mfn.n, frames);
    if (!rc)
        rc = take_references(d, mfn.n, frames);
    if (!rc)
        set_entries(d, first.n, mfn.n, frames);
    spin_unlock(&d->arch.hvm.npt_lock);
    return rc;
}

int npt_unmap(struct domain *d, gfn_t gfn, mfn_t mfn)
{
    int rc;

    spin_lock(&d->arch.hvm.npt_lock);
    rc = clear_entry(d, gfn, mfn);
    spin_unlock(&d->arch.hvm.npt_lock);
    if (rc)
        return rc;
    flush_tlb_domain(d, ALL_CPUS);
    put_page(mfn_to_page(mfn));
    return 0;
}
