/* SPDX-License-Identifier: MIT */
/*
 * Writes of debug registers, which exit for QEMU's sake. A CPU has no breakpoints when VMRUN has
 * ended; QEMU has those that the guest set by instructions of its own: at addresses of the
 * hypervisor, or of whoever runs next. It does not set them when VMRUN loads DR7. So it is VMRUN
 * that loads all of them: on a CPU a guest's breakpoints work, with QEMU they are never met.
 */
#include <hv/x86_bits.h>
#include <hvm/cpu.h>
#include <hvm/hvm.h>

#define DR7_WRITABLE 0xffff23fful

/* DR0 to DR3 are loaded while v is; DR7 is in the VMCB. */
void hvm_exit_dr(struct vcpu *v)
{
    struct vmcb *b = vmcb_of(v);
    unsigned int n = (unsigned int)b->control.exit_code - EXIT_DR_WRITE;
    uint64_t value = 0;
    unsigned int length = hvm_mov(v, MOV_TO_DR, n, &value);

    if (!length)
        return;
    if (n == 5 && (b->save.cr4 & X86_CR4_DE)) {
        hvm_inject_exception(v, TRAP_invalid_op, NO_CODE);
        return;
    }
    if (n > 3 && value >> 32) {
        hvm_inject_exception(v, TRAP_gp_fault, 0);
        return;
    }
    if (n < 4)
        hvm_cpu_write_dr(n, value);
    else
        b->save.dr7 = (value & DR7_WRITABLE) | X86_DR7_DEFAULT;
    hvm_skip(v, length);
}
