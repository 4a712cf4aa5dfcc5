/* SPDX-License-Identifier: MIT */
/*
 * The numbers that the door of paravirtual guests shares with C.
 */
#include <core/base/hypercall.h>
#include <pv/cpu.h>
#include <x86/asm-offsets.h>
#include <xen/callback.h>

static void __attribute__((used)) asm_offsets(void)
{
    VCPU(info, vcpu_info);
    VCPU(kernel_mode, arch.pv.kernel_mode);
    VCPU(nmi_pending, nmi_pending);
    VCPU(hc_nr, hc_nr);
    VCPU(hypercalls, counter[COUNTER_hypercall]);
    _Static_assert(offsetof(struct vcpu, nmi_masked) == offsetof(struct vcpu, nmi_pending) + 1,
                   "entry.asm tests both as one word");

    DEFINE(GUEST_CS32, FLAT_RING3_CS32);
    DEFINE(GUEST_CS64, FLAT_RING3_CS64);
    DEFINE(GUEST_SS, FLAT_RING3_SS64);
    DEFINE(CALLBACKTYPE_syscall, CALLBACKTYPE_syscall);
    DEFINE(CALLBACKTYPE_syscall32, CALLBACKTYPE_syscall32);

    DEFINE(NR_CPUS, NR_CPUS);
    DEFINE(SYSCALL_STUBS_SIZE, SYSCALL_STUBS_SIZE);
    DEFINE(ENTRY_HYPERCALL, (int)ENTRY_HYPERCALL);
    DEFINE(NR_HYPERCALLS, NR_HYPERCALLS);
    DEFINE(ENOSYS, XEN_ENOSYS);
    DEFINE(ERESTART, XEN_ERESTART);
}
