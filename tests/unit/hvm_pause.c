/* SPDX-License-Identifier: MIT */
/* A fully virtualized guest that spins, by PAUSE: with whom it shares a CPU. */
#include "hvm_whole.h"

#include <core/sched/pause.h>

static void who_spins_lets_another_run(void **state)
{
    (void)state;
    assert_true(vmcb_intercepts(b, EXIT_PAUSE));
    vcpu_pause(dom0->vcpu[0]);
    lapic_send_startup(d->vcpu[1], 0x9a);
    host_run_as(v);
    whole_exit(EXIT_CPUID, 0, 0);
    host_exit_path();
    assert_ptr_equal(current, v);
    whole_exit(EXIT_PAUSE, 0, 0);
    host_exit_path();
    assert_ptr_equal(current, d->vcpu[1]);
    vcpu_unpause(dom0->vcpu[0]);
}

/* Nobody whom it could wait for. */
static void alone_it_may_spin(void **state)
{
    (void)state;
    d->max_vcpus = 1;
    hvm_reset_vcpu(v);
    d->max_vcpus = 2;
    assert_false(vmcb_intercepts(b, EXIT_PAUSE));
}

#define T(f) cmocka_unit_test_setup_teardown(f, whole_setup, whole_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(who_spins_lets_another_run),
        T(alone_it_may_spin),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
