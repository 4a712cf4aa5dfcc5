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
static bool __noinline fetch_in_page(gva_t rip, struct x86_insn *in)
{
    unsigned int n = (unsigned int)(PAGE_SIZE - (rip & ~PAGE_MASK));
    uint8_t code[X86_INSN_MAX];

    n = MIN(n, (unsigned int)X86_INSN_MAX);
    return !copy_from_guest(code, rip, n) && x86_decode(code, n, in);
}

bool pv_fetch_insn(struct vcpu *v, struct x86_insn *in)
{
    uint8_t code[X86_INSN_MAX + 1] __uninitialized; /* two words are copied sooner than 15 bytes */

    if (unlikely(copy_from_guest(code, v->regs.rip, sizeof(code))))
        return fetch_in_page(v->regs.rip, in);
    return x86_decode(code, sizeof(code), in);
}

void pv_single_step(struct vcpu *v)
{
    v->arch.pv.debugreg[6] |= X86_DR6_BS;
    pv_inject_exception(v, TRAP_debug, 0, false);
}
