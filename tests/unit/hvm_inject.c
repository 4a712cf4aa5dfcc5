/* SPDX-License-Identifier: MIT */
/*
 * What a fully virtualized guest sees next: of an exception, an interrupted event, an NMI and an
 * interrupt the first by rank; the others later, by a window where one is needed. And how it sleeps
 * in HLT and is woken.
 */
#include "hvm_whole.h"

#include <core/sched/pause.h>
#include <core/state/guest_ops.h>

#define INJ  b->control.event_inj
#define IRET vmcb_intercepts(b, EXIT_IRET)
#define VEC  0x41

/* A window is open. */
static bool window(void)
{
    bool on = vmcb_intercepts(b, EXIT_VINTR);

    assert_true(!on || (b->control.vintr & VINTR_IRQ && b->control.vintr & VINTR_IGNORE_TPR));
    return on;
}

/* The interrupt that is under way, whatever CR8 says, and by no other event; -1: none is. */
static int interrupt(void)
{
    bool on = (b->control.vintr & VINTR_IRQ) && !window();

    assert_true(!on || (b->control.vintr & VINTR_IGNORE_TPR));
    assert_true(!(INJ & EVENT_VALID) || (INJ & EVENT_TYPE) != EVENT_EXT);
    return on ? (int)(b->control.vintr >> VINTR_VECTOR_SHIFT) : -1;
}

/* The guest takes it: its handler runs, with interrupts off. */
static void take(void)
{
    assert_int_not_equal(interrupt(), -1);
    b->control.vintr &= ~VINTR_IRQ;
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_IF;
}

/* It is entered, and leaves again for the machine's sake. */
static void turn(void)
{
    assert_true(hvm_before_entry(v));
    whole_exit(EXIT_INTR, 0, 0);
}

static void nothing_to_see(void **state)
{
    (void)state;
    assert_true(hvm_before_entry(v));
    assert_int_equal(INJ, 0);
    assert_int_equal(interrupt(), -1);
    assert_false(window());
}

static void an_interrupt(void **state)
{
    (void)state;
    lapic_raise(v, VEC);
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), VEC);
    take();
    whole_exit(EXIT_INTR, 0, 0);
    turn();
    v->regs.rflags |= X86_EFLAGS_IF;
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), -1);
    assert_false(window());
    assert_false(IRET);
}

/* QEMU delivers an interrupt that came by event_inj once more, with interrupts off by then, if it
 * turns to another CPU before the guest has met an exception or an exit. */
static void an_interrupt_is_no_event(void **state)
{
    (void)state;
    lapic_raise(v, VEC);
    assert_true(hvm_before_entry(v));
    assert_int_equal(INJ, 0);
    b->control.exit_int_info = EVENT_VALID | EVENT_EXT | VEC;
    whole_exit(EXIT_INTR, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(INJ, 0);
    assert_int_equal(interrupt(), VEC);
}

/* The machine had something before the guest took it: as if nothing had been. */
static void an_interrupt_that_was_not_taken(void **state)
{
    (void)state;
    lapic_raise(v, VEC);
    turn();
    hvm_inject_exception(v, TRAP_gp_fault, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), VEC);
    assert_int_equal(whole_exception(), TRAP_gp_fault);
    whole_exit(EXIT_HLT, 0, 0);
    assert_true(hvm_before_entry(v)); /* it does not sleep */
    assert_int_equal(interrupt(), VEC);
    assert_true(lapic_pending(v) < 0);
}

/* Looked at twice before it is entered (the CPU had other work meanwhile): the same event. */
static void an_entry_that_was_not(void **state)
{
    (void)state;
    lapic_raise(v, VEC);
    assert_true(hvm_before_entry(v));
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), VEC);
    assert_false(IRET);
}

static int another_way(void **state)
{
    static int yes = 1;

    whole_setup(state);
    *state = &yes;
    return 0;
}

/* The end of the first one's handler is the moment for the second, or a window before it. */
static void a_higher_one_behind_it(void **state)
{
    (void)state;
    lapic_raise(v, VEC);
    assert_true(hvm_before_entry(v));
    lapic_raise(v, VEC + 0x20);
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), VEC);
    assert_true(IRET);
    take();
    whole_exit(*state ? EXIT_IRET : EXIT_CPUID, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), -1);
    assert_true(window());
    v->regs.rflags |= X86_EFLAGS_IF;
    whole_exit(EXIT_VINTR, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), VEC + 0x20);
}

/* Another ran on this CPU, which has other work before it enters v: the flush is not forgotten over
 * that, and not made twice. */
static void a_flush_that_was_not(void **state)
{
    (void)state;
    turn();
    d->ops->load(v);
    for (unsigned int looks = 0; looks < 3; looks++) {
        assert_true(hvm_before_entry(v));
        assert_int_equal(b->control.tlb_control, TLB_CONTROL_ALL);
    }
    whole_exit(EXIT_INTR, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(b->control.tlb_control, TLB_CONTROL_NOTHING);
}

static void windows(void **state)
{
    (void)state;
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_IF;
    lapic_raise(v, VEC);
    turn();
    assert_true(window());
    v->regs.rflags |= X86_EFLAGS_IF;
    b->control.int_state = INT_STATE_SHADOW;
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), -1);
    assert_true(window());
    b->control.int_state = 0;
    whole_exit(EXIT_VINTR, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), VEC);
}

/* TPR holds it back: no window, for TPR falls by an exit. */
static void held_back_by_cr8(void **state)
{
    (void)state;
    lapic_set_cr8(v, VEC >> 4);
    lapic_raise(v, VEC);
    turn();
    assert_int_equal(interrupt(), -1);
    assert_false(window());
    whole_long_mode();
    v->regs.rdx = 1;
    whole_code("\x44\x0f\x22\xc2", 4); /* CR8, RDX */
    whole_exit(EXIT_CR8_WRITE, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), VEC);
}

/* The PIC's come before those of the local APIC, and are held back by no CR8. */
static void the_pic(void **state)
{
    (void)state;
    hvm_port_write(v, 0x20, 1, 0x11);
    hvm_port_write(v, 0x21, 1, 0x30);
    hvm_port_write(v, 0x21, 1, 4);
    hvm_port_write(v, 0x21, 1, 1);
    hvm_port_write(v, 0x21, 1, 0xef); /* IRQ 4 alone */
    hvm_port_write(v, 0x3fc, 1, 8);
    hvm_port_write(v, 0x3f9, 1, 2); /* the UART is empty */
    lapic_raise(v, VEC);
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), 0x34);
    assert_true(IRET); /* for the other */
    take();
    whole_exit(EXIT_INTR, 0, 0);
    turn();
    assert_true(window());
}

/* --- exceptions, in rank --- */

/* The NMI does not wait for an exit of the guest's own. */
static void an_exception_first(void **state)
{
    unsigned int kicks;

    (void)state;
    lapic_raise(v, VEC);
    v->nmi_pending = true;
    hvm_inject_page_fault(v, 0x1234, 2);
    kicks = host_kicks;
    assert_true(hvm_before_entry(v));
    assert_int_equal(host_kicks, kicks + 1);
    assert_int_equal(whole_exception(), TRAP_page_fault);
    assert_int_equal(b->save.cr2, 0x1234);
    assert_true(window());
    assert_true(v->nmi_pending);
    whole_exit(EXIT_INTR, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(INJ, EVENT_VALID | EVENT_NMI | 2);
    assert_true(window());
}

/* --- what an exit interrupted --- */

static void again(void **state)
{
    static const struct {
        uint64_t was, is;
        int interrupt;
    } events[] = {
        {EVENT_VALID | EVENT_EXT | 0x50, 0, 0x50},
        {EVENT_VALID | EVENT_NMI | 2, EVENT_VALID | EVENT_NMI | 2, -1},
        {EVENT_VALID | EVENT_EXCEPTION | EVENT_HAS_CODE | 14 | 6ull << 32,
         EVENT_VALID | EVENT_EXCEPTION | EVENT_HAS_CODE | 14 | 6ull << 32, -1},
        {EVENT_VALID | EVENT_EXCEPTION | 0x50, 0, 0x50}, /* QEMU */
        {EVENT_VALID | EVENT_EXCEPTION | 31, EVENT_VALID | EVENT_EXCEPTION | 31, -1},
        {EVENT_VALID | EVENT_SOFT | 0x80, 0, -1}, /* carried out again */
        {EVENT_VALID | EVENT_EXCEPTION | 3, 0, -1},
        {EVENT_VALID | EVENT_EXCEPTION | 4, 0, -1},
        {EVENT_EXT | 0x50, 0, -1}, /* old: not valid */
    };

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(events); i++) {
        INJ = EVENT_VALID | EVENT_NMI | 2; /* what the entry brought is done */
        b->control.exit_int_info = events[i].was;
        whole_exit(EXIT_INTR, 0, 0);
        assert_int_equal(INJ, events[i].is);
        assert_int_equal(interrupt(), events[i].interrupt);
        b->control.vintr &= ~(VINTR_IRQ | VINTR_IGNORE_TPR);
    }
}

/* A further interrupt is not put over it. */
static void again_before_the_next(void **state)
{
    (void)state;
    b->control.exit_int_info = EVENT_VALID | EVENT_EXT | 0x50;
    lapic_raise(v, 0x61);
    whole_exit(EXIT_INTR, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_int_equal(interrupt(), 0x50);
    assert_true(IRET);
    assert_int_equal(lapic_pending(v), 0x61);
}

/* --- NMI --- */

/* Its IRET does not exit for what waits behind an interrupt that its handler holds up: it would do
 * so for ever. */
static void an_nmi_before_two_interrupts(void **state)
{
    (void)state;
    lapic_raise(v, VEC);
    turn();
    lapic_raise(v, VEC + 0x20);
    v->nmi_pending = true;
    assert_true(hvm_before_entry(v));
    assert_int_equal(INJ, EVENT_VALID | EVENT_NMI | 2);
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_IF;
    whole_exit(EXIT_IRET, 0, 0);
    assert_true(hvm_before_entry(v));
    assert_false(IRET);
    assert_int_equal(interrupt(), VEC);
}

static void no_nmi_in_the_shadow(void **state)
{
    (void)state;
    v->nmi_pending = true;
    b->control.int_state = INT_STATE_SHADOW;
    turn();
    assert_int_equal(host_kicks, 1);
    assert_true(v->nmi_pending);
}

/* --- HLT --- */

static bool sleeps(void)
{
    bool entered = hvm_before_entry(v);

    assert_int_equal(entered, !(v->pause_flags & VPF_blocked));
    return !entered;
}

static void woken_by_what_it_takes(void **state)
{
    (void)state;
    whole_exit(EXIT_HLT, 0, 0);
    assert_true(sleeps());
    host_exit_path();
    assert_ptr_not_equal(current, v);
    lapic_raise(v, VEC);
    assert_false(v->pause_flags & VPF_blocked);
    host_run_as(v);
    assert_false(sleeps());
    assert_int_equal(interrupt(), VEC);
    assert_int_equal(b->save.rip, CODE + 1);
}

static void not_by_what_it_does_not(void **state)
{
    (void)state;
    v->regs.rflags &= ~(uint64_t)X86_EFLAGS_IF;
    whole_exit(EXIT_HLT, 0, 0);
    lapic_raise(v, VEC);
    assert_true(sleeps());
    v->nmi_pending = true;
    vcpu_unblock(v);
    assert_false(sleeps());
    assert_int_equal(INJ, EVENT_VALID | EVENT_NMI | 2);
}

/* The console's events are none of the guest's: they are served and it goes on sleeping. Those that
 * come behind that are looked at before it is entered, or sleeps. */
static void the_console_does_not_end_it(void **state)
{
    struct vcpu_info *info = v->vcpu_info;

    (void)state;
    whole_exit(EXIT_HLT, 0, 0);
    d->shared_info->evtchn_pending[0] = 2;
    info->evtchn_upcall_pending = 1;
    assert_true(sleeps());
    assert_int_equal(d->shared_info->evtchn_pending[0], 0);
    assert_true(v->arch.hvm.halted);
    atomic_and(&v->pause_flags, ~VPF_blocked);
}

static void event_comes(const spinlock_t *l, bool released)
{
    if (l != &d->arch.hvm.devices.lock || !released)
        return;
    host_on_lock = NULL;
    v->vcpu_info->evtchn_upcall_pending = 1;
}

/* It came between the look at the console and the sleep: it neither sleeps nor is entered, with
 * registers and flushes of the last time. */
static void an_event_as_it_falls_asleep(void **state)
{
    (void)state;
    whole_exit(EXIT_HLT, 0, 0);
    v->vcpu_info->evtchn_upcall_pending = 1;
    host_on_lock = event_comes;
    assert_false(hvm_before_entry(v));
    assert_null(host_on_lock);
    assert_false(v->pause_flags & VPF_blocked);
    assert_true(v->arch.hvm.halted);
    assert_true(sleeps());
    atomic_and(&v->pause_flags, ~VPF_blocked);
}

/* An exit in the shadow of STI with HLT next: the next entry may not know the shadow any more, so
 * HLT is done here, and the interrupt ends it. */
static void hlt_behind_sti(void **state)
{
    (void)state;
    whole_code("\xf4", 1);
    b->control.int_state = INT_STATE_SHADOW;
    lapic_raise(v, VEC);
    whole_exit(EXIT_INTR, 0, 0);
    assert_int_equal(v->regs.rip, CODE + 1);
    assert_true(v->arch.hvm.halted);
    assert_false(sleeps());
    assert_int_equal(interrupt(), VEC);
    whole_code("\x90", 1);
    v->regs.rip = CODE;
    b->control.int_state = INT_STATE_SHADOW;
    whole_exit(EXIT_INTR, 0, 0);
    assert_int_equal(v->regs.rip, CODE);
    whole_code("\xf4", 1);
    b->save.cpl = 3; /* a user's HLT is #GP, by the CPU */
    whole_exit(EXIT_INTR, 0, 0);
    assert_int_equal(v->regs.rip, CODE);
}

/* --- starting and stopping others --- */

static void init_and_sipi(void **state)
{
    struct vcpu *w = d->vcpu[1];
    struct vmcb *wb = vmcb_of(w);

    (void)state;
    wb->save.cr3 = 0x5000;
    wb->control.event_inj = EVENT_VALID | 0x50;
    w->initialised = false;
    lapic_send_startup(w, 0x9a);
    host_run_as(w);
    host_hvm_debugreg[0] = 1;
    assert_true(hvm_before_entry(w));
    assert_int_equal(wb->save.cs.selector, 0x9a00);
    assert_int_equal(wb->save.cs.base, 0x9a000);
    assert_int_equal(wb->save.rip, 0);
    assert_int_equal(wb->save.cr3 | wb->control.event_inj | host_hvm_debugreg[0], 0);
    assert_int_equal(wb->control.tlb_control, TLB_CONTROL_ALL);
    assert_true(w->initialised);
    lapic_send_init(w);
    assert_false(hvm_before_entry(w));
    assert_true(w->pause_flags & VPF_down);
    host_exit_path();
    host_run_as(v);
}

#define T(f) cmocka_unit_test_setup_teardown(f, whole_setup, whole_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(nothing_to_see),
        T(an_interrupt),
        T(an_interrupt_is_no_event),
        T(an_interrupt_that_was_not_taken),
        T(an_entry_that_was_not),
        T(a_higher_one_behind_it),
        cmocka_unit_test_setup_teardown(a_higher_one_behind_it, another_way, whole_teardown),
        T(a_flush_that_was_not),
        T(windows),
        T(held_back_by_cr8),
        T(the_pic),
        T(an_exception_first),
        T(again),
        T(again_before_the_next),
        T(an_nmi_before_two_interrupts),
        T(no_nmi_in_the_shadow),
        T(woken_by_what_it_takes),
        T(not_by_what_it_does_not),
        T(the_console_does_not_end_it),
        T(an_event_as_it_falls_asleep),
        T(hlt_behind_sti),
        T(init_and_sipi),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
