/* SPDX-License-Identifier: MIT */
/*
 * Direct paging, between its own files in pv/: levels and types, what bits an entry may have, the
 * parts of an entry's change. Everyone else uses pv/mm.h.
 */
#ifndef PV_PV_MM_H
#define PV_PV_MM_H

#include <core/base/count.h>
#include <core/base/hypercall.h>
#include <core/base/tlb.h>
#include <core/domain/domain_pages.h>
#include <pv/page_ref.h>
#include <pv/set_pte.h>

/* MMU_UPDATE_PREEMPTED: bit of `count` in a re-issued mmu_update or mmuext_op. */
#define MMU_UPDATE_PREEMPTED 0x80000000u
/* The result of these hypercalls: rc, or what they go on with. */
static inline long mmu_conclude(struct vcpu *v, long rc, gva_t list, unsigned int left, gva_t pdone,
                                unsigned int foreigndom)
{
    if (unlikely(rc == -XEN_ERESTART))
        return hypercall_create_continuation(list, left | MMU_UPDATE_PREEMPTED, pdone, foreigndom);
    if (unlikely(v->arch.pv.old_guest_table[0].n))
        return hypercall_create_continuation(0, MMU_UPDATE_PREEMPTED, 0, (uint32_t)rc);
    return rc;
}

/* Of the caller's own frames, with nobody to be told and nothing to go on with first: kernels
 * mostly ask so, and it needs no batch. */
static inline bool is_plain(const struct vcpu *v, gva_t pdone, unsigned int foreigndom)
{
    return likely(!((foreigndom ^ DOMID_SELF) | pdone | v->arch.pv.old_guest_table[0].n));
}

#define PTE_AVAIL_HIGH (0x7ffull << 52)
/* The memory type: PAT, PCD, PWT index the PAT MSR. */
#define PTE_CACHE (PTE_PAT | PTE_PCD | PTE_PWT)
/*
 * XSA-148, XSA-182: what may change in an entry without a new check is a list of what is allowed,
 * not of what is forbidden. Everything else affects translation, caching or rights: the frame,
 * PRESENT, RW, the memory type, PSE.
 */
#define PTE_FAST_BITS                                                                              \
    (PTE_NX | PTE_AVAIL_HIGH | PTE_AVAIL | PTE_GLOBAL | PTE_DIRTY | PTE_ACCESSED | PTE_USER)
/* What an entry that refers to a table may not have: PSE (superpages: XSA-148, XSA-167), and what
 * is the hypervisor's to choose. */
#define PTE_UPPER_DISALLOWED (PTE_CACHE | PTE_GLOBAL)

/* Most tables have few entries: so many are looked at at once. */
#define PIECE 64u
#define FEW   8u
static inline bool are_empty(const uint64_t *e, unsigned int n)
{
    uint64_t any = 0;

#pragma GCC unroll 64
    for (unsigned int i = 0; i < n; i++)
        any |= e[i];
    return !any;
}

static inline bool is_hypervisor_slot(unsigned int level, unsigned int index)
{
    unsigned int first = level == 4 ? HYPERVISOR_L4_FIRST : TABLE_ENTRIES;

    return index - first <= HYPERVISOR_L4_LAST - HYPERVISOR_L4_FIRST;
}

/* Only a domain with hardware has a use for memory types. */
static inline uint64_t l1_disallowed(const struct domain *d)
{
    return d->is_control ? 0 : PTE_CACHE;
}

/*
 * Guest kernel and guest user both run in ring 3, so every present entry gets USER. A kernel page
 * is marked so and is not global; user pages are global, so that a switch from user to kernel and
 * back keeps them in the TLB.
 */
static inline uint64_t adjust_l1e(uint64_t e)
{
    if (!(e & PTE_USER))
        e |= PTE_GUEST_KERNEL | PTE_USER;
    if (!(e & PTE_GUEST_KERNEL))
        e |= PTE_GLOBAL | PTE_USER;
    return e;
}

/* An address that a guest may have mapped: canonical, and not the hypervisor's. */
static inline bool pv_addr_ok(gva_t va)
{
    return va < (1ull << 47) || va >= (~0ull << 47) + ((HYPERVISOR_L4_LAST + 1 - 256ull) << 39);
}

/* --- page_promote.c: the contents of a table --- */
/* Takes (gives back) the references of the entries from (down to) where pg->nr_validated says. */
int __must_check promote_contents(struct page_info *pg, uint64_t type, struct domain *d);
int __must_check demote_contents(struct page_info *pg, uint64_t type, struct domain *d);

/* --- page_type.c --- */
/* If pg is a table whose undoing (or promotion) was pre-empted and that nobody took up since, goes
 * on undoing it. 0 or -XEN_ERESTART. */
int __must_check resume_demotion(struct page_info *pg, struct domain *d);
/* Remembers pg (its undoing was pre-empted) for pv_finish_old_table() of the current vCPU. */
void defer_demotion(struct page_info *pg, struct domain *d);

/* --- pin.c --- */
/* 0 or -XEN_EINVAL; what is long is put off */
int __must_check pv_unpin_table(struct domain *d, mfn_t mfn);
/* Gives a pin back, if there is one. -XEN_ERESTART: undoing the table was pre-empted. */
int __must_check drop_pin(struct page_info *pg, struct domain *d);

/* --- page_entry.c --- */
/* A frame that is held gets the type too, or is held no more. */
int __must_check get_upper_type(struct page_info *pg, uint64_t type, struct domain *d);

/* References for an entry of a level 2 to 4 table; -XEN_ERESTART possible.
 * put_page_and_type_preemptible() or put_table() gives them back. */
static inline int __must_check get_page_from_upper(uint64_t e, unsigned int level, struct domain *d)
{
    struct page_info *pg = mfn_to_page_nospec(pte_mfn(e));

    /* XSA-109, 217: only d's own memory, whoever asks. */
    if (unlikely((e & PTE_UPPER_DISALLOWED) || !mfn_in_table(pte_mfn(e)) || !get_page_now(pg, d)))
        return -XEN_EINVAL;
    /* XSA-240, 286: a table of the same level (a linear page table) has another type than is asked
     * for here. */
    return likely(take_type(pg, table_type(level - 1)))
               ? 0
               : get_upper_type(pg, table_type(level - 1), d);
}

/* Changes an entry of a table of d, whose type is type_info's and whose page_lock the caller holds:
 * checks it, takes the new references, writes it, drops the old ones. old: what the entry is, or
 * for PTE_WRITE_IF_SAME must be. 0, -XEN_EAGAIN (it is not), -XEN_E*. */
int __must_check write_pte(struct domain *d, struct page_info *table, const uint64_t *entry,
                           uint64_t old, uint64_t val, enum pte_write how, struct domain *pg_owner);

/* --- base_table.c: what v runs on. 0, -XEN_EINVAL, -XEN_ERESTART (nothing was changed: again). ---
 */
int __must_check pv_new_kernel_table(struct vcpu *v, mfn_t mfn);
int __must_check pv_new_user_table(struct vcpu *v, mfn_t mfn); /* frame 0: none */

/* --- flush.c --- */
/* Flushes all (or, with one, the address va) on the CPUs of the vCPUs in the guest's bitmap at
 * `mask`. 0 or -XEN_EFAULT. */
int __must_check pv_flush_vcpus(struct vcpu *v, gva_t mask, bool one, gva_t va);

/* The same on those of the CPUs where v's domain runs; and here. */
void pv_flush_cpus(struct vcpu *v, uint64_t cpus, bool one, gva_t va);

static inline void pv_flush_local(struct vcpu *v, bool one, gva_t va)
{
    count_event(v, one ? COUNTER_flushes_of_one : COUNTER_flushes);
    if (!one)
        flush_tlb_local();
    else if (pv_addr_ok(va)) /* XSA-279: only what can have been mapped by the guest */
        flush_tlb_one_local(va);
}

/* --- foreign.c: the domain that the foreigndom argument names, for use as owner of frames --- */
int __must_check get_pg_owner(domid_t id, struct domain **out);
/* The frame that is meant by a number, when it is owner's: INVALID_MFN, or not looked at yet. */
mfn_t pv_frame_of(const struct domain *owner, uint64_t number);
/* An L1 entry that names a frame of owner's so: as the machine does. 0, -XEN_EINVAL. */
int __must_check pv_translate_entry(uint64_t *e, const struct domain *owner);
void put_pg_owner(struct domain *d);

/* XSA-273: whether an entry that is not present names RAM, on CPUs where that is no small matter.
 * Not frame 0, which holds nothing, and which an empty entry names. */
static inline bool absent_names_ram(const struct domain *d, uint64_t e)
{
    uint64_t at = e & absent_frame_bits;

    return unlikely(at) && at >> PAGE_SHIFT <= max_mfn && !d->is_control;
}
int __must_check refused_absent(uint64_t e, unsigned int level); /* -XEN_EINVAL */

#endif
