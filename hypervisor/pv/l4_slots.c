/* SPDX-License-Identifier: MIT */
/*
 * The hypervisor's part of each L4 table: slots 256 to 271.
 *
 * A guest's L4 is loaded into CR3 as it is, so the hypervisor must be mapped in it: its slots are copied from its own L4 when a frame becomes an
 * L4 table, and no entry in them is ever written by or for a guest. Slot 260 is the domain's own: descriptor tables of its
 * vCPUs. What stood there before in the guest's frame is overwritten, as on Xen. The hypervisor's slots never change after
 * boot, so there is nothing to keep in step (XSA-64).
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
