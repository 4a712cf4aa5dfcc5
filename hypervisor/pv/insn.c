/* SPDX-License-Identifier: MIT */
/*
 * An instruction of the guest that faulted and is carried out for it: how it comes in, and how the
 * guest goes on behind it.
 *
 * It is fetched once, through the guest's page tables; the guest may change it at any time, which
 * decides only what it gets done for itself (XSA-202): nothing is executed but the hypervisor's own
 * code.
 */
#include <pv/pv.h>
#include <pv/pv_bits.h>
#include <port/guest_access.h>

/* The instruction may end before the page that is missing. */
unsigned int pv_fetch_in_page(gva_t rip, uint8_t *code)
{
    unsigned int n = (unsigned int)(PAGE_SIZE - (rip & ~PAGE_MASK));

    n = MIN(n, (unsigned int)X86_INSN_MAX);
    return copy_from_guest(code, rip, n) ? 0 : n;
}

void pv_single_step(struct vcpu *v)
{
    v->arch.pv.debugreg[6] |= X86_DR6_BS;
    pv_inject_exception(v, TRAP_debug, 0, 0);
}
