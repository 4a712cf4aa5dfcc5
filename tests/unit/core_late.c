/* SPDX-License-Identifier: MIT */
/*
 * CPUs that idle wake late, and all take turns of some time: what a CPU was told may be out of date
 * when it looks. Random worlds of affinities, of domains that sleep and wake, with and without
 * caps, on a simulated clock: exchanges come to rest, and time goes to guests.
 */
#include "core_test.h"

#include <port/upcalls.h>
#include <xen/sched.h>

#define WORLDS  400u
#define TOTAL   MILLISECS(700)
#define STEP    MICROSECS(100)
#define TURN    MICROSECS(1)
#define LATE    3u             /* turns, until a CPU that idles and is told looks */
#define AT_REST MICROSECS(200) /* after so long no CPU has anything to do for a moment */
#define MOST    6u

static struct domain *dom[MOST];
static unsigned int domains, on[MOST], off[MOST]; /* of STEP */
static uint64_t seed;

static unsigned int any(unsigned int n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned int)((seed >> 33) % n);
}

static void begin(unsigned int world, bool caps)
{
    unsigned int cpus, vcpus;
    struct vcpu *v;

    seed = world * 2654435761ull + 1;
    (void)any(2);
    host_init(4096);
    host_no_tlbs = true;
    cpus = 2 + any(7);
    host_set_cpus(cpus);
    domains = 2 + any(MOST - 1);
    for (unsigned int i = 0; i < domains; i++) {
        vcpus = 1 + any(4);
        dom[i] = host_domain((domid_t)i, false, vcpus, 0);
        sched_set_domain(dom[i], (uint16_t)(64 + any(512)), 0);
        if (caps && any(2))
            sched_set_domain(dom[i], dom[i]->sched.weight, (uint16_t)(20 + any(100 * vcpus)));
        for_each_vcpu (dom[i], v) {
            bool pinned = any(2), anywhere = any(2);
            uint64_t some = 1 + any((1u << cpus) - 1);

            if (pinned)
                assert_int_equal(sched_set_affinity(v, anywhere ? some : 1ull << any(cpus)), 0);
        }
        on[i] = 1 + any(200);
        off[i] = any(3) ? any(100) : 0;
    }
    host_advance(0);
}

/* Each CPU that has something to do, and is not late, takes a turn. Has any? */
static bool turns(void)
{
    static unsigned int waited[HOST_MOST_CPUS];
    bool pending = false;

    for (unsigned int i = 0; i < machine_nr_cpus(); i++) {
        struct cpu *c = cpu_by_id(i);

        if (clock_now() >= host_armed_at[i])
            atomic_or(&c->pending, CPU_WORK_TIMER);
        if (!c->pending)
            continue;
        pending = true;
        if (c->running == c->idle && waited[i]++ < LATE)
            continue;
        waited[i] = 0;
        host_run_on(i);
        cpu_do_pending();
        host_run_on(0);
    }
    return pending;
}

/* How long CPUs were busy with themselves, at most. */
static s_time_t run_for(s_time_t ns)
{
    s_time_t end = clock_now() + ns, busy = 0, longest = 0, at;

    for (;;) {
        if (turns()) {
            busy += TURN;
            longest = MAX(longest, busy);
            host_time_passes(TURN);
            if (longest > AT_REST)
                return longest;
            continue;
        }
        busy = 0;
        at = end;
        for (unsigned int i = 0; i < machine_nr_cpus(); i++)
            at = MIN(at, host_armed_at[i]);
        if (clock_now() >= end)
            return longest;
        host_time_passes(MAX(at - clock_now(), 0));
    }
}

static void exchanges_end(bool caps)
{
    struct vcpu *v;

    for (unsigned int world = 0; world < WORLDS; world++) {
        begin(world, caps);
        for (unsigned int t = 0; t < TOTAL / STEP; t++) {
            for (unsigned int i = 0; i < domains; i++)
                for_each_vcpu (dom[i], v)
                    if (off[i])
                        host_keep(v, (t + 7 * v->vcpu_id) % (on[i] + off[i]) < on[i]);
            if (run_for(STEP) > AT_REST)
                fail_msg("world %u: after %u steps CPUs exchange without end", world, t);
        }
        host_check_invariants();
    }
}

static void without_caps(void **state)
{
    (void)state;
    exchanges_end(false);
}

static void with_caps(void **state)
{
    (void)state;
    exchanges_end(true);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(without_caps),
        cmocka_unit_test(with_caps),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
