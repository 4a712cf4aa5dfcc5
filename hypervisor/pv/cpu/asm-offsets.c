/* SPDX-License-Identifier: MIT */
/*
 * The numbers that the door of paravirtual guests shares with C.
 */
#include <core/base/hypercall.h>
#include <hv/x86_bits.h>
#include <pv/cpu.h>
#include <pv/pv.h>
#include <x86/asm-offsets.h>
#include <xen/callback.h>

static void __attribute__((used)) asm_offsets(void)
{
    VCPU(info, vcpu_info);
    VCPU(guest_table, arch.pv.guest_table);
    VCPU(guest_table_user, arch.pv.guest_table_user);
    VCPU(cr3, arch.pv.cr3);
    VCPU(kernel_sp, arch.pv.kernel_sp);
    VCPU(syscall_callback, arch.pv.callback[CALLBACKTYPE_syscall].address);
    VCPU(syscall_disables_events, arch.pv.callback[CALLBACKTYPE_syscall].disables_events);
    VCPU(areas_stale, areas_stale);
    _Static_assert(offsetof(struct vcpu, in_multicall) == offsetof(struct vcpu, nmi_masked) + 1,
                   "bounce.asm clears both as one word");
    VCPU(nmi_masked, nmi_masked);
    VCPU(syscalls, counter[COUNTER_syscalls]);
    VCPU(cr3_loads, counter[COUNTER_cr3_loads]);
    DEFINE(DOMAIN_vm_assist, offsetof(struct domain, vm_assist));
    DEFINE(ARCHITECTURAL_IOPL, 1u << VMASST_TYPE_architectural_iopl);
    VCPU(kernel_mode, arch.pv.kernel_mode);
    VCPU(nmi_pending, nmi_pending);
    VCPU(hc_nr, hc_nr);
    VCPU(hypercalls, counter[COUNTER_hypercall]);
    _Static_assert(offsetof(struct vcpu, nmi_masked) == offsetof(struct vcpu, nmi_pending) + 1,
                   "entry.asm tests both as one word");

    DEFINE(GUEST_CS32, FLAT_RING3_CS32);
    DEFINE(GUEST_CS64, FLAT_RING3_CS64);
    DEFINE(GUEST_SS, FLAT_RING3_SS64);
    DEFINE(KERNEL_CS, FLAT_KERNEL_CS);
    DEFINE(KERNEL_SS, FLAT_KERNEL_SS);
    DEFINE(X86_EFLAGS_IF, X86_EFLAGS_IF);
    DEFINE(X86_EFLAGS_IOPL, X86_EFLAGS_IOPL);
    DEFINE(X86_EFLAGS_VM, X86_EFLAGS_VM);
    DEFINE(X86_EFLAGS_ALWAYS, X86_EFLAGS_ALWAYS);
    DEFINE(BOUNCE_ERROR_CODE, BOUNCE_ERROR_CODE);
    DEFINE(BOUNCE_MASK_EVENTS, BOUNCE_MASK_EVENTS);
    _Static_assert(BOUNCE_MASK_EVENTS == true, "what a callback's disables_events is");
    DEFINE(FLAGS_CLEARED_BY_BOUNCE, FLAGS_CLEARED_BY_BOUNCE);
    DEFINE(VGCF_in_syscall, VGCF_in_syscall);
    DEFINE(CALLBACKTYPE_syscall, CALLBACKTYPE_syscall);
    DEFINE(CALLBACKTYPE_syscall32, CALLBACKTYPE_syscall32);

    DEFINE(NR_CPUS, NR_CPUS);
    DEFINE(SYSCALL_STUBS_SIZE, SYSCALL_STUBS_SIZE);
    DEFINE(ENTRY_HYPERCALL, (int)ENTRY_HYPERCALL);
    DEFINE(NR_HYPERCALLS, NR_HYPERCALLS);
    _Static_assert((NR_HYPERCALLS & (NR_HYPERCALLS - 1)) == 0, "entry.asm masks a number so");
    DEFINE(ENOSYS, XEN_ENOSYS);
    DEFINE(ERESTART, XEN_ERESTART);
}
