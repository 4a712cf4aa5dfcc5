/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's part of each L4 table: slots 256 to 271.
 *
 * A guest's L4 is loaded into CR3 as it is, so the hypervisor must be mapped in it: its slots are
 * copied from its own L4 when a frame becomes an L4 table, and no entry in them is ever written by
 * or for a guest. Slot 260 is the domain's own: descriptor tables of its vCPUs. What stood there
 * before in the guest's frame is overwritten, as on Xen. The hypervisor's slots never change after
 * boot, so there is nothing to keep in step (XSA-64).
 *
 * Slot 256, the read-only M2P, is the one slot that guests can read. It is for guest kernels: a
 * table that is loaded for user mode loses it, one that is loaded for the kernel gets it back. M2P
 * is not global, so no TLB keeps it over the change of CR3. Race: a guest whose vCPUs use one table
 * for the kernel here and for user mode there gets what the last of them asked for, at the latest
 * when the other CPU flushes next; M2P tells its programs machine frame numbers and nothing else.
 */
#include <pv/pv_mm.h>

static void set_slot(const struct domain *d, struct page_info *l4, unsigned int slot, uint64_t val)
{
    const uint64_t *p = table_entry(l4, slot);
    uint64_t old = READ_ONCE(*p);

    if (old != val)
        set_pte(d, l4, p, old, val, PTE_WRITE);
}

void pv_init_l4_slots(const struct domain *d, struct page_info *l4)
{
    for (unsigned int i = HYPERVISOR_L4_FIRST; i <= HYPERVISOR_L4_LAST; i++)
        if (i != PERDOMAIN_L4_SLOT)
            set_slot(d, l4, i, hv_l4[i]);
    set_slot(d, l4, PERDOMAIN_L4_SLOT,
             d->arch.pv.perdomain_l3_mfn.n << PAGE_SHIFT | PTE_PRESENT | PTE_RW | PTE_ACCESSED |
                 PTE_DIRTY | PTE_NX);
}

void pv_show_m2p(const struct domain *d, mfn_t l4, bool show)
{
    set_slot(d, mfn_to_page(l4), HYPERVISOR_L4_FIRST, show ? hv_l4[HYPERVISOR_L4_FIRST] : 0);
}
