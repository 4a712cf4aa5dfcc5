/* SPDX-License-Identifier: MIT */
/*
 * Direct paging of paravirtual guests: page types, checked page-table updates, M2P. pv/page_*.c,
 * pv/mmu*.c
 *
 * A guest's page tables are its own memory, holding machine addresses. The hypervisor lets a table
 * be used only after its type has been checked, and makes every later write itself (pv/set_pte.h).
 * Invariants: pv/page_type.c.
 */
#ifndef PV_MM_H
#define PV_MM_H

#include <core/frame/frame.h>
#include <core/state/domain.h>
#include <hv/x86_bits.h>

/* Types of frames (type_info): page tables, and pages of descriptor tables. */
#define PGT_l1_page_table (1ull << PGT_type_shift)
#define PGT_l2_page_table (2ull << PGT_type_shift)
#define PGT_l3_page_table (3ull << PGT_type_shift)
#define PGT_l4_page_table (4ull << PGT_type_shift)
#define PGT_seg_desc_page (5ull << PGT_type_shift)
/* Bits of type_info beside type, count and PGT_validated. */
#define PGT_pinned (1ull << 60) /* the domain pinned it: one type, one general reference */
/* Pre-empted half way: entries [0, nr_validated) hold references */
#define PGT_partial (1ull << 58)
#define PGT_locked  (1ull << 57) /* page_lock(): one writer at a time */

/* Slot 260: per domain. Each vCPU has 32 pages: 16 of its GDT, 16 of its LDT. */
#define PERDOMAIN_L4_SLOT    260
#define PERDOMAIN_START      0xffff820000000000ull
#define PERDOMAIN_VCPU_BYTES (32ull * 4096)
#define PERDOMAIN_LDT_OFFSET (16ull * 4096)

/* Where v's part begins: its GDT; its LDT is PERDOMAIN_LDT_OFFSET further on. */
static inline uint64_t perdomain_area(const struct vcpu *v)
{
    return PERDOMAIN_START + v->vcpu_id * PERDOMAIN_VCPU_BYTES;
}

#define HYPERVISOR_L4_FIRST 256
#define HYPERVISOR_L4_LAST  271

#define PTE_GUEST_KERNEL (1ull << 52) /* set by us: a kernel page of the guest (not global) */

static inline mfn_t pte_mfn(uint64_t pte)
{
    return MFN((pte & PTE_FRAME_MASK) >> PAGE_SHIFT);
}

/* --- page types (pv/page_type.c) --- */
/* Takes a type reference; promotes (checks the contents) when the count was 0. 0, -XEN_EINVAL
 * (wrong type or bad contents; logged), -XEN_ERESTART (pre-empted: progress kept in the frame; call
 * again). The caller holds a general reference. */
int __must_check get_page_type(struct page_info *pg, uint64_t type, struct domain *d);
/* Never pre-empted: the type is writable or seg_desc */
void put_page_type(struct page_info *pg);
int __must_check put_page_type_preemptible(struct page_info *pg, struct domain *d);
/* Both references, PGT_writable_page */
bool __must_check get_page_and_writable(struct page_info *pg, struct domain *d);
void put_page_and_type(struct page_info *pg);
/* Both, of a table. -XEN_ERESTART: the references are gone, but it is left half undone:
 * resume_demotion(). */
int __must_check put_page_and_type_preemptible(struct page_info *pg, struct domain *d);
/* The same, but undoing it may be put off: pv_finish_old_table() goes on with it. */
void put_table(struct domain *d, mfn_t mfn);
/* A domain's own page tables: takes the L4 as v's kernel or user table (general + type reference).
 */
int __must_check pv_get_base_table(struct domain *d, mfn_t l4);

/* MMUEXT_PIN_Ln_TABLE for the hypervisor itself (pv/build.c): type is PGT_lN_page_table.
 * -XEN_ERESTART: again. (pv/mmuext.c) */
int __must_check pv_pin_table(struct domain *d, mfn_t mfn, uint64_t type);

/* Goes on with undoing a table that v put off (arch.pv.old_guest_table). 0 or -XEN_ERESTART. Each
 * mmu hypercall calls it first. */
int __must_check pv_finish_put_off(struct vcpu *v);
static inline int __must_check pv_finish_old_table(struct vcpu *v)
{
    return unlikely(v->arch.pv.old_guest_table[0].n) ? pv_finish_put_off(v) : 0;
}

/* --- entries (pv/page_entry.c) --- */
/* References for what an L1 entry maps: page owned by pg_owner (foreign mapping) or I/O memory that
 * d may touch. 0, -XEN_E*. */
int __must_check get_page_from_l1e(uint64_t *l1e, struct domain *l1_owner, struct domain *pg_owner);
void put_page_from_l1e(uint64_t l1e, struct domain *l1_owner);
/* The same for the first n entries of a table that nothing refers to any more: no CPU can load them
 * again, so what has to be flushed for them is flushed once. */
void put_pages_from_l1(const uint64_t *table, unsigned int n, struct domain *l1_owner);

/* Writable page tables: a write fault on an L1 page of the guest; true when it was emulated.
 * (pv/ptwr.c) */
bool pv_ptwr_fault(struct vcpu *v, uint64_t cr2);

/* Fills the hypervisor's slots of a new L4 of d. */
void pv_init_l4_slots(const struct domain *d, struct page_info *l4);
/* Whether what runs on this L4 table of d can read M2P. */
void pv_show_m2p(const struct domain *d, mfn_t l4, bool show);

#endif
