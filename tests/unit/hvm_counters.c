/* SPDX-License-Identifier: MIT */
/*
 * The event counters of a fully virtualized guest: each exit counts once, by its code; what is
 * injected once, however often the entry is tried; its local APIC's timer and interrupts.
 */
#include "hvm_whole.h"

#include "counters_seen.h"

#include <core/life/life.h>
#include <hvm/cpu.h>
#include <hvm/hvm_ops.h>
#include <xen/hvm/params.h>
#include <xen/sched.h>
#include <xen/version.h>

static int setup(void **state)
{
    whole_setup(state);
    counters_look(v);
    return 0;
}

static const unsigned int counter[] = {
#define X(name, code) [code] = COUNTER_##name,
    COUNTERS_OF_EXITS(X)
#undef X
};

static void exits(void **state)
{
    unsigned int seen = 0;
    uint64_t injections;

    (void)state;
    for (unsigned int code = 0; code < ARRAY_SIZE(counter); code++) {
        if (!counter[code])
            continue;
        injections = v->counter[COUNTER_injections];
        b->control.event_inj = 0;
        whole_exit(code, 1u << 4, 0);
        counters_seen[COUNTER_injections] += v->counter[COUNTER_injections] - injections;
        counted(v, counter[code]);
        seen++;
    }
    assert_true(seen > 20);
}

/* Each that is not the end of the guest has one, but what no guest does in earnest. */
static void every_exit_has_a_row(void **state)
{
    static const uint8_t none[] = {EXIT_SMI,
                                   EXIT_INIT,
                                   EXIT_VMRUN,
                                   EXIT_VMLOAD,
                                   EXIT_VMSAVE,
                                   EXIT_STGI,
                                   EXIT_CLGI,
                                   EXIT_SKINIT,
                                   EXIT_INVLPGA,
                                   EXIT_MONITOR,
                                   EXIT_MWAIT,
                                   EXIT_MWAIT_IF,
                                   EXIT_RDPRU,
                                   EXIT_EXCEPTION + TRAP_machine_check,
                                   EXIT_EXCEPTION + TRAP_invalid_tss,
                                   EXIT_EXCEPTION + TRAP_no_segment,
                                   EXIT_EXCEPTION + TRAP_stack_error,
                                   EXIT_EXCEPTION + TRAP_gp_fault,
                                   EXIT_EXCEPTION + TRAP_page_fault};

    (void)state;
    for (unsigned int code = 0; code < EXIT_RDPRU + 2; code++) {
        if ((code < ARRAY_SIZE(counter) && counter[code]) || memchr(none, (int)code, sizeof(none)))
            continue;
        whole_exit(code, 0, 0);
        counted(v, COUNTER_exit_other);
        assert_int_equal(whole_end(), SHUTDOWN_crash);
        domain_resume(d);
    }
}

static void exits_without_a_row(void **state)
{
    (void)state;
    whole_exit(EXIT_SMI, 0, 0);
    counted(v, COUNTER_exit_other);
    whole_exit(EXIT_MONITOR, 0, 0);
    counted(v, COUNTER_exit_other, COUNTER_injections); /* #UD */
    for (unsigned int i = TRAP_invalid_tss; i <= TRAP_page_fault; i++) {
        whole_exit(EXIT_EXCEPTION + i, 0, 0);
        counted(v, COUNTER_exit_other, COUNTER_injections);
    }
    whole_exit(EXIT_NPF, 0, 0xfed00000);
    assert_int_equal(whole_end(), SHUTDOWN_crash); /* its code is no MOV */
    counted(v, COUNTER_exit_npt_fault);
    whole_exit(0x8f, 0, 0);
    whole_exit(0x12345, 0, 0);
    whole_exit(~0ull, 0, 0);
    counted(v, COUNTER_exit_other, COUNTER_exit_other, COUNTER_exit_other);
}

static void injections(void **state)
{
    (void)state;
    lapic_raise(v, 0x41);
    assert_true(hvm_before_entry(v));
    counted(v, COUNTER_injections);
    assert_true(hvm_before_entry(v)); /* the CPU had other work meanwhile */
    counters_judge(v, NULL, 0);
    whole_exit(EXIT_INTR, 0, 0);
    counted(v, COUNTER_exit_interrupt);
    v->nmi_pending = true;
    assert_true(hvm_before_entry(v));
    counted(v, COUNTER_injections);
    whole_exit(EXIT_VMMCALL, 0, 0);
    counted(v, COUNTER_exit_vmmcall, COUNTER_injections);
}

static void timer_and_interrupts(void **state)
{
    struct lapic *l = lapic_of(v);

    (void)state;
    lapic_send(v, 0x41, 0); /* to itself, by its id */
    counted(v, COUNTER_ipis);
    lapic_send(v, 1, 0); /* no such vector: nothing is sent */
    counters_judge(v, NULL, 0);
    l->reg[LAPIC_LVT_TIMER] = 0xe0;
    lapic_timer_write(v, LAPIC_TIMER_INITIAL, 1000);
    host_advance(MILLISECS(1));
    (void)lapic_timer_current(v);
    counted(v, COUNTER_timers);
    l->reg[LAPIC_LVT_TIMER] = 0xe0 | LVT_MASKED;
    lapic_timer_write(v, LAPIC_TIMER_INITIAL, 1000);
    host_advance(MILLISECS(1));
    (void)lapic_timer_current(v);
    counters_judge(v, NULL, 0);
}

/* --- of a guest that is told of Xen --- */

static int setup_told(void **state)
{
    whole_setup(state);
    whole_told_of_xen();
    counters_look(v);
    return 0;
}

static void hypercalls(void **state)
{
    (void)state;
    assert_true(whole_vmmcall(__HYPERVISOR_xen_version, XENVER_version, 0, 0) > 0);
    counted(v, COUNTER_exit_vmmcall, HYPERCALL_NR(xen_version));
    assert_int_equal(whole_vmmcall(NR_HYPERCALLS, 0, 0, 0), -XEN_ENOSYS);
    counted(v, COUNTER_exit_vmmcall);
}

static void upcalls(void **state)
{
    (void)state;
    d->arch.hvm.param[HVM_PARAM_CALLBACK_IRQ] = 2ull << 56 | 0xf3;
    vcpu_mark_events_pending(v);
    counters_judge(v, NULL, 0);
    assert_true(hvm_before_entry(v));
    counted(v, COUNTER_upcalls, COUNTER_injections);
    assert_true(hvm_before_entry(v)); /* it is under way */
    counters_judge(v, NULL, 0);
    b->control.vintr &= ~VINTR_IRQ;
    v->vcpu_info->evtchn_upcall_pending = 0;
    whole_exit(EXIT_INTR, 0, 0);
    counted(v, COUNTER_exit_interrupt);
    assert_int_equal(hvm_set_upcall_vector(v, 0x60), 0); /* its own, by its local APIC */
    vcpu_mark_events_pending(v);
    counted(v, COUNTER_upcalls);
    assert_true(hvm_before_entry(v));
    counted(v, COUNTER_injections);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(exits, setup, whole_teardown),
        cmocka_unit_test_setup_teardown(every_exit_has_a_row, setup, whole_teardown),
        cmocka_unit_test_setup_teardown(exits_without_a_row, setup, whole_teardown),
        cmocka_unit_test_setup_teardown(injections, setup, whole_teardown),
        cmocka_unit_test_setup_teardown(timer_and_interrupts, setup, whole_teardown),
        cmocka_unit_test_setup_teardown(hypercalls, setup_told, whole_teardown),
        cmocka_unit_test_setup_teardown(upcalls, setup_told, whole_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
