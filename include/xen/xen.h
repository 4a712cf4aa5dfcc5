/* SPDX-License-Identifier: MIT */
/*
 * The root of the guest ABI: hypercall numbers, virtual interrupts, domain identifiers,
 * multicall, console output, VM assists.
 *
 * How a call is made (x86-64 PV): number in rax, arguments in rdi, rsi, rdx, r10, r8, r9;
 * `syscall` from guest kernel mode; result in rax, 0 or more is success, -XEN_E* an error. rcx
 * and r11 are destroyed, all else is kept. Entry 'n' of the hypercall page (filled by the
 * hypervisor where the ELF note or the domctl asked for it, 32 bytes an entry) does exactly that
 * for number n. A number that does not exist answers -XEN_ENOSYS.
 *
 * Only the guest's kernel can make hypercalls: `syscall` from guest user mode goes to the
 * guest's own system-call entry.
 *
 * What a call may return besides the errors named beside it:
 *   -XEN_EFAULT   an argument structure could not be read, or a result not written back
 *   -XEN_ENOSYS   unknown hypercall or sub-operation
 *   -XEN_EPERM    the operation is the control domain's, or is about a domain that the caller
 *                 does not control
 *   -XEN_ESRCH    the domain identifier names nobody
 * These four are not repeated everywhere.
 *
 * Long operations may be interrupted by the hypervisor, which then makes the guest re-issue the
 * same call with its arguments advanced. Guests do not see this, except that their argument
 * structures may be changed while a call is in progress.
 *
 * A call of four arguments from C, as a guest writes it (the others are alike):
 *
 *     long r;
 *     register long a4 asm("r10") = fourth;
 *     asm volatile("syscall" : "=a"(r) : "a"(number), "D"(first), "S"(second), "d"(third),
 *                  "r"(a4) : "rcx", "r11", "memory");
 *
 * Through the hypercall page the same is `call page + number * 32`: a guest that does
 * so also runs where the instruction of entry is another one.
 *
 * Every address in an argument is a virtual address of the caller, in the page table
 * that it runs on. The hypervisor copies what stands there once, decides by its copy,
 * and writes results back at the end: to change a structure while the call runs
 * changes nothing. A page that is not mapped is not an error of the guest's page fault
 * handler: the call answers -XEN_EFAULT, so a kernel touches what it swaps before it
 * passes it.
 *
 * What a guest needs first, in the order in which it meets it: start_info.h (how it is
 * entered), this file (calls), arch-x86/xen.h (traps), callback.h and event_channel.h
 * (events), mmu.h (page tables), sched.h and vcpu.h (time, sleeping, more vCPUs),
 * grant_table.h and io/ (devices).
 */
#ifndef XEN_XEN_H
#define XEN_XEN_H

#include <xen/types.h>
#include <xen/arch-x86/xen.h>

/*
 * Hypercall numbers. In the margin: who may call (A any domain, C the control domain, D the
 * control domain or one that controls the target, - nobody: -XEN_ENOSYS) and the header that
 * describes it.
 */
#define __HYPERVISOR_set_trap_table                0  /* A arch-x86/xen.h */
#define __HYPERVISOR_mmu_update                    1  /* A mmu.h */
#define __HYPERVISOR_set_gdt                       2  /* A arch-x86/xen.h */
#define __HYPERVISOR_stack_switch                  3  /* A arch-x86/xen.h */
#define __HYPERVISOR_set_callbacks                 4  /* A callback.h */
#define __HYPERVISOR_fpu_taskswitch                5  /* A arch-x86/xen.h */
#define __HYPERVISOR_sched_op_compat               6  /* A sched.h; the oldest form */
#define __HYPERVISOR_platform_op                   7  /* C platform.h */
#define __HYPERVISOR_set_debugreg                  8  /* A arch-x86/xen.h */
#define __HYPERVISOR_get_debugreg                  9  /* A arch-x86/xen.h */
#define __HYPERVISOR_update_descriptor             10 /* A arch-x86/xen.h */
#define __HYPERVISOR_memory_op                     12 /* A, some C; memory.h */
#define __HYPERVISOR_multicall                     13 /* A here */
#define __HYPERVISOR_update_va_mapping             14 /* A mmu.h */
#define __HYPERVISOR_set_timer_op                  15 /* A sched.h */
#define __HYPERVISOR_event_channel_op_compat       16 /* - event_channel.h; form of before 2006 */
#define __HYPERVISOR_xen_version                   17 /* A version.h */
#define __HYPERVISOR_console_io                    18 /* A write, C read; here */
#define __HYPERVISOR_physdev_op_compat             19 /* - physdev.h; form of before 2006 */
#define __HYPERVISOR_grant_table_op                20 /* A grant_table.h */
#define __HYPERVISOR_vm_assist                     21 /* A here */
#define __HYPERVISOR_update_va_mapping_otherdomain 22 /* D mmu.h */
#define __HYPERVISOR_iret                          23 /* A arch-x86/xen-x86_64.h */
#define __HYPERVISOR_vcpu_op                       24 /* A vcpu.h */
#define __HYPERVISOR_set_segment_base              25 /* A arch-x86/xen-x86_64.h */
#define __HYPERVISOR_mmuext_op                     26 /* A mmu.h */
#define __HYPERVISOR_xsm_op                        27 /* - security modules: none here */
#define __HYPERVISOR_nmi_op                        28 /* - nmi.h; callback_op does the same */
#define __HYPERVISOR_sched_op                      29 /* A sched.h */
#define __HYPERVISOR_callback_op                   30 /* A callback.h */
#define __HYPERVISOR_xenoprof_op                   31 /* - profiler: none here */
#define __HYPERVISOR_event_channel_op              32 /* A event_channel.h */
#define __HYPERVISOR_physdev_op                    33 /* C, some A; physdev.h */
#define __HYPERVISOR_hvm_op                        34 /* A hvm/hvm_op.h */
#define __HYPERVISOR_sysctl                        35 /* C sysctl.h */
#define __HYPERVISOR_domctl                        36 /* C domctl.h */
#define __HYPERVISOR_kexec_op                      37 /* - crash kernel: none here */
#define __HYPERVISOR_tmem_op                       38 /* - removed from the field */
#define __HYPERVISOR_argo_op                       39 /* - none here */
#define __HYPERVISOR_xenpmu_op                     40 /* - pmu.h; counters are not offered */
#define __HYPERVISOR_dm_op                         41 /* - device models: none here */
#define __HYPERVISOR_hypfs_op                      42 /* - none here */

/*
 * Numbers set aside for the architecture. The first is mca (arch-x86/xen-mca.h).
 *
 * They are numbered apart so that one table serves all architectures of the ABI. x86
 * uses the first alone; the others answer -XEN_ENOSYS.
 */
#define __HYPERVISOR_arch_0 48
#define __HYPERVISOR_arch_1 49
#define __HYPERVISOR_arch_2 50
#define __HYPERVISOR_arch_3 51
#define __HYPERVISOR_arch_4 52
#define __HYPERVISOR_arch_5 53
#define __HYPERVISOR_arch_6 54
#define __HYPERVISOR_arch_7 55

/*
 * Virtual interrupts: events whose sender is the hypervisor. A guest gets one by binding it to
 * an event channel (EVTCHNOP_bind_virq). "V" ones exist once per vCPU; "G" ones once in the
 * machine: they are bound on vCPU 0 and delivered to the control domain.
 *
 * Binding gives a port; from then on the virtual interrupt makes that port pending,
 * and the guest masks, unmasks and clears it like any other (event_channel.h). One
 * that comes while its port is pending is not counted: a pending bit says "at least
 * once". One that comes while no port is bound is lost: who binds VIRQ_DOM_EXC or
 * VIRQ_CON_RING looks once for itself what happened before. Numbers that are left out
 * below are out of use.
 */
#define VIRQ_TIMER      0  /* V: the one-shot, periodic or set_timer_op timer has fired */
#define VIRQ_DEBUG      1  /* V: print what you are doing (debug key, XEN_DOMCTL_sendtrigger) */
#define VIRQ_CONSOLE    2  /* G: a byte for the control domain came in on the hypervisor's UART */
#define VIRQ_DOM_EXC    3  /* G: a domain has shut down, crashed or finished dying */
#define VIRQ_TBUF       4  /* G: trace records are waiting */
#define VIRQ_DEBUGGER   6  /* G: a domain stopped for its debugger */
#define VIRQ_XENOPROF   7  /* V: never sent here */
#define VIRQ_CON_RING   8  /* G: the log ring has new lines */
#define VIRQ_PCPU_STATE 9  /* G: a physical CPU came or went */
#define VIRQ_MEM_EVENT  10 /* G: never sent here */
#define VIRQ_ARGO       11 /* G: never sent here */
#define VIRQ_ENOMEM     12 /* G: free memory is low */
#define VIRQ_XENPMU     13 /* V: never sent here */
#define VIRQ_ARCH_0     16 /* V or G as the architecture says; 0 is machine check */
#define VIRQ_ARCH_1     17
#define VIRQ_ARCH_2     18
#define VIRQ_ARCH_3     19
#define VIRQ_ARCH_4     20
#define VIRQ_ARCH_5     21
#define VIRQ_ARCH_6     22
#define VIRQ_ARCH_7     23
#define NR_VIRQS        24

/*
 * Domain identifiers: 0 to 0x7fef are domains (0 is the control domain when there is one); the
 * rest have the meanings below. They are accepted only where a call says so; elsewhere they are
 * domains that do not exist.
 *
 * A number is used again when its domain is gone, but not soon: the next free one
 * above the last that was given is taken. Who keeps a number for long keeps the
 * domain's UUID beside it (XEN_DOMCTL_getdomaininfo) and compares.
 *
 * DOMID_SELF may always stand for the caller's own number, and saves a guest from
 * knowing it: a guest that wants to know reads the key "domid" of its home in
 * xenstore.
 */
#define DOMID_FIRST_RESERVED 0x7FF0U
#define DOMID_SELF           0x7FF0U /* whoever makes the call */
#define DOMID_IO             0x7FF1U /* owner of frames that are not RAM: devices */
#define DOMID_XEN            0x7FF2U /* owner of the hypervisor's frames that are shown */
#define DOMID_COW            0x7FF3U /* page sharing: not offered */
#define DOMID_INVALID        0x7FF4U /* names nobody, on purpose */
#define DOMID_IDLE           0x7FFFU /* the idle loop, as it appears in accounting */
#define DOMID_MASK           0x7FFFU

/*
 * multicall(struct multicall_entry *list, unsigned int n): makes n hypercalls in order. Each
 * entry's `result` receives what the call returned, errors included; one failing entry does not
 * stop the rest. Returns 0, or -XEN_EINVAL (n too large, or a multicall inside a multicall), or
 * -XEN_EFAULT when the list cannot be read or written, entries before that being done.
 * `iret` in a list is refused.
 *
 * What it is for: entering the hypervisor costs more than many of the operations. A
 * kernel that switches tasks puts stack_switch, a few update_descriptor and
 * mmuext_op(NEW_BASEPTR) into one list; one that fills page tables collects
 * update_va_mapping. An entry is a call like any other, with its privileges and
 * errors; what one has done the next one sees.
 *
 *     struct multicall_entry m[2] = {
 *         {.op = __HYPERVISOR_stack_switch, .args = {0xe02b, top_of_stack}},
 *         {.op = __HYPERVISOR_mmuext_op, .args = {(xen_ulong_t)&op, 1, 0, DOMID_SELF}},
 *     };
 *     if (multicall(m, 2) == 0 && (long)m[1].result < 0)
 *         ... the second was refused ...
 *
 * `result` is unsigned because it is a register; errors are negative when read as a
 * long. A list is given up for a while when it has taken long, and goes on where it
 * was: entries that are done have their result and are not done again.
 */
struct multicall_entry {
    xen_ulong_t op, result;
    xen_ulong_t args[6];
};
typedef struct multicall_entry multicall_entry_t;

/*
 * console_io(cmd, unsigned int count, char *buffer): the emergency console, usable before a
 * guest has any driver.
 *   write  any domain. Up to count bytes go to the domain's console history and, for the control
 *          domain and for boot-time domains, to the UART. Returns 0.
 *   read   control domain only: takes bytes that came in on the UART (VIRQ_CONSOLE tells when).
 *          Returns how many, 0 when there are none.
 *
 * The control domain's text goes to the UART as it is, and so does a boot-time guest's
 * where there is no control domain. Any other guest's is kept in the log, line by
 * line, with the guest's name before it and a dot for each character that is not
 * printable ASCII; only the first 16 KiB of it. It is meant for the first lines of a
 * guest and for its last: a console that lasts is the ring of io/console.h.
 *
 *     static const char text[] = "hello\n";
 *     hypercall3(__HYPERVISOR_console_io, CONSOLEIO_write, sizeof(text) - 1, text);
 */
#define CONSOLEIO_write 0
#define CONSOLEIO_read  1

/*
 * vm_assist(cmd, type): a guest turns a behaviour on or off for itself. Returns 0, or
 * -XEN_EINVAL for a type that is unknown or not for this kind of guest.
 *
 * Each holds for the whole domain from the next instruction on. A kernel enables
 * writable_pagetables early, because it lets code that writes a page-table entry by a
 * plain store work as it is; slow, as each such store faults and is emulated, but
 * right: the paths that matter are then turned into calls one by one.
 */
#define VMASST_CMD_enable  0
#define VMASST_CMD_disable 1

#define VMASST_TYPE_4gb_segments        0 /* 32-bit kernels only; accepted, means nothing */
#define VMASST_TYPE_4gb_segments_notify 1 /* 32-bit kernels only: -XEN_EINVAL */
#define VMASST_TYPE_writable_pagetables 2 /* writes to page tables are emulated, not refused */
#define VMASST_TYPE_pae_extended_cr3    3 /* 32-bit kernels only; accepted, means nothing */
#define VMASST_TYPE_architectural_iopl  4 /* IOPL in rflags counts for port access of user mode */
/* Write runstate through a version bit: XEN_RUNSTATE_UPDATE (vcpu.h) is set during an update. */
#define VMASST_TYPE_runstate_update_flag 5
/* M2P hidden from user mode: -XEN_EINVAL here, as it always is (arch-x86/xen-x86_64.h). */
#define VMASST_TYPE_m2p_strict 32

/* A UUID; XEN_DEFINE_UUID spells one as it is printed: (8 digits, 4, 4, 4, then six bytes). */
typedef struct {
    uint8_t a[16];
} xen_uuid_t;

#define XEN_DEFINE_UUID_(a, b, c, d, e1, e2, e3, e4, e5, e6)                                       \
    {                                                                                              \
        {                                                                                          \
            ((a) >> 24) & 0xFF, ((a) >> 16) & 0xFF, ((a) >> 8) & 0xFF, (a)&0xFF,                   \
                ((b) >> 8) & 0xFF, (b)&0xFF, ((c) >> 8) & 0xFF, (c)&0xFF, ((d) >> 8) & 0xFF,       \
                (d)&0xFF, e1, e2, e3, e4, e5, e6                                                   \
        }                                                                                          \
    }
#define XEN_DEFINE_UUID(a, b, c, d, e1, e2, e3, e4, e5, e6)                                        \
    ((xen_uuid_t)XEN_DEFINE_UUID_(a, b, c, d, e1, e2, e3, e4, e5, e6))

#include <xen/mmu.h>
#include <xen/shared_info.h>
#include <xen/start_info.h>

#endif /* XEN_XEN_H */
