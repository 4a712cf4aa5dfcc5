/* SPDX-License-Identifier: MIT */
/*
 * Shows: blocking, yielding and polling end when they should, and the operations of sched.h
 * refuse what they must.
 *
 * XSA-221 (SCHEDOP_poll with ports that are not checked).
 */
#include "test.h"

const char test_name[] = "sched";

#define MS   1000000ul
#define SKEW (20 * MS) /* what the clocks of two busy processors may differ by, and more */

#define MANY 100u

static unsigned int events;

static void seen(evtchn_port_t port, void *ctx)
{
    (void)port;
    (void)ctx;
    events++;
}

static void polling(void)
{
    evtchn_port_t ipi, ports[130];
    uint64_t deadline = time_system_ns() + 2 * SKEW;
    sched_poll_t poll = {.nr_ports = 1};
    unsigned int polls = 0;

    NEED(!event_bind_ipi(0, NULL, NULL, &ipi)); /* stays masked: nobody is called */
    /* Any event for the vCPU may end a poll early (the console's, say), but few come. */
    do
        CHECK_EQ(sched_poll(&ipi, 1, deadline), 0, "a poll with nothing pending");
    while (++polls < MANY && time_system_ns() + SKEW < deadline);
    CHECK(polls < MANY, "sleeps until its deadline");
    event_send(ipi);
    CHECK_EQ(sched_poll(&ipi, 1, 0), 0, "a poll with something pending ends at once");
    CHECK(event_is_pending(ipi), "and leaves it pending");
    event_clear_pending(ipi);
    CHECK_EQ(sched_poll(&ipi, 1, 1), 0, "a deadline in the past ends at once");
    CHECK_EQ(sched_poll(NULL, 0, time_system_ns() + MS), 0, "no ports: a sleep");

    for (unsigned int i = 0; i < ARRAY_SIZE(ports); i++)
        ports[i] = ipi;
    CHECK_EQ(sched_poll(ports, 129, 1), -XEN_EINVAL, "more than 128 ports are refused");
    ports[0] = 0xffffffff;
    CHECK_EQ(sched_poll(ports, 1, 1), -XEN_EINVAL, "XSA-221: a port that cannot be");
    ports[0] = EVENT_PORTS - 1;
    CHECK_EQ(sched_poll(ports, 1, 1), -XEN_EINVAL, "XSA-221: a port that was never made");
    set_xen_guest_handle(poll.ports, (void *)0x10000);
    CHECK_EQ(HYPERVISOR_sched_op(SCHEDOP_poll, &poll), -XEN_EFAULT, "ports in unmapped memory");
    CHECK_EQ(event_close(ipi), 0, "closed");
}

static void blocking(void)
{
    evtchn_port_t ipi;

    NEED(!event_bind_ipi(0, seen, NULL, &ipi));
    events_disable();
    event_send(ipi);
    sched_block();
    CHECK_EQ(events, 1, "blocking with an event pending returns at once, the event delivered");
    events_disable();
    CHECK(HYPERVISOR_set_timer_op(time_system_ns() + MS) == 0, "a timer");
    sched_block();
    CHECK(events_disable(), "blocking unmasks events");
    events_enable();
    for (int i = 0; i < 100; i++)
        sched_yield();
    CHECK_EQ(HYPERVISOR_sched_op(SCHEDOP_yield, NULL), 0, "yielding is always possible");
    CHECK_EQ(event_close(ipi), 0, "closed");
}

static void refusals(void)
{
    sched_remote_shutdown_t remote = {.domain_id = 0, .reason = SHUTDOWN_crash};
    sched_watchdog_t dog = {.id = 1234, .timeout = 10};

    CHECK_EQ(HYPERVISOR_sched_op(99, &remote), -XEN_ENOSYS, "an unknown operation");
    CHECK_EQ(HYPERVISOR_sched_op(SCHEDOP_shutdown, (void *)0x10000), -XEN_EFAULT,
             "shutting down for a reason in unmapped memory");
    CHECK(HYPERVISOR_sched_op(SCHEDOP_remote_shutdown, &remote) < 0,
          "shutting another domain down is not for us");
    CHECK(HYPERVISOR_sched_op(SCHEDOP_watchdog, &dog) < 0, "a watchdog that does not exist");
    dog = (sched_watchdog_t){.id = 0, .timeout = 1000};
    CHECK(HYPERVISOR_sched_op(SCHEDOP_watchdog, &dog) > 0, "a watchdog is a positive number");
    dog.id = 1;
    CHECK_EQ(HYPERVISOR_sched_op(SCHEDOP_watchdog, &dog), 0, "it can be fed");
    dog.timeout = 0;
    CHECK_EQ(HYPERVISOR_sched_op(SCHEDOP_watchdog, &dog), 0, "and put away");
}

void test_main(void)
{
    polling();
    blocking();
    refusals();
}
