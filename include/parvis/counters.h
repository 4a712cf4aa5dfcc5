/* SPDX-License-Identifier: MIT */
/*
 * The event counters: what the hypervisor counts for each vCPU, and how the control domain reads
 * it. One list, from which the hypervisor has its numbers and the tools have their words.
 *
 * A counter has 64 bits, is 0 when the vCPU is made, and is never set back. What a vCPU's kind does
 * not do stays 0. They are read one by one while the vCPU goes on, so two of them may differ by
 * what happened in between.
 *
 * Not counted: what the guest does without the hypervisor. What an event costs is not said here:
 * that docs/performance.md measures.
 */
#ifndef PARVIS_COUNTERS_H
#define PARVIS_COUNTERS_H

#include <stdint.h>

/* clang-format off */

/* Of every kind. */
#define COUNTERS_OF_ALL(X)                                                                         \
    X(switches)              /* it came onto a CPU of the machine */                               \
    X(upcalls)               /* it was told of events */                                           \
    X(timers)                /* a timer of its own went off: the hypervisor's, or its local APIC's */ \
    X(ipis)                  /* it interrupted vCPUs of its domain: by a port, or its local APIC */ \
    X(flushes_of_others)     /* other CPUs were asked to flush their TLBs, and it waited */        \
    X(grants_mapped)                                                                               \
    X(grants_copied)

/* Of paravirtual guests. */
#define COUNTERS_OF_PV(X)                                                                          \
    X(syscalls)              /* of its applications */                                              \
    X(exceptions)            /* passed on to its kernel */                                         \
    X(emulated_instructions) /* privileged ones, which were carried out for it */                  \
    X(emulated_writes)       /* to page tables, by ordinary instructions */                        \
    X(ptes_written)          /* entries of page tables, by hypercalls, emulated, and for grants */ \
    X(cr3_loads)             /* a new base table, and each change between kernel and user */       \
    X(flushes)               /* of all that is not global, that it asked for */                    \
    X(flushes_of_one)        /* address, likewise */

/* Of fully virtualized guests: exceptions, NMIs and interrupts that it was given; and why it did not
 * go on (the codes are those of hypervisor/hvm/vmcb.h; what has no counter is exit_other). */
#define COUNTERS_OF_HVM(X)                                                                         \
    X(injections)                                                                                  \
    X(exit_npt_fault)        /* memory that is none: the local APIC's registers, or a hole */      \
    X(exit_other)

#define COUNTERS_OF_EXITS(X)                                                                       \
    X(exit_interrupt,   EXIT_INTR)       /* of the machine */                                      \
    X(exit_nmi,         EXIT_NMI)        /* likewise */                                            \
    X(exit_window,      EXIT_VINTR)      /* it can take an interrupt now */                        \
    X(exit_port,        EXIT_IOIO)                                                                 \
    X(exit_msr,         EXIT_MSR)                                                                  \
    X(exit_cpuid,       EXIT_CPUID)                                                                \
    X(exit_hlt,         EXIT_HLT)                                                                  \
    X(exit_vmmcall,     EXIT_VMMCALL)                                                              \
    X(exit_iret,        EXIT_IRET)       /* of an NMI's handler, or for an interrupt that waits */  \
    X(exit_pause,       EXIT_PAUSE)      /* it spins, where others wait for its CPU */             \
    X(exit_cr4,         EXIT_CR4_READ ... EXIT_CR4_WRITE)                                          \
    X(exit_cr8,         EXIT_CR8_WRITE)                                                            \
    X(exit_debugreg,    EXIT_DR_WRITE ... EXIT_DR_WRITE + 7)                                       \
    X(exit_debug,       EXIT_EXCEPTION + TRAP_debug)                                               \
    X(exit_alignment,   EXIT_EXCEPTION + TRAP_alignment_check)                                     \
    X(exit_invd,        EXIT_INVD)                                                                 \
    X(exit_wbinvd,      EXIT_WBINVD)                                                               \
    X(exit_xsetbv,      EXIT_XSETBV)                                                               \
    X(exit_rdpmc,       EXIT_RDPMC)                                                                \
    X(exit_shutdown,    EXIT_SHUTDOWN)   /* triple fault */

/* Hypercalls, each as often as it was issued, those of a multicall too; one that gave way counts
 * again when it goes on. Here are those that have names; numbers from 64 on are not counted. */
#define COUNTERS_OF_HYPERCALLS(X)                                                                  \
    X(set_trap_table) X(mmu_update) X(set_gdt) X(stack_switch) X(set_callbacks) X(fpu_taskswitch)  \
    X(sched_op_compat) X(platform_op) X(set_debugreg) X(get_debugreg) X(update_descriptor)         \
    X(memory_op) X(multicall) X(update_va_mapping) X(set_timer_op) X(event_channel_op_compat)      \
    X(xen_version) X(console_io) X(physdev_op_compat) X(grant_table_op) X(vm_assist)               \
    X(update_va_mapping_otherdomain) X(iret) X(vcpu_op) X(set_segment_base) X(mmuext_op) X(xsm_op) \
    X(nmi_op) X(sched_op) X(callback_op) X(xenoprof_op) X(event_channel_op) X(physdev_op)          \
    X(hvm_op) X(sysctl) X(domctl) X(kexec_op) X(tmem_op) X(argo_op) X(xenpmu_op) X(dm_op)          \
    X(hypfs_op) X(mca)

enum counter {
#define COUNTER(name, ...) COUNTER_##name,
    COUNTERS_OF_ALL(COUNTER)
    COUNTERS_OF_PV(COUNTER)
    COUNTERS_OF_HVM(COUNTER)
    COUNTERS_OF_EXITS(COUNTER)
#undef COUNTER
    COUNTER_hypercall,                      /* and its number */
    NR_COUNTERS = COUNTER_hypercall + 64,
};
/* clang-format on */

/*
 * The operation: a domctl of Parvis' own, with Xen's head (xen/domctl.h: cmd, interface_version,
 * domain) and this in place of the union. Counters of the lowest numbers are written, as many as
 * there are and `nr` says; then `nr` is how many there are: a caller who knows another number of
 * them has another list. -XEN_ESRCH: no such domain, or no such vCPU.
 */
#define PARVIS_DOMCTL_counters 128
struct parvis_domctl_counters {
    uint32_t vcpu;   /* in */
    uint32_t nr;     /* in: room in values[]; out: how many counters there are */
    uint64_t values; /* in: where uint64_t values[] is */
};

#endif
