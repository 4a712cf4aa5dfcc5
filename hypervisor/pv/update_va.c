/* SPDX-License-Identifier: MIT */
/*
 * update_va_mapping: writes the L1 entry that maps an address in the current page tables, and
 * flushes as asked.
 *
 * The shortest way to change one mapping, so it is kept straight: walk, lock, write (page_entry.c),
 * unlock, flush. An error means that the entry is as it was, and nothing was flushed.
 */
#include <pv/hypercall.h>
#include <core/base/log.h>
#include <core/base/tlb.h>
#include <pv/page_walk.h>

static __inlined int flush_after(struct vcpu *v, gva_t va, uint64_t flags)
{
    uint64_t where = flags & ~UVMF_FLUSHTYPE_MASK;
    bool one = (flags & UVMF_FLUSHTYPE_MASK) == UVMF_INVLPG;

    if (!one && (flags & UVMF_FLUSHTYPE_MASK) != UVMF_TLB_FLUSH)
        return 0;
    if (where != UVMF_LOCAL && where != UVMF_ALL)
        return pv_flush_vcpus(v, where, one, va);
    if (where == UVMF_ALL)
        pv_flush_cpus(v, ALL_CPUS, one, va);
    else
        pv_flush_local(v, one, va);
    return 0;
}

/* Inline twice: it is each of the two. */
static __inlined int update(struct vcpu *v, gva_t va, uint64_t val, uint64_t flags,
                            struct domain *pg_owner)
{
    struct domain *d = v->domain;
    struct page_info *table = find_l1(v, va);
    const uint64_t *entry;
    int rc = -XEN_EINVAL;

    if (unlikely(!table || !page_lock(table, d)))
        return refused(rc, "update_va_mapping: no L1 entry for %#lx", va);
    entry = table_entry(table, l1_index(va));
    if (likely(table_level(READ_ONCE(table->type_info)) == 1))
        rc = write_pte(d, table, entry, READ_ONCE(*entry), val, PTE_WRITE, pg_owner);
    page_unlock(table);
    if (unlikely(rc))
        return rc;
    count_event(v, COUNTER_ptes_written);
    return flush_after(v, va, flags);
}

long do_update_va_mapping(gva_t va, uint64_t val, uint64_t flags)
{
    struct vcpu *v = current;

    if (unlikely(pv_finish_old_table(v)))
        return hypercall_create_continuation(va, val, flags);
    return update(v, va, val, flags, v->domain);
}

long do_update_va_mapping_otherdomain(gva_t va, uint64_t val, uint64_t flags, unsigned int domid)
{
    struct vcpu *v = current;
    struct domain *pg_owner;
    int rc;

    if (pv_finish_old_table(v))
        return hypercall_create_continuation(va, val, flags, domid);
    rc = get_pg_owner((domid_t)domid, &pg_owner);
    if (rc)
        return rc;
    rc = pv_translate_entry(&val, pg_owner) ?: update(v, va, val, flags, pg_owner);
    put_pg_owner(pg_owner);
    return rc;
}
