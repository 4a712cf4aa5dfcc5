/* SPDX-License-Identifier: MIT */
/*
 * Exceptions on their way: which are the hypervisor's, which the guest's, and where the guest's go;
 * the trap table and the callbacks that say so; the small hypercalls around them, and the page of
 * stubs through which all are called.
 */
#include "pv_test.h"

#include <core/life/life.h>
#include <core/state/guest_ops.h>
#include <pv/cpu.h>
#include <pv/pv_ops.h>
#include <xen/callback.h>
#include <xen/sched.h>

#define ARG HOST_GUEST_BASE
#define TOP (mm_va(MM_SPARE) + PAGE_SIZE)

static struct vcpu *v;

static int setup(void **state)
{
    pv_setup(state);
    v = g.v;
    for (unsigned int i = 0; i < 256; i++)
        v->arch.pv.traps[i].address = HANDLER + i;
    /* An L4 for user mode that maps the same. */
    mm_make_table(&g, MM_SPARE + 2);
    mm_words(&g, MM_SPARE + 2)[0] = mm_words(&g, MM_L4)[0];
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_USER_BASEPTR, g.frame[MM_SPARE + 2].n, 0), 0);
    return 0;
}

static int teardown(void **state)
{
    if (!guest_kernel_mode(v))
        pv_toggle_guest_mode(v);
    return pv_teardown(state);
}

static long call(unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
    return mm_call(&g, nr, a0, a1, a2, 0);
}

/* The guest runs at `code`, as its kernel or its user, and gets the exception. */
static void trap(bool kernel, const char *code, size_t n, unsigned int vector, uint32_t error)
{
    if (guest_kernel_mode(v) != kernel)
        pv_toggle_guest_mode(v);
    memcpy((char *)mm_words(&g, CODE), code, n);
    v->regs.rip = mm_va(CODE);
    v->regs.cs = FLAT_USER_CS64;
    v->regs.rsp = v->arch.pv.kernel_sp = TOP;
    v->regs.entry_vector = vector;
    v->regs.error_code = error;
    if (vector == TRAP_page_fault)
        pv_page_fault(v, v->arch.pv.ctrlreg[2]);
    else
        pv_exception(v, 0);
    host_tlb_check();
}

static void page_fault(bool kernel, uint64_t cr2, uint32_t error)
{
    v->arch.pv.ctrlreg[2] = cr2;
    trap(kernel, "\x90", 1, TRAP_page_fault, error);
}

/* Word i from the top of the kernel's stack. */
static uint64_t pushed(unsigned int i)
{
    return mm_words(&g, MM_SPARE)[512 - i];
}

static void the_guest_gets_its_own(void **state)
{
    static const uint8_t with_error[] = {8, 10, 11, 12, 13, 17};

    (void)state;
    for (unsigned int vector = 0; vector < 20; vector++) {
        bool has = memchr(with_error, (int)vector, sizeof(with_error)) != NULL;

        if (vector == TRAP_page_fault || vector == 2 || vector == 9 || vector == 15)
            continue;
        trap(true, "\xf4", 1, vector, has ? 0x55 : 0);
        assert_int_equal(v->regs.rip, HANDLER + vector);
        assert_int_equal(v->regs.rsp, TOP - 8 * (has ? 8 : 7));
        assert_int_equal(pushed(5), mm_va(CODE));
        if (has)
            assert_int_equal(pushed(6), 0x55);
    }
    /* What no guest can raise is dropped. */
    for (unsigned int vector = 20; vector < 32; vector++) {
        trap(true, "\x90", 1, vector, 0);
        assert_int_equal(v->regs.rip, mm_va(CODE));
    }
    /* ABI: a program's stack fault has no selector for its kernel to look at. */
    trap(false, "\x90", 1, TRAP_stack_error, 0x18);
    assert_int_equal(pushed(6), 0);
    assert_true(guest_kernel_mode(v));
}

/* DR6 collects until the guest clears it, and says what each debug exception was. */
static void debug_exceptions(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        v->regs.rsp = v->arch.pv.kernel_sp = TOP;
        v->regs.entry_vector = TRAP_debug;
        pv_exception(v, 1u << i);
        assert_int_equal(call(__HYPERVISOR_get_debugreg, 6, 0, 0),
                         (long)(X86_DR6_DEFAULT | ((2u << i) - 1)));
    }
    assert_int_equal(call(__HYPERVISOR_set_debugreg, 6, 0, 0), 0);
    assert_int_equal(call(__HYPERVISOR_get_debugreg, 6, 0, 0), (long)X86_DR6_DEFAULT);
}

/* The bit that says "no FPU yet" ends with the fault. */
static void device_not_available(void **state)
{
    (void)state;
    assert_int_equal(call(__HYPERVISOR_fpu_taskswitch, 1, 0, 0), 0);
    assert_true(pv_read_cr(v, 0) & X86_CR0_TS);
    trap(true, "\x90", 1, TRAP_no_device, 0);
    assert_int_equal(v->regs.rip, HANDLER + TRAP_no_device);
    assert_false(pv_read_cr(v, 0) & X86_CR0_TS);
    assert_int_equal(call(__HYPERVISOR_fpu_taskswitch, 1, 0, 0), 0);
    assert_int_equal(call(__HYPERVISOR_fpu_taskswitch, 0, 0, 0), 0);
    assert_false(pv_read_cr(v, 0) & X86_CR0_TS);
}

/* int $n is a #GP of the real IDT: the vector is the instruction's, whatever the machine says. */
static void software_interrupts(void **state)
{
    (void)state;
    v->arch.pv.traps[0x80].flags = 3;
    trap(false, "\xcd\x80", 2, TRAP_gp_fault, 0x80 << 3 | SEL_ERROR_IDT);
    assert_int_equal(v->regs.rip, HANDLER + 0x80);
    assert_int_equal(pushed(5), mm_va(CODE) + 2);
    trap(false, "\xcd\x80", 2, TRAP_gp_fault, 0x21 << 3 | SEL_ERROR_IDT);
    assert_int_equal(v->regs.rip, HANDLER + 0x80);
    /* A gate that is not for programs, but is for the kernel; one that is not there. */
    trap(false, "\xcd\x81", 2, TRAP_gp_fault, 0x81 << 3 | SEL_ERROR_IDT);
    assert_int_equal(v->regs.rip, HANDLER + TRAP_gp_fault);
    assert_int_equal(pushed(6), 0x81 << 3 | SEL_ERROR_IDT);
    assert_int_equal(pushed(5), mm_va(CODE));
    trap(true, "\xcd\x81", 2, TRAP_gp_fault, 0x81 << 3 | SEL_ERROR_IDT);
    assert_int_equal(v->regs.rip, HANDLER + 0x81);
    v->arch.pv.traps[0x81].address = 0;
    trap(true, "\xcd\x81", 2, TRAP_gp_fault, 0x81 << 3 | SEL_ERROR_IDT);
    assert_int_equal(v->regs.rip, HANDLER + TRAP_gp_fault);
    /* A selector's #GP, whatever stands there: neither a vector of the IDT, nor carried out. */
    trap(false, "\xcd\x80", 2, TRAP_gp_fault, 0x80 << 3);
    assert_int_equal(v->regs.rip, HANDLER + TRAP_gp_fault);
    assert_int_equal(pushed(6), 0x80 << 3);
    trap(true, "\x0f\x06", 2, TRAP_gp_fault, 0x80 << 3); /* clts */
    assert_int_equal(v->regs.rip, HANDLER + TRAP_gp_fault);
    /* Events are masked by a gate that says so. */
    v->arch.pv.traps[0x82].flags = 4;
    v->vcpu_info->evtchn_upcall_mask = 0;
    trap(true, "\xcd\x82", 2, TRAP_gp_fault, 0x82 << 3 | SEL_ERROR_IDT);
    assert_int_equal(v->vcpu_info->evtchn_upcall_mask, 1);
}

static void privileged_and_forced(void **state)
{
    (void)state;
    trap(true, "\x0f\x06", 2, TRAP_gp_fault, 0); /* clts */
    assert_int_equal(v->regs.rip, mm_va(CODE) + 2);
    trap(false, "\x0f\x06", 2, TRAP_gp_fault, 0); /* not a program's */
    assert_int_equal(v->regs.rip, HANDLER + TRAP_gp_fault);
    v->regs.rax = 0x40000000;
    trap(true, "\x0f\x0bxen\x0f\xa2", 7, TRAP_invalid_op, 0);
    assert_int_equal(v->regs.rip, mm_va(CODE) + 7);
    assert_int_equal(v->regs.rbx, 0x566e6558);
    trap(true, "\x0f\x0bxen\x0f\x31", 7, TRAP_invalid_op, 0);
    assert_int_equal(v->regs.rip, HANDLER + TRAP_invalid_op);
    trap(true, "\x0f\x0byen\x0f\xa2", 7, TRAP_invalid_op, 0);
    assert_int_equal(v->regs.rip, HANDLER + TRAP_invalid_op);
}

/* A write to a page table that is mapped read-only is done for a kernel that asked for it; all else
 * is the guest's fault, as it sees itself. */
static void page_faults(void **state)
{
    uint64_t was = mm_words(&g, MM_L1)[200];

    (void)state;
    page_fault(true, mm_va(200), PFEC_WRITE | PFEC_USER);
    assert_int_equal(v->regs.rip, HANDLER + TRAP_page_fault);
    assert_int_equal(pushed(6), PFEC_WRITE); /* the kernel is no user */
    assert_int_equal(v->vcpu_info->arch.cr2, mm_va(200));
    page_fault(false, mm_va(200), PFEC_WRITE);
    assert_int_equal(pushed(6), PFEC_WRITE | PFEC_USER);

    for (unsigned int on = 0; on < 2; on++) {
        v->regs.rax = was | PTE_AVAIL;
        v->regs.rdi = mm_va(MM_L1) + 200 * 8;
        v->arch.pv.ctrlreg[2] = v->regs.rdi;
        trap(true, "\x48\x89\x07", 3, TRAP_page_fault, PFEC_PRESENT | PFEC_WRITE | PFEC_USER);
        assert_int_equal(v->regs.rip, on ? mm_va(CODE) + 3 : HANDLER + TRAP_page_fault);
        assert_int_equal(
            call(__HYPERVISOR_vm_assist, VMASST_CMD_enable, VMASST_TYPE_writable_pagetables, 0), 0);
    }
    assert_int_equal(mm_words(&g, MM_L1)[200], was | PTE_AVAIL);
}

/* An instruction that is carried out for the guest finds no memory: the fault is the guest's, and
 * the hypervisor's range is none of its memory. */
static void faults_of_emulation(void **state)
{
    const uint64_t nowhere[] = {mm_va(200), HYPERVISOR_VIRT_START};

    (void)state;
    for (unsigned int kernel = 0; kernel < 2; kernel++)
        for (unsigned int i = 0; i < ARRAY_SIZE(nowhere); i++) {
            v->regs.rdi = nowhere[i];
            trap(kernel, "\x0f\x01\x07", 3, TRAP_gp_fault, 0); /* sgdt [rdi] */
            assert_int_equal(v->regs.rip, HANDLER + TRAP_page_fault);
            assert_int_equal(pushed(6), PFEC_WRITE | (kernel ? 0 : PFEC_USER));
            assert_int_equal(v->vcpu_info->arch.cr2, nowhere[i]);
        }
}

/* A touch of the LDT brings its page in, or is a fault where the guest has its LDT. */
static void touches_of_the_ldt(void **state)
{
    uint64_t area = perdomain_area(v) + PERDOMAIN_LDT_OFFSET;

    (void)state;
    mm_make_table(&g, MM_SPARE + 3);
    assert_int_equal(mm_ext(&g, MMUEXT_SET_LDT, mm_va(MM_SPARE + 3), 1024), 0);
    page_fault(true, area + 8, 0);
    assert_int_equal(v->regs.rip, mm_va(CODE)); /* again */
    assert_int_equal(v->arch.pv.ldt_mapped, 1);
    page_fault(true, area + PAGE_SIZE + 16, 0); /* mapped writable: cannot be a descriptor table */
    assert_int_equal(v->regs.rip, HANDLER + TRAP_page_fault);
    assert_int_equal(v->vcpu_info->arch.cr2, mm_va(MM_SPARE + 4) + 16);
    page_fault(true, area + 1024 * 8, 0); /* beyond its end: the guest's fault as it came */
    assert_int_equal(v->vcpu_info->arch.cr2, area + 1024 * 8);
    page_fault(true, HYPERVISOR_VIRT_START, PFEC_RESERVED);
    assert_int_equal(v->regs.rip, HANDLER + TRAP_page_fault);
    assert_int_equal(mm_ext(&g, MMUEXT_SET_LDT, 0, 0), 0);
    assert_int_equal(host_recount(), 0);
}

/* Nothing was there, for the CPU alone: the guest tries again, and hears nothing. What it may not
 * do it hears of. */
static void faults_of_the_cpu_alone(void **state)
{
    (void)state;
    for (unsigned int kernel = 0; kernel < 2; kernel++) {
        v->vcpu_info->arch.cr2 = 0;
        isolating = host_isolation_lacked = true;
        page_fault(kernel, mm_va(200), PFEC_WRITE | PFEC_USER);
        assert_int_equal(v->regs.rip, mm_va(CODE));
        assert_int_equal(v->vcpu_info->arch.cr2, 0);
        page_fault(kernel, mm_va(200), PFEC_PRESENT | PFEC_USER);
        assert_int_equal(v->regs.rip, HANDLER + TRAP_page_fault);
        assert_int_equal(v->vcpu_info->arch.cr2, mm_va(200));
        isolating = host_isolation_lacked = false;
        page_fault(kernel, mm_va(200), PFEC_USER);
        assert_int_equal(v->regs.rip, HANDLER + TRAP_page_fault);
    }
}

static void trap_tables(void **state)
{
    struct trap_info *t = host_guest(ARG);

    (void)state;
    t[0] = (struct trap_info){.vector = 14, .flags = 4, .cs = 0xe030, .address = 0x7000};
    t[1] = (struct trap_info){.vector = 3, .flags = 3, .cs = 8, .address = 0x8000};
    t[2] = (struct trap_info){.address = 0};
    assert_int_equal(call(__HYPERVISOR_set_trap_table, ARG, 0, 0), 0);
    assert_int_equal(v->arch.pv.traps[14].address, 0x7000);
    assert_int_equal(v->arch.pv.traps[3].cs & 3, 3);
    t[1].address = NO_CANON;
    t[0].address = 0x9000;
    assert_int_equal(call(__HYPERVISOR_set_trap_table, ARG, 0, 0), -XEN_EINVAL);
    assert_int_equal(v->arch.pv.traps[14].address, 0x9000); /* what stands before is taken */
    assert_int_equal(v->arch.pv.traps[3].address, 0x8000);
    assert_int_equal(call(__HYPERVISOR_set_trap_table, 0x10, 0, 0), -XEN_EFAULT);
    for (unsigned int i = 0; i < 257; i++)
        t[i] = (struct trap_info){.vector = (uint8_t)i, .address = 0x7000};
    assert_int_equal(call(__HYPERVISOR_set_trap_table, ARG, 0, 0), -XEN_EINVAL); /* no end */
    assert_int_equal(call(__HYPERVISOR_set_trap_table, 0, 0, 0), 0);
    assert_int_equal(v->arch.pv.traps[14].address, 0);
}

static long set_callback(uint16_t type, uint16_t flags, uint64_t address)
{
    *(struct callback_register *)host_guest(ARG) =
        (struct callback_register){.type = type, .flags = flags, .address = address};
    return call(__HYPERVISOR_callback_op, CALLBACKOP_register, ARG, 0);
}

/* ABI: as getvcpucontext shows it. */
static void nmi_is_in_the_trap_table(void)
{
    static const struct trap_info none;
    const struct trap_info set = {
        .vector = TRAP_nmi, .flags = 4, .cs = FLAT_KERNEL_CS, .address = 0x6000};
    const struct trap_info *t = &v->arch.pv.traps[TRAP_nmi];

    assert_int_equal(set_callback(CALLBACKTYPE_nmi, 0, 0x6000), 0);
    assert_memory_equal(t, &set, sizeof(set));
    assert_int_equal(set_callback(CALLBACKTYPE_nmi, CALLBACKF_mask_events, NO_CANON), -XEN_EINVAL);
    assert_memory_equal(t, &set, sizeof(set));
    *(struct callback_unregister *)host_guest(ARG) =
        (struct callback_unregister){.type = CALLBACKTYPE_nmi};
    assert_int_equal(call(__HYPERVISOR_callback_op, CALLBACKOP_unregister, ARG, 0), 0);
    assert_memory_equal(t, &none, sizeof(none));
}

static void callbacks(void **state)
{
    static const uint16_t kept[] = {CALLBACKTYPE_event, CALLBACKTYPE_failsafe, CALLBACKTYPE_syscall,
                                    CALLBACKTYPE_syscall32, CALLBACKTYPE_sysenter};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(kept); i++) {
        struct callback_unregister *u = host_guest(ARG);

        assert_int_equal(set_callback(kept[i], 0, NO_CANON), -XEN_EINVAL);
        assert_int_equal(v->arch.pv.callback[kept[i]].address, 0);
        assert_false(v->arch.pv.callback[kept[i]].disables_events);
        assert_int_equal(set_callback(kept[i], CALLBACKF_mask_events, 0x5000 + i), 0);
        assert_true(v->arch.pv.callback[kept[i]].disables_events);
        assert_int_equal(v->arch.pv.callback[kept[i]].address, 0x5000 + i);
        *u = (struct callback_unregister){.type = kept[i]};
        assert_int_equal(call(__HYPERVISOR_callback_op, CALLBACKOP_unregister, ARG, 0),
                         -XEN_EINVAL);
        assert_int_equal(v->arch.pv.callback[kept[i]].address, 0x5000 + i);
    }
    nmi_is_in_the_trap_table();
    for (unsigned int type = 3; type < 12; type++) {
        if (type >= 4 && type <= 7 && type != 6)
            continue;
        assert_int_equal(set_callback((uint16_t)type, 0, 0x6000), -XEN_ENOSYS);
        assert_int_equal(call(__HYPERVISOR_callback_op, CALLBACKOP_unregister, ARG, 0),
                         -XEN_ENOSYS);
    }
    assert_int_equal(call(__HYPERVISOR_callback_op, 2, ARG, 0), -XEN_ENOSYS);
    for (unsigned int cmd = 0; cmd < 2; cmd++)
        assert_int_equal(call(__HYPERVISOR_callback_op, cmd, 0x10, 0), -XEN_EFAULT);
    assert_int_equal(call(__HYPERVISOR_set_callbacks, 0x11, 0x12, 0x13), 0);
    assert_int_equal(v->arch.pv.callback[CALLBACKTYPE_syscall].address, 0x13);
    assert_int_equal(call(__HYPERVISOR_set_callbacks, 0x21, NO_CANON, 0x23), -XEN_EINVAL);
    assert_int_equal(v->arch.pv.callback[CALLBACKTYPE_event].address, 0x11);
}

/* The callbacks at work: system calls of each kind, an event, an NMI, a return that failed. */
static void callbacks_are_called(void **state)
{
    static const uint16_t types[] = {CALLBACKTYPE_syscall, CALLBACKTYPE_syscall32,
                                     CALLBACKTYPE_sysenter};

    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(set_callback(types[i], i ? CALLBACKF_mask_events : 0, 0x5000 + i), 0);
        pv_toggle_guest_mode(v);
        v->vcpu_info->evtchn_upcall_mask = 0;
        v->regs.rip = 0x4242;
        v->arch.pv.kernel_sp = TOP;
        if (types[i] == CALLBACKTYPE_sysenter)
            pv_handle_sysenter(v);
        else
            pv_handle_syscall(v, types[i]);
        assert_int_equal(v->regs.rip, 0x5000 + i);
        assert_true(guest_kernel_mode(v));
        assert_int_equal(pushed(5), 0x4242);
        assert_int_equal(v->vcpu_info->evtchn_upcall_mask, i != 0);
    }
    v->regs.rsp = TOP;
    v->vcpu_info->evtchn_upcall_mask = 0;
    v->vcpu_info->evtchn_upcall_pending = 1;
    pv_deliver_event(v); /* nobody to tell: that is the guest's end */
    assert_true(g.d->shutting_down);
    domain_resume(g.d);
    assert_int_equal(set_callback(CALLBACKTYPE_event, 0, 0x5010), 0);
    pv_deliver_event(v);
    assert_int_equal(v->regs.rip, 0x5010);
    assert_int_equal(v->vcpu_info->evtchn_upcall_mask, 1);
    v->regs.rip = 0x4242;
    pv_deliver_event(v); /* masked now */
    assert_int_equal(v->regs.rip, 0x4242);
    assert_int_equal(set_callback(CALLBACKTYPE_nmi, 0, 0x5020), 0);
    for (unsigned int i = 0; i < 2; i++) { /* one at a time, until the next iret */
        v->nmi_pending = true;
        v->vcpu_info->evtchn_upcall_mask = 0;
        v->regs.rip = 0x4242;
        pv_deliver_event(v);
        assert_int_equal(v->regs.rip, i ? 0x5010 : 0x5020);
        assert_int_equal(v->vcpu_info->evtchn_upcall_mask, 1);
    }
    v->vcpu_info->evtchn_upcall_pending = 0;
    for (unsigned int i = 0; i < 3; i++) { /* without a handler it is lost; a trap handler is one */
        v->nmi_pending = true;
        v->nmi_masked = false;
        v->vcpu_info->evtchn_upcall_mask = 0;
        v->regs.rip = 0x4242;
        v->arch.pv.traps[TRAP_nmi] =
            (struct trap_info){.address = i ? 0x5040 : 0, .flags = i == 1 ? 4 : 0};
        pv_deliver_event(v);
        assert_int_equal(v->regs.rip, i ? 0x5040 : 0x4242);
        assert_int_equal(v->vcpu_info->evtchn_upcall_mask, i == 1);
        assert_int_equal(v->nmi_masked, i > 0);
        assert_false(v->nmi_pending);
    }
    assert_int_equal(set_callback(CALLBACKTYPE_failsafe, CALLBACKF_mask_events, 0x5030), 0);
    v->arch.pv.ds = 0x1234;
    v->regs.rsp = TOP;
    pv_failsafe(v);
    assert_int_equal(v->regs.rip, 0x5030);
    assert_int_equal(v->regs.rsp, TOP - 11 * 8);
}

static void small_hypercalls(void **state)
{
    static const unsigned int taken[] = {VMASST_TYPE_4gb_segments, VMASST_TYPE_writable_pagetables,
                                         VMASST_TYPE_pae_extended_cr3,
                                         VMASST_TYPE_runstate_update_flag};

    (void)state;
    assert_int_equal(call(__HYPERVISOR_stack_switch, 0xe028, 0x123456, 0), 0);
    assert_int_equal(v->arch.pv.kernel_sp, 0x123456);
    assert_int_equal(v->arch.pv.kernel_ss & 3, 3);
    for (unsigned int i = 0; i < ARRAY_SIZE(taken); i++) {
        assert_int_equal(call(__HYPERVISOR_vm_assist, VMASST_CMD_enable, taken[i], 0), 0);
        assert_true(g.d->vm_assist >> taken[i] & 1);
        assert_int_equal(call(__HYPERVISOR_vm_assist, VMASST_CMD_disable, taken[i], 0), 0);
        assert_false(g.d->vm_assist >> taken[i] & 1);
        assert_int_equal(call(__HYPERVISOR_vm_assist, 2, taken[i], 0), -XEN_ENOSYS);
    }
    assert_int_equal(call(__HYPERVISOR_vm_assist, VMASST_CMD_enable, 31, 0), -XEN_EINVAL);
    assert_int_equal(call(__HYPERVISOR_vm_assist, VMASST_CMD_enable, 32, 0), -XEN_EINVAL);
    for (unsigned int which = SEGBASE_FS; which <= SEGBASE_GS_KERNEL; which++) {
        assert_int_equal(call(__HYPERVISOR_set_segment_base, which, 0x1000 + which, 0), 0);
        assert_int_equal(pv_cpu_read_base(which), 0x1000 + which);
        assert_int_equal(call(__HYPERVISOR_set_segment_base, which, NO_CANON, 0), -XEN_EINVAL);
    }
    assert_int_equal(call(__HYPERVISOR_set_segment_base, SEGBASE_GS_USER_SEL, 0x33, 0), 0);
    assert_int_equal(v->arch.pv.gs, 0x33);
    assert_int_equal(call(__HYPERVISOR_set_segment_base, 4, 0, 0), -XEN_EINVAL);
}

/* 128 stubs of 32 bytes; each loads its own number; what is no stub is a trap. */
static void hypercall_page(void **state)
{
    static uint8_t page[PAGE_SIZE];

    (void)state;
    g.d->ops->fill_hypercall_page(page);
    for (uint32_t nr = 0; nr < 128; nr++) {
        uint8_t *stub = page + nr * 32, *at = memchr(stub, 0xb8, 8);
        uint32_t loaded;

        assert_non_null(at);
        memcpy(&loaded, at + 1, 4);
        assert_int_equal(loaded, nr);
        assert_memory_equal(at + 5, "\x0f\x05", 2); /* syscall */
        assert_int_equal(at[7] == 0xcc, nr == __HYPERVISOR_iret);
        assert_int_equal(stub[31], 0xcc);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(the_guest_gets_its_own, setup, teardown),
        cmocka_unit_test_setup_teardown(debug_exceptions, setup, teardown),
        cmocka_unit_test_setup_teardown(device_not_available, setup, teardown),
        cmocka_unit_test_setup_teardown(software_interrupts, setup, teardown),
        cmocka_unit_test_setup_teardown(privileged_and_forced, setup, teardown),
        cmocka_unit_test_setup_teardown(page_faults, setup, teardown),
        cmocka_unit_test_setup_teardown(faults_of_emulation, setup, teardown),
        cmocka_unit_test_setup_teardown(touches_of_the_ldt, setup, teardown),
        cmocka_unit_test_setup_teardown(faults_of_the_cpu_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(trap_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(callbacks, setup, teardown),
        cmocka_unit_test_setup_teardown(callbacks_are_called, setup, teardown),
        cmocka_unit_test_setup_teardown(small_hypercalls, setup, teardown),
        cmocka_unit_test_setup_teardown(hypercall_page, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
