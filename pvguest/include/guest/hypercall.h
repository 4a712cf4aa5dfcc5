/* SPDX-License-Identifier: MIT */
/*
 * Hypercalls: how a PV guest asks the hypervisor for something.
 *
 * A hypercall is a call into the hypercall page, which holds one 32-byte stub per hypercall
 * number. Arguments go in rdi, rsi, rdx, r10, r8; the result comes in rax: 0 or a positive
 * value, or a negative error (-XEN_E*). rcx and r11 are lost (SYSCALL takes them), and the
 * argument registers may be changed by the hypervisor, which is why they are "+r" below.
 *
 * Every pointer is a virtual address of the guest: the hypervisor copies through the guest's
 * own page tables.
 *
 * hypercall0() to hypercall5() take any number and untyped arguments; the HYPERVISOR_*
 * functions are the typed ones, named as every PV guest names them. Argument structures are
 * described in include/xen.
 */
#ifndef GUEST_HYPERCALL_H
#define GUEST_HYPERCALL_H

#include <stdint.h>

#include <xen/callback.h>
#include <xen/errno.h>
#include <xen/event_channel.h>
#include <xen/features.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/physdev.h>
#include <xen/sched.h>
#include <xen/vcpu.h>
#include <xen/version.h>
#include <xen/xen.h>

extern char hypercall_page[];

static inline long hypercall5(unsigned int nr, unsigned long a, unsigned long b, unsigned long c,
                              unsigned long d, unsigned long e)
{
    register unsigned long r10 __asm__("r10") = d;
    register unsigned long r8 __asm__("r8") = e;
    long ret;

    __asm__ volatile("call *%[stub]"
                     : "=a"(ret), "+D"(a), "+S"(b), "+d"(c), "+r"(r10), "+r"(r8)
                     : [stub] "0"(hypercall_page + nr * 32ul)
                     : "rcx", "r11", "memory");
    return ret;
}

static inline long hypercall0(unsigned int nr)
{
    long ret;

    __asm__ volatile("call *%[stub]"
                     : "=a"(ret)
                     : [stub] "0"(hypercall_page + nr * 32ul)
                     : "rcx", "r11", "rdi", "rsi", "rdx", "r10", "r8", "memory");
    return ret;
}

static inline long hypercall1(unsigned int nr, unsigned long a)
{
    long ret;

    __asm__ volatile("call *%[stub]"
                     : "=a"(ret), "+D"(a)
                     : [stub] "0"(hypercall_page + nr * 32ul)
                     : "rcx", "r11", "rsi", "rdx", "r10", "r8", "memory");
    return ret;
}

static inline long hypercall2(unsigned int nr, unsigned long a, unsigned long b)
{
    long ret;

    __asm__ volatile("call *%[stub]"
                     : "=a"(ret), "+D"(a), "+S"(b)
                     : [stub] "0"(hypercall_page + nr * 32ul)
                     : "rcx", "r11", "rdx", "r10", "r8", "memory");
    return ret;
}

static inline long hypercall3(unsigned int nr, unsigned long a, unsigned long b, unsigned long c)
{
    long ret;

    __asm__ volatile("call *%[stub]"
                     : "=a"(ret), "+D"(a), "+S"(b), "+d"(c)
                     : [stub] "0"(hypercall_page + nr * 32ul)
                     : "rcx", "r11", "r10", "r8", "memory");
    return ret;
}

static inline long hypercall4(unsigned int nr, unsigned long a, unsigned long b, unsigned long c,
                              unsigned long d)
{
    return hypercall5(nr, a, b, c, d, 0);
}

/* ---- traps, segments, registers ---- */

static inline long HYPERVISOR_set_trap_table(const trap_info_t *table)
{
    return hypercall1(__HYPERVISOR_set_trap_table, (unsigned long)table);
}

static inline long HYPERVISOR_set_gdt(const xen_ulong_t *frames, unsigned int entries)
{
    return hypercall2(__HYPERVISOR_set_gdt, (unsigned long)frames, entries);
}

static inline long HYPERVISOR_update_descriptor(uint64_t maddr, uint64_t desc)
{
    return hypercall2(__HYPERVISOR_update_descriptor, maddr, desc);
}

static inline long HYPERVISOR_stack_switch(unsigned long ss, unsigned long rsp)
{
    return hypercall2(__HYPERVISOR_stack_switch, ss, rsp);
}

static inline long HYPERVISOR_fpu_taskswitch(int set)
{
    return hypercall1(__HYPERVISOR_fpu_taskswitch, (unsigned long)set);
}

static inline long HYPERVISOR_set_debugreg(int reg, unsigned long value)
{
    return hypercall2(__HYPERVISOR_set_debugreg, (unsigned long)reg, value);
}

static inline unsigned long HYPERVISOR_get_debugreg(int reg)
{
    return (unsigned long)hypercall1(__HYPERVISOR_get_debugreg, (unsigned long)reg);
}

static inline long HYPERVISOR_set_segment_base(int which, unsigned long base)
{
    return hypercall2(__HYPERVISOR_set_segment_base, (unsigned long)which, base);
}

static inline long HYPERVISOR_callback_op(int cmd, const void *arg)
{
    return hypercall2(__HYPERVISOR_callback_op, (unsigned long)cmd, (unsigned long)arg);
}

/* ---- page tables and memory ---- */

static inline long HYPERVISOR_mmu_update(const mmu_update_t *req, unsigned int count,
                                         unsigned int *done, domid_t dom)
{
    return hypercall4(__HYPERVISOR_mmu_update, (unsigned long)req, count, (unsigned long)done, dom);
}

static inline long HYPERVISOR_mmuext_op(const struct mmuext_op *op, unsigned int count,
                                        unsigned int *done, domid_t dom)
{
    return hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)op, count, (unsigned long)done, dom);
}

static inline long HYPERVISOR_update_va_mapping(unsigned long va, uint64_t pte, unsigned long flags)
{
    return hypercall3(__HYPERVISOR_update_va_mapping, va, pte, flags);
}

static inline long HYPERVISOR_memory_op(unsigned int cmd, void *arg)
{
    return hypercall2(__HYPERVISOR_memory_op, cmd, (unsigned long)arg);
}

static inline long HYPERVISOR_grant_table_op(unsigned int cmd, void *arg, unsigned int count)
{
    return hypercall3(__HYPERVISOR_grant_table_op, cmd, (unsigned long)arg, count);
}

static inline long HYPERVISOR_vm_assist(unsigned int cmd, unsigned int type)
{
    return hypercall2(__HYPERVISOR_vm_assist, cmd, type);
}

/* ---- events, scheduling, time ---- */

static inline long HYPERVISOR_event_channel_op(int cmd, void *arg)
{
    return hypercall2(__HYPERVISOR_event_channel_op, (unsigned long)cmd, (unsigned long)arg);
}

static inline long HYPERVISOR_sched_op(int cmd, void *arg)
{
    return hypercall2(__HYPERVISOR_sched_op, (unsigned long)cmd, (unsigned long)arg);
}

static inline long HYPERVISOR_vcpu_op(int cmd, unsigned int vcpu, void *arg)
{
    return hypercall3(__HYPERVISOR_vcpu_op, (unsigned long)cmd, vcpu, (unsigned long)arg);
}

static inline long HYPERVISOR_set_timer_op(uint64_t deadline_ns)
{
    return hypercall1(__HYPERVISOR_set_timer_op, deadline_ns);
}

/* ---- the rest ---- */

static inline long HYPERVISOR_multicall(multicall_entry_t *calls, unsigned int count)
{
    return hypercall2(__HYPERVISOR_multicall, (unsigned long)calls, count);
}

static inline long HYPERVISOR_xen_version(int cmd, void *arg)
{
    return hypercall2(__HYPERVISOR_xen_version, (unsigned long)cmd, (unsigned long)arg);
}

static inline long HYPERVISOR_console_io(int cmd, unsigned int count, char *buffer)
{
    return hypercall3(__HYPERVISOR_console_io, (unsigned long)cmd, count, (unsigned long)buffer);
}

static inline long HYPERVISOR_physdev_op(int cmd, void *arg)
{
    return hypercall2(__HYPERVISOR_physdev_op, (unsigned long)cmd, (unsigned long)arg);
}

#endif
