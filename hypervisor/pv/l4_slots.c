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
 * table that is loaded for user mode loses it, one that is loaded for the kernel gets it back.
 */
#include <hv/pv_mm.h>

const uint64_t *hypervisor_l4;

void pv_init_l4_slots(uint64_t *l4, const struct domain *d)
{
    for (unsigned int i = HYPERVISOR_L4_FIRST; i <= HYPERVISOR_L4_LAST; i++)
        l4[i] = hypervisor_l4[i];
    l4[PERDOMAIN_L4_SLOT] = d->arch.perdomain_l3_mfn.n << PAGE_SHIFT | PTE_PRESENT | PTE_RW |
                            PTE_ACCESSED | PTE_DIRTY | PTE_NX;
}

void pv_show_m2p(mfn_t mfn, bool show)
{
    uint64_t *l4 = map_frame(mfn), want = show ? hypervisor_l4[HYPERVISOR_L4_FIRST] : 0;

    if (l4[HYPERVISOR_L4_FIRST] != want)
        l4[HYPERVISOR_L4_FIRST] = want;
}
