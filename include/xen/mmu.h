/* SPDX-License-Identifier: MIT */
/*
 * Page tables of a PV guest: mmu_update, update_va_mapping, mmuext_op.
 *
 * A PV guest sees machine frame numbers in its own page tables and the CPU walks those very
 * tables. What keeps it from mapping what is not its own is a rule about frames: a frame in use
 * as a page table is never writable by the guest, and each entry is checked when it is written.
 * So each frame has a type (none, writable, L1..L4, descriptor table) with a count, a frame can
 * change type only when the count is zero, and the guest changes entries by the calls below, or
 * by plain writes that the hypervisor emulates under the same check (VMASST writable_pagetables).
 *
 * "ptr" is the machine address of a page-table entry, with the command in its low two bits.
 * Errors common to all three: -XEN_EINVAL for an entry that would map a frame of someone else,
 * map a page table writable, carry reserved bits, or touch the hypervisor's own L4 slots;
 * -XEN_EBUSY-like type conflicts also answer -XEN_EINVAL.
 *
 * Not offered: superpage marks, linear (recursive) page-table entries, auto-translated guests.
 *
 * The life of a page-table page, as a kernel drives it:
 *
 *     1  it is an ordinary page, mapped writable in the kernel's direct map; fill it
 *     2  update_va_mapping(address, entry without the write bit, UVMF_INVLPG): now there is no
 *        writable mapping left
 *     3  mmu_update: put it into the table above (or pin it): now it is checked, entry by entry,
 *        and has the type of its level as long as somebody refers to it as such
 *     4  changes by mmu_update, update_va_mapping, or a plain store that is emulated
 *     5  take it out of the table above, unpin it: the type's count is 0
 *     6  update_va_mapping back to writable: it is an ordinary page again
 *
 * Step 3 is refused while any writable mapping of the page is left, anywhere, of any
 * vCPU: that is the error that authors of guests meet most. The log names the frame.
 *
 * What an entry may hold, by level:
 *
 *     L4, L3, L2   the mfn of a table of the level below, of the same domain; no page size bit
 *                  (no large pages), no global bit, no cache attributes
 *     L1           the mfn of a page of the domain; writable only if that page is not a page
 *                  table and not a descriptor table. Frames of others: with DOMID_IO those that
 *                  are not RAM (for who may), with another domain's number those that the
 *                  caller controls
 *     any          not present: whatever the guest likes; the CPU does not look
 *     bits 9-11    free for the guest's own use
 *
 *     L4 slots 256 to 271 are the hypervisor's. Those of a new table are filled in by it when
 *     the page becomes an L4 table, and what the guest wrote there does not count.
 *
 * Accessed and dirty bits are set by the CPU at any time. A kernel that changes an
 * entry's protection and does not want to lose them uses MMU_PT_UPDATE_PRESERVE_AD, or
 * reads and clears by compare-and-exchange and writes what came (which is emulated).
 *
 * Flushing: the hypervisor flushes by itself what its own safety needs (a page that
 * stops being a page table, a page that goes back to the heap). What the guest's own
 * sense of its address space needs, it must ask for: after clearing a present entry,
 * or taking rights away, flush the address on the vCPUs that use the table, as on bare
 * hardware. After adding rights no flush is needed.
 *
 * Switching to another program's tables: NEW_BASEPTR and NEW_USER_BASEPTR, both
 * level-4 frames. A frame that is pinned is taken at once; one that is not is checked
 * first, all of it, which may be long. So kernels pin when they make an address space
 * and unpin when they take it apart.
 *
 * A first table of one's own, in C, with the domain's initial tables still loaded:
 *
 *     unsigned long l4 = a page; memset(l4, 0, 4096);
 *     l4[entry of the kernel] = mfn(l3) << 12 | PRESENT | WRITE | USER | ACCESSED;
 *     make l4, l3, l2, l1 read-only by update_va_mapping;
 *     struct mmuext_op op = {.cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = mfn(l4)};
 *     mmuext_op(&op, 1, NULL, DOMID_SELF);
 *     op.cmd = MMUEXT_NEW_BASEPTR;
 *     mmuext_op(&op, 1, NULL, DOMID_SELF);
 */
#ifndef XEN_MMU_H
#define XEN_MMU_H

#include <xen/types.h>

/*
 * mmu_update(struct mmu_update *reqs, unsigned int count, unsigned int *done, domid_t foreign):
 * carries out the requests in order until one fails. *done, when not null, receives how many were
 * carried out. The low 16 bits of `foreign` name the domain whose frames the new entries may map
 * (DOMID_SELF, DOMID_IO, or a domain that the caller controls); the high 16 bits, when not zero,
 * are 1 + the domain that owns the page table. Returns 0 or the error of the first that failed.
 *
 * All requests of a call are about the same two domains. The same entry may stand in
 * several requests, which are done in their order. A request that leaves the entry as
 * it is costs a check and is no error.
 *
 *     struct mmu_update u[2] = {
 *         {.ptr = mfn(l1) * 4096 + 8 * i | MMU_NORMAL_PT_UPDATE, .val = entry},
 *         {.ptr = mfn * 4096 | MMU_MACHPHYS_UPDATE, .val = pfn},
 *     };
 *     unsigned int done;
 *     rc = mmu_update(u, 2, &done, DOMID_SELF);
 *
 * When it fails, `done` tells which request it was: u[done]. Those before it hold.
 */
struct mmu_update {
    /* machine address of the entry | command in bits 0..1 */
    uint64_t ptr;
    uint64_t val; /* new contents */
};
typedef struct mmu_update mmu_update_t;

#define MMU_NORMAL_PT_UPDATE       0 /* *ptr = val, checked */
#define MMU_MACHPHYS_UPDATE        1 /* M2P: the frame of ptr now has pfn `val` */
#define MMU_PT_UPDATE_PRESERVE_AD  2 /* *ptr = val, keeping accessed and dirty set, atomically */
#define MMU_PT_UPDATE_NO_TRANSLATE 3 /* as NORMAL (differs only in auto-translated guests) */

/*
 * update_va_mapping(unsigned long va, uint64_t entry, unsigned long flags): writes the level-1
 * entry that maps va in the current page table, then flushes as the flags say: the type in bits
 * 0..1, the CPUs in the rest: UVMF_LOCAL, UVMF_ALL, or the address of a bitmap of vCPUs (a
 * pointer is 8-aligned, so it can share the word). Returns 0; -XEN_EINVAL when there is no such
 * entry or the new one fails the check.
 * update_va_mapping_otherdomain takes the owner of the mapped frame as a fourth argument.
 *
 * It is mmu_update and a flush in one call, by the address instead of the entry's
 * place: the cheapest way to change one mapping. The level-1 table must be there;
 * tables above are the kernel's to make.
 *
 *     update_va_mapping(va, mfn << 12 | flags, UVMF_INVLPG | UVMF_LOCAL);   one vCPU uses the table
 *     update_va_mapping(va, 0, UVMF_INVLPG | UVMF_ALL);                     all of them
 */
#define UVMF_NONE           (0UL << 0) /* flush nothing */
#define UVMF_TLB_FLUSH      (1UL << 0) /* flush all of the TLB */
#define UVMF_INVLPG         (2UL << 0) /* flush the one address */
#define UVMF_FLUSHTYPE_MASK (3UL << 0)
#define UVMF_MULTI          (0UL << 2) /* on the vCPUs of the bitmap whose address is or-ed in */
#define UVMF_LOCAL          (0UL << 2) /* on this CPU: no address */
#define UVMF_ALL            (1UL << 2) /* on all CPUs that run this domain */

/*
 * mmuext_op(struct mmuext_op *ops, unsigned int count, unsigned int *done, domid_t foreign):
 * carries out `count` operations in order; *done and the result as for mmu_update. `foreign` is
 * the owner of the frames that are named (DOMID_SELF except for pin and unpin by the domain
 * builder, and clear/copy of another domain's page).
 *
 * PIN_Ln_TABLE     mfn: type the frame as a page table of level n and hold that type until it is
 *                  unpinned, so that it can be loaded without a check.
 * UNPIN_TABLE      mfn: gives the hold back. -XEN_EINVAL if it was not pinned.
 * NEW_BASEPTR      mfn: load CR3 with this level-4 table (kernel mode). Flushes the TLB.
 * NEW_USER_BASEPTR mfn: the table used while the guest is in user mode; 0 means none.
 * TLB_FLUSH_*      LOCAL this CPU; MULTI the vCPUs of the bitmap `vcpumask`; ALL of the domain.
 * INVLPG_*         linear_addr: the same, for one address.
 * FLUSH_CACHE      write back and invalidate the caches. Only for a domain that has device
 *                  memory, else -XEN_EACCES.
 * SET_LDT          linear_addr: page-aligned address of the local descriptor table, nr_ents its
 *                  length, up to 8192; 0 entries removes it.
 * CLEAR_PAGE       mfn: fill with zeros a page that the domain owns.
 * COPY_PAGE        mfn, src_mfn: copy the one page to the other.
 * FLUSH_CACHE_GLOBAL  as FLUSH_CACHE, on all CPUs.
 * MARK_SUPER, UNMARK_SUPER  superpages: refused with -XEN_EOPNOTSUPP.
 */
#define MMUEXT_PIN_L1_TABLE       0
#define MMUEXT_PIN_L2_TABLE       1
#define MMUEXT_PIN_L3_TABLE       2
#define MMUEXT_PIN_L4_TABLE       3
#define MMUEXT_UNPIN_TABLE        4
#define MMUEXT_NEW_BASEPTR        5
#define MMUEXT_TLB_FLUSH_LOCAL    6
#define MMUEXT_INVLPG_LOCAL       7
#define MMUEXT_TLB_FLUSH_MULTI    8
#define MMUEXT_INVLPG_MULTI       9
#define MMUEXT_TLB_FLUSH_ALL      10
#define MMUEXT_INVLPG_ALL         11
#define MMUEXT_FLUSH_CACHE        12
#define MMUEXT_SET_LDT            13
#define MMUEXT_NEW_USER_BASEPTR   15
#define MMUEXT_CLEAR_PAGE         16
#define MMUEXT_COPY_PAGE          17
#define MMUEXT_FLUSH_CACHE_GLOBAL 18
#define MMUEXT_MARK_SUPER         19
#define MMUEXT_UNMARK_SUPER       20

/*
 * Operations of one call are done in order, and each sees what those before it did. A
 * flush is carried out before the call returns: on the other vCPUs' CPUs, those that
 * run at that moment; one that does not run has nothing of the domain's in a TLB that
 * it could still use.
 *
 * vcpumask is an array of words of 64 bits in the caller's memory, bit n of it for
 * vCPU n, as many words as the domain's vCPUs need; the caller's own bit may be set.
 */
struct mmuext_op {
    unsigned int cmd; /* MMUEXT_* */
    union {
        /* PIN_*, UNPIN, *BASEPTR, CLEAR_PAGE, COPY_PAGE (destination) */
        xen_pfn_t mfn;
        unsigned long linear_addr; /* INVLPG_*, SET_LDT */
    } arg1;
    union {
        unsigned int nr_ents; /* SET_LDT */
        /* *_MULTI: unsigned long[], bit per vCPU */
        xen_guest_handle_t vcpumask;
        xen_pfn_t src_mfn; /* COPY_PAGE */
    } arg2;
};
typedef struct mmuext_op mmuext_op_t;

#endif /* XEN_MMU_H */
