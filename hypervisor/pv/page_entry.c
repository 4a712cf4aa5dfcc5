/* SPDX-License-Identifier: MIT */
/*
 * One entry of a page table: the references it stands for, and how it changes (set_pte.h: how it is
 * written).
 *
 * A present L1 entry holds a general reference on the frame it maps, and a writable-type reference
 * when it has RW, unless the frame is of a domain whose frames have no types (has_types()). A
 * present entry of a higher table holds a general reference and a reference of the type one level
 * down. Entries that map what is not RAM hold none: the right to map it was checked. So "who can
 * reach this frame, and how" is counted, never searched for.
 *
 * A change takes the new references, writes the entry, then drops the old ones: at no time does an
 * entry refer to what it has no reference on. Changes that leave the frame and the rights alone
 * take nothing; one of RW alone moves only the type reference.
 *
 * An entry that is not present holds none, whatever it says. But CPUs with L1TF (XSA-273) run ahead
 * as if it were, and a guest reads by it what it names of what is in their first cache. So on such
 * CPUs it may name no RAM (absent_names_ram()). Linux keeps swap and protection entries with their
 * bits inverted since then, and gets what it asks for; a kernel that does not is refused the entry,
 * and says so in the way that it says that of others. The control domain is trusted.
 *
 * An entry changes only under the page_lock of its table, but for the accessed and dirty bits,
 * which the CPU sets.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/base/tlb.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>

#define ALL_ONES_MFN (PTE_FRAME_MASK >> PAGE_SHIFT)

/* Frames that are not RAM: no references, but only for whom the machine lets have them, and not
 * cached. */
static int get_iomem(uint64_t *l1e, struct domain *l1_owner, struct domain *pg_owner)
{
    mfn_t mfn = pte_mfn(*l1e);

    if (pg_owner == dom_io)
        pg_owner = current->domain;
    if (!iomem_access_permitted(pg_owner, mfn) || !iomem_access_permitted(l1_owner, mfn)) {
        /* ABI: a guest that writes "invalid frame" hears that it is invalid. */
        if (mfn.n == ALL_ONES_MFN)
            return -XEN_EINVAL;
        return refused(-XEN_EPERM, "frame %#lx is not RAM, and not d%u's to map", mfn.n,
                       pg_owner->domain_id);
    }
    /* XSA-154: device memory is mapped the same way by all: write-back and write-through become
     * uncached. */
    switch (*l1e & PTE_CACHE) {
    case 0:
        *l1e |= PTE_PWT | PTE_PCD;
        break;
    case PTE_PWT:
        *l1e |= PTE_PCD;
        break;
    case PTE_PWT | PTE_PAT:
        *l1e = (*l1e | PTE_PCD) & ~PTE_PAT;
        break;
    }
    return 0;
}

/* XSA-402: RAM mapped other than write-back is remembered, and the caches flushed before the
 * hypervisor relies on it. */
static int note_cacheability(struct page_info *pg)
{
    if (READ_ONCE(pg->count_info) & PGC_xenheap)
        return refused(-XEN_EACCES, "memory type of the hypervisor's frame %#lx",
                       page_to_mfn(pg).n);
    if (!(READ_ONCE(pg->count_info) & PGC_noncoherent))
        atomic_or(&pg->count_info, PGC_noncoherent);
    return 0;
}

int refused_absent(uint64_t e, unsigned int level)
{
    return refused(-XEN_EINVAL, "L%u entry %#lx: absent, but it names RAM, which these CPUs read",
                   level, e);
}

/* A fully virtualized domain may write each of its frames, so none is a table; and those who grant
 * one (guest_ops.get_writable) take no type either. NULL: the owner is no guest. */
static bool has_types(const struct domain *owner)
{
    return !owner || !is_translated(owner);
}

/* What is no frame of pg_owner's. */
static __noinline int get_other(uint64_t *l1e, struct domain *l1_owner, struct domain *pg_owner)
{
    mfn_t mfn = pte_mfn(*l1e);
    domid_t owner = mfn_valid(mfn) ? READ_ONCE(mfn_to_page_nospec(mfn)->owner) : DOMID_IO;

    if (owner == DOMID_IO)
        return get_iomem(l1e, l1_owner, pg_owner);
    return refused(-XEN_EBUSY, "L1 entry %#lx: frame of d%u, not of d%u", *l1e, owner,
                   pg_owner->domain_id);
}

/* That it is cached in another way, and its type; of a frame that is held. */
static inline int get_rights(uint64_t e, struct page_info *pg, struct domain *l1_owner,
                             struct domain *pg_owner)
{
    int rc = unlikely(e & PTE_CACHE) ? note_cacheability(pg) : 0;

    if (likely(!rc)) {
        if (!(e & PTE_RW) || !(likely(pg_owner == l1_owner) || has_types(pg_owner)) ||
            likely(!get_page_type(pg, PGT_writable_page, pg_owner)))
            return 0;
        rc = refused(-XEN_EBUSY, "L1 entry %#lx: writable, but the frame is a table (%#lx)", e,
                     READ_ONCE(pg->type_info));
    }
    put_page(pg);
    return rc;
}

/* Of an entry that is present, with a memory type that l1_owner may use. */
static __inlined int get_frame(uint64_t *l1e, struct domain *l1_owner, struct domain *pg_owner)
{
    uint64_t e = *l1e;
    struct page_info *pg;

    if (unlikely(!mfn_in_table(pte_mfn(e))))
        return get_other(l1e, l1_owner, pg_owner);
    pg = mfn_to_page_nospec(pte_mfn(e));
    if (unlikely(!get_page(pg, pg_owner)))
        return get_other(l1e, l1_owner, pg_owner);
    return get_rights(e, pg, l1_owner, pg_owner);
}

static int refused_memory_type(uint64_t e)
{
    return refused(-XEN_EINVAL, "L1 entry %#lx: memory type of a domain without hardware", e);
}

int get_page_from_l1e(uint64_t *l1e, struct domain *l1_owner, struct domain *pg_owner)
{
    if (!(*l1e & PTE_PRESENT))
        return 0;
    if (unlikely(*l1e & l1_disallowed(l1_owner)))
        return refused_memory_type(*l1e);
    return get_frame(l1e, l1_owner, pg_owner);
}

/* No vCPU keeps a page of its LDT, and no CPU what it knew of the entries: with one flush, as it
 * takes others' time. forgotten: has it been done, for entries that go with their table? NULL: one
 * goes alone. */
static void forget(struct domain *d, bool *forgotten, bool foreign)
{
    uint64_t cpus = 0;
    struct vcpu *v;

    if (forgotten && *forgotten)
        return;
    for_each_vcpu (d, v)
        cpus |= pv_take_ldt(v);
    if (foreign || forgotten)
        cpus = ALL_CPUS;
    if (cpus)
        flush_tlb_domain(d, cpus);
    if (forgotten)
        *forgotten = true;
}

/*
 * A granted frame whose entry went without an unmap: when its owner makes it a table, the owner's
 * TLBs are flushed, not those of the domain that had it mapped. So that happens here. The control
 * domain, which maps whose it likes, is trusted.
 *
 * Not so for a read-only entry. No type rests on there being none: a table may be read through one.
 * The owner cannot take the grant back, since a handle ends with an unmap, which needs an entry and
 * flushes; so the mapper reads what it still may. And all CPUs that may know the frame have flushed
 * before another domain has it (core/frame/heap.c).
 */
static __noinline void put_foreign(uint64_t l1e, struct domain *l1_owner, bool *forgotten)
{
    struct page_info *pg = mfn_to_page(pte_mfn(l1e));

    if (!mfn_valid(pte_mfn(l1e)) || READ_ONCE(pg->owner) == DOMID_IO)
        return;
    if ((l1e & PTE_RW) && !l1_owner->is_control)
        forget(l1_owner, forgotten, true);
    if ((l1e & PTE_RW) && has_types(owner_of_page(pg)))
        put_page_type(pg);
    put_page(pg);
}

static inline void put_entry(uint64_t l1e, struct domain *l1_owner, bool *forgotten)
{
    struct page_info *pg = mfn_to_page(pte_mfn(l1e));
    uint64_t x;

    if (!(l1e & PTE_PRESENT) || unlikely(!mfn_in_table(pte_mfn(l1e))))
        return;
    if (unlikely(READ_ONCE(pg->owner) != l1_owner->domain_id)) {
        put_foreign(l1e, l1_owner, forgotten);
        return;
    }
    if (l1e & PTE_RW) {
        put_page_type(pg);
    } else {
        x = READ_ONCE(pg->type_info);
        /* A descriptor table: the domain may be about to free its LDT. */
        if (unlikely(table_level(x) == table_level(PGT_seg_desc_page)) && (x & PGT_count_mask))
            forget(l1_owner, forgotten, false);
    }
    put_page(pg);
}

void put_page_from_l1e(uint64_t l1e, struct domain *l1_owner)
{
    put_entry(l1e, l1_owner, NULL);
}

void put_pages_from_l1(const uint64_t *table, unsigned int n, struct domain *l1_owner)
{
    bool forgotten = false;

    while (n)
        if (n % FEW == 0 && are_empty(&table[n - FEW], FEW))
            n -= FEW;
        else
            put_entry(table[--n], l1_owner, &forgotten);
}

int get_upper_type(struct page_info *pg, uint64_t type, struct domain *d)
{
    int rc = get_page_type(pg, type, d);

    if (unlikely(rc))
        put_page(pg);
    return rc;
}

static inline bool is_own(const struct domain *d, mfn_t mfn)
{
    return mfn_in_table(mfn) && READ_ONCE(mfn_to_page_nospec(mfn)->owner) == d->domain_id;
}

/*
 * The ways of write_pte(). Each has its arguments, whether it needs them or not: so a way is a
 * jump.
 */

/* Only RW changes, of a frame of the domain's own: only the type reference moves. */
static __jumped int write_l1e_rw(struct domain *d, struct page_info *table __unused,
                                 const uint64_t *p, uint64_t old, uint64_t val, enum pte_write how,
                                 struct domain *pg_owner __unused)
{
    struct page_info *pg = mfn_to_page_nospec(pte_mfn(val));

    if ((val & PTE_RW) && unlikely(get_page_type(pg, PGT_writable_page, d)))
        return refused(-XEN_EBUSY, "L1 entry %#lx: writable, but the frame is a table (%#lx)", val,
                       READ_ONCE(pg->type_info));
    if (unlikely(!store_pte(d, p, old, adjust_l1e(val), how))) {
        if (val & PTE_RW)
            put_page_type(pg);
        return -XEN_EAGAIN;
    }
    if (old & PTE_RW)
        put_page_type(pg);
    return 0;
}

/* An L1 entry that is not present afterwards. */
static __jumped int clear_l1e(struct domain *d, struct page_info *table __unused, const uint64_t *p,
                              uint64_t old, uint64_t val, enum pte_write how,
                              struct domain *pg_owner __unused)
{
    if (unlikely(absent_names_ram(d, val)))
        return refused_absent(val, 1);
    if (unlikely(!store_pte(d, p, old, val, how)))
        return -XEN_EAGAIN;
    put_page_from_l1e(old, d);
    return 0;
}

/* What a CPU does not look at when it finds the frame. */
static __jumped int set_l1e_bits(struct domain *d, struct page_info *table __unused,
                                 const uint64_t *p, uint64_t old, uint64_t val, enum pte_write how,
                                 struct domain *pg_owner __unused)
{
    return store_pte(d, p, old, adjust_l1e(val), how) ? 0 : -XEN_EAGAIN;
}

/* The references of val are held. */
static __noinline int replace_l1e(struct domain *d, struct page_info *table, const uint64_t *p,
                                  uint64_t old, uint64_t val, enum pte_write how)
{
    if (unlikely(!set_pte(d, table, p, old, val, how))) {
        put_page_from_l1e(val, d);
        return -XEN_EAGAIN;
    }
    put_page_from_l1e(old, d);
    return 0;
}

static inline int put_in(struct domain *d, struct page_info *table, const uint64_t *p, uint64_t old,
                         uint64_t val, enum pte_write how)
{
    val = adjust_l1e(val);
    if ((old & PTE_PRESENT) || how != PTE_WRITE || unlikely(!is_noted(table, index_of_entry(p))))
        return replace_l1e(d, table, p, old, val, how);
    store_pte(d, p, old, val, PTE_WRITE);
    return 0;
}

/* The frame of val is held. */
static __jumped int set_l1e_rights(struct domain *d, struct page_info *table, const uint64_t *p,
                                   uint64_t old, uint64_t val, enum pte_write how,
                                   struct domain *pg_owner)
{
    int rc = get_rights(val, mfn_to_page_nospec(pte_mfn(val)), d, pg_owner);

    return likely(!rc) ? put_in(d, table, p, old, val, how) : rc;
}

/* Whatever it is to be. */
static __jumped int set_l1e_any(struct domain *d, struct page_info *table, const uint64_t *p,
                                uint64_t old, uint64_t val, enum pte_write how,
                                struct domain *pg_owner)
{
    int rc;

    if (unlikely(val & l1_disallowed(d)))
        return refused_memory_type(val);
    if (!((old ^ val) & ~PTE_FAST_BITS))
        return set_l1e_bits(d, table, p, old, val, how, pg_owner);
    rc = get_frame(&val, d, pg_owner);
    return likely(!rc) ? put_in(d, table, p, old, val, how) : rc;
}

/* A reference was had, but the frame is another's by now. */
static __jumped int set_l1e_lost(struct domain *d, struct page_info *table, const uint64_t *p,
                                 uint64_t old, uint64_t val, enum pte_write how,
                                 struct domain *pg_owner)
{
    put_page(mfn_to_page_nospec(pte_mfn(val)));
    return set_l1e_any(d, table, p, old, val, how, pg_owner);
}

/* Another frame, or one where none was, cached as usual. No register is saved for what is seldom:
 * that is set_l1e_any()'s. */
static __jumped int set_l1e(struct domain *d, struct page_info *table, const uint64_t *p,
                            uint64_t old, uint64_t val, enum pte_write how, struct domain *pg_owner)
{
    struct page_info *pg = mfn_to_page_nospec(pte_mfn(val));

    if (unlikely(!mfn_in_table(pte_mfn(val)) || !take_reference(pg, pg_owner)))
        return set_l1e_any(d, table, p, old, val, how, pg_owner);
    if (unlikely(READ_ONCE(pg->owner) != pg_owner->domain_id))
        return set_l1e_lost(d, table, p, old, val, how, pg_owner);
    if (val & PTE_RW)
        return set_l1e_rights(d, table, p, old, val, how, pg_owner);
    return put_in(d, table, p, old, val, how);
}

static __jumped int write_upper(struct domain *d, struct page_info *table, const uint64_t *p,
                                uint64_t old, uint64_t val, enum pte_write how,
                                struct domain *pg_owner)
{
    unsigned int level = table_level(READ_ONCE(table->type_info));
    unsigned int index = index_of_entry(p);
    int rc;

    if (unlikely(is_hypervisor_slot(level, index)))
        return refused(-XEN_EINVAL, "L4 slot %u is the hypervisor's", index);
    /* ABI: foreign frames are mapped, never walked. */
    if (unlikely(pg_owner != d))
        return -XEN_EINVAL;
    if (val & PTE_PRESENT) {
        /* XSA-148, 182: before any short cut. */
        if (unlikely(val & PTE_UPPER_DISALLOWED))
            return refused(-XEN_EINVAL, "L%u entry %#lx: bits that it may not have", level, val);
        val |= PTE_USER;
        if (!((old ^ val) & ~PTE_FAST_BITS))
            return store_pte(d, p, old, val, how) ? 0 : -XEN_EAGAIN;
        rc = get_page_from_upper(val, level, d);
        if (unlikely(rc))
            return rc == -XEN_ERESTART ? rc
                                       : refused(rc, "L%u entry %#lx: not a table of level %u",
                                                 level, val, level - 1);
    } else if (unlikely(absent_names_ram(d, val))) {
        return refused_absent(val, level);
    }
    if (unlikely(!set_pte(d, table, p, old, val, how))) {
        if (val & PTE_PRESENT)
            put_table(d, pte_mfn(val));
        return -XEN_EAGAIN;
    }
    note_tables_changed(d);
    if (old & PTE_PRESENT)
        put_table(d, pte_mfn(old));
    return 0;
}

int write_pte(struct domain *d, struct page_info *table, const uint64_t *p, uint64_t old,
              uint64_t val, enum pte_write how, struct domain *pg_owner)
{
    uint64_t changes = old ^ val;

    if (unlikely(table_level(READ_ONCE(table->type_info)) != 1))
        return write_upper(d, table, p, old, val, how, pg_owner);
    if (!(val & PTE_PRESENT))
        return clear_l1e(d, table, p, old, val, how, pg_owner);
    if (unlikely(val & PTE_CACHE))
        return set_l1e_any(d, table, p, old, val, how, pg_owner);
    /* XSA-182: an allow-list decides what may change without a look at the frame. */
    if (changes & ~(PTE_FAST_BITS | PTE_RW))
        return set_l1e(d, table, p, old, val, how, pg_owner);
    if (changes & PTE_RW)
        return likely(is_own(d, pte_mfn(val))) ? write_l1e_rw(d, table, p, old, val, how, pg_owner)
                                               : set_l1e_any(d, table, p, old, val, how, pg_owner);
    if (how != PTE_WRITE)
        return set_l1e_bits(d, table, p, old, val, how, pg_owner);
    store_pte(d, p, old, adjust_l1e(val), PTE_WRITE);
    return 0;
}
