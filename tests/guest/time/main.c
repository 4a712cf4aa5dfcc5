/* SPDX-License-Identifier: MIT */
/*
 * Shows: time goes forward, timers fire when they should and not before, and nonsense
 * deadlines do no harm.
 *
 * No check depends on how fast the machine is: only on order. A timer may be late; it may be early
 * only by as much as the clocks of two processors can differ.
 *
 * XSA-20 (a timer period that overflows), XSA-336.
 */
#include "test.h"

const char test_name[] = "time";

#define MS       1000000ul
#define READINGS 20000
#define WAIT     (40 * MS)
#define SKEW     (20 * MS) /* what the clocks of two busy processors may differ by, and more */

static unsigned int ticks;

static void tick(evtchn_port_t port, void *ctx)
{
    (void)port;
    (void)ctx;
    ticks++;
}

static void clocks(void)
{
    uint64_t last = time_system_ns(), first = last;
    unsigned int backward = 0;
    uint64_t wall = time_wall(NULL);
    const vcpu_time_info_t *t = &shared_info->vcpu_info[0].time;

    for (unsigned int i = 0; i < READINGS; i++) {
        uint64_t now = time_system_ns();

        backward += now < last;
        last = now;
    }
    CHECK_EQ(backward, 0, "system time never goes backward");
    CHECK(last > first, "and goes forward");
    CHECK(wall > 1577836800, "the wall clock is later than 2020");
    CHECK(time_wall(NULL) >= wall, "and does not go backward");
    CHECK(!(t->version & 1), "the time record is not left half-written");
    CHECK(t->tsc_to_system_mul != 0, "it has a scale");
}

/* On a busy machine the deadline may pass before it is cancelled: then that try shows nothing. */
static void cancelled(void)
{
    uint64_t deadline;

    do {
        deadline = time_system_ns() + 20 * MS;
        CHECK_EQ(HYPERVISOR_set_timer_op(deadline), 0, "set");
        CHECK_EQ(HYPERVISOR_set_timer_op(0), 0, "and cancelled");
        ticks = 0;
    } while (time_system_ns() >= deadline);
    while (time_system_ns() < deadline + SKEW)
        cpu_relax();
    CHECK_EQ(ticks, 0, "a cancelled timer does not come");
}

static void one_shot(void)
{
    uint64_t deadline = time_system_ns() + WAIT, seen;

    ticks = 0;
    CHECK_EQ(HYPERVISOR_set_timer_op(deadline), 0, "a deadline can be set");
    event_wait(ticks);
    seen = time_system_ns();
    CHECK(seen + SKEW >= deadline, "it is not early");
    CHECK_EQ(ticks, 1, "it comes once");
    cancelled();
    ticks = 0;
    HYPERVISOR_set_timer_op(1);
    event_wait(ticks);
    CHECK_EQ(ticks, 1, "a deadline in the past comes at once");
    CHECK_EQ(HYPERVISOR_set_timer_op(~0ul), 0, "the end of time is a deadline");
    HYPERVISOR_set_timer_op(0);
}

static void vcpu_timers(void)
{
    vcpu_set_singleshot_timer_t shot = {.timeout_abs_ns = time_system_ns() + WAIT};
    vcpu_set_periodic_timer_t period = {.period_ns = 2 * MS};

    ticks = 0;
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &shot), 0, "VCPUOP one-shot");
    event_wait(ticks);
    CHECK(time_system_ns() + SKEW >= shot.timeout_abs_ns, "is not early");
    shot = (vcpu_set_singleshot_timer_t){.timeout_abs_ns = 1, .flags = VCPU_SSHOTTMR_future};
    CHECK_EITHER(HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 0, &shot), -XEN_ETIME, 0,
                 "with the flag a deadline in the past may be refused");
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_stop_singleshot_timer, 0, NULL), 0, "stopped");

    ticks = 0;
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &period), 0, "a period");
    while (READ_ONCE(ticks) < 3) /* a vCPU that sleeps need not get any */
        cpu_relax();
    CHECK(ticks >= 3, "comes again and again while the vCPU runs");
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL), 0, "until it is stopped");
    period.period_ns = 1;
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &period), -XEN_EINVAL,
             "a period that is too short is refused");
    period.period_ns = ~0ul;
    CHECK(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, 0, &period) <= 0,
          "XSA-20: a period that overflows does no harm");
    HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, 0, NULL);
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_set_singleshot_timer, 99, &shot), -XEN_ENOENT,
             "no such vCPU");
}

static void sleeping(void)
{
    uint64_t before = time_system_ns();

    time_sleep_ns(3 * MS);
    CHECK(time_system_ns() - before >= 3 * MS, "a sleep lasts as long as it was asked to");
}

static void run_states(void)
{
    static vcpu_runstate_info_t info, asked;
    vcpu_register_runstate_memory_area_t area;
    uint64_t sum = 0, blocked, running;

    set_xen_guest_handle(area.addr.h, &info);
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, 0, &area), 0, "registered");
    CHECK_EQ(info.state, RUNSTATE_running, "the vCPU that looks is running");
    blocked = info.time[RUNSTATE_blocked];
    /* A machine that had no time for us may have passed the end before we slept. */
    for (unsigned int i = 0; i < 50 && info.time[RUNSTATE_blocked] == blocked; i++)
        time_sleep_ns(3 * MS);
    CHECK(info.time[RUNSTATE_blocked] > blocked, "a sleep counts as blocked");
    for (unsigned int i = 0; i < ARRAY_SIZE(info.time); i++)
        sum += info.time[i];
    CHECK(sum <= time_system_ns() + SKEW, "the sum of all states is no more than there was time");
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &asked), 0, "it can be asked, too");
    for (running = asked.time[RUNSTATE_running]; time_system_ns() < asked.state_entry_time + MS;)
        ;
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, 0, &asked), 0, "and once more");
    CHECK(asked.time[RUNSTATE_running] > running, "what is asked has the time that runs, too");
}

void test_main(void)
{
    evtchn_bind_virq_t again = {.virq = VIRQ_TIMER, .vcpu = 0};
    evtchn_port_t port = 0;

    /* The kernel bound VIRQ_TIMER for itself: find its port and watch it. */
    CHECK_EQ(HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &again), -XEN_EEXIST, "bound already");
    for (evtchn_port_t p = 1; p < 64 && !port; p++) {
        evtchn_status_t s = {.dom = DOMID_SELF, .port = p};

        if (!HYPERVISOR_event_channel_op(EVTCHNOP_status, &s) && s.status == EVTCHNSTAT_virq &&
            s.u.virq == VIRQ_TIMER)
            port = p;
    }
    NEED(port);
    event_set_handler(port, tick, NULL);
    clocks();
    one_shot();
    vcpu_timers();
    sleeping();
    run_states();
}
