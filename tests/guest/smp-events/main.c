/* SPDX-License-Identifier: MIT */
/*
 * Shows: no event is lost between vCPUs, however many are sent at once, a vCPU that blocks or polls
 * is woken by each that comes meanwhile, and each is handled on the vCPU that it was sent to.
 *
 * Every vCPU has a port from every vCPU, itself among them. Storm: each sends to all at random and
 * at last once more, with a number that the receiver must have seen. Ring: a token goes round while
 * all but one block, then while they poll. Every port: a vCPU may send to any number there is.
 */
#include "test.h"

const char test_name[] = "smp-events";

#define MOST   8u
#define STORM  3000u
#define ROUNDS 500u

static evtchn_port_t port[MOST][MOST]; /* [from][to] */
static uint32_t sent[MOST][MOST], seen[MOST][MOST];
static uint32_t token;
static uint32_t strays; /* handled on another vCPU than the port's */
static unsigned int vcpus, through;

static void wait_for_all(void)
{
    __atomic_add_fetch(&through, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&through, __ATOMIC_SEQ_CST) % vcpus)
        test_rest();
}

static void at(evtchn_port_t which, void *ctx)
{
    unsigned int from = (unsigned int)(uintptr_t)ctx / MOST,
                 to = (unsigned int)(uintptr_t)ctx % MOST;

    (void)which;
    if (this_cpu()->id != to)
        __atomic_add_fetch(&strays, 1, __ATOMIC_SEQ_CST);
    __atomic_store_n(&seen[from][to], __atomic_load_n(&sent[from][to], __ATOMIC_SEQ_CST),
                     __ATOMIC_SEQ_CST);
}

static void send(unsigned int from, unsigned int to)
{
    __atomic_add_fetch(&sent[from][to], 1, __ATOMIC_SEQ_CST);
    event_send(port[from][to]);
}

static bool all_seen(unsigned int to)
{
    for (unsigned int from = 0; from < vcpus; from++)
        if (__atomic_load_n(&seen[from][to], __ATOMIC_SEQ_CST) !=
            __atomic_load_n(&sent[from][to], __ATOMIC_SEQ_CST))
            return false;
    return true;
}

static void storm(unsigned int me)
{
    uint32_t random = me + 1;

    for (unsigned int i = 0; i < STORM; i++)
        send(me, test_random(&random) % vcpus);
    for (unsigned int to = 0; to < vcpus; to++)
        send(me, to);
    wait_for_all();
    /* What was sent last wakes us, or has: a lost one leaves the test without an end. */
    event_wait(all_seen(me));
}

static bool my_turn(unsigned int me)
{
    return __atomic_load_n(&token, __ATOMIC_SEQ_CST) % vcpus == me;
}

static void pass_on(unsigned int me)
{
    __atomic_add_fetch(&token, 1, __ATOMIC_SEQ_CST);
    send(me, (me + 1) % vcpus);
}

static void ring(unsigned int me)
{
    for (unsigned int i = 0; i < ROUNDS; i++) {
        event_wait(my_turn(me));
        pass_on(me);
    }
}

static void ring_of_polls(unsigned int me)
{
    unsigned int before = (me + vcpus - 1) % vcpus;
    bool were = events_disable();

    for (unsigned int i = 0; i < ROUNDS; i++) {
        while (!my_turn(me)) {
            event_clear_pending(port[before][me]);
            if (!my_turn(me) && sched_poll(&port[before][me], 1, 0))
                return;
        }
        pass_on(me);
    }
    events_restore(were);
}

static void every_port(unsigned int me)
{
    long odd = 0;

    (void)me;
    for (evtchn_port_t p = 0; p < EVENT_PORTS + 2; p++) {
        int rc = event_send(p);

        odd += rc && rc != -XEN_EINVAL;
    }
    CHECK_EQ(odd, 0, "a send to any port is done, or no port");
}

void test_main(void)
{
    vcpus = test_vcpus();
    if (vcpus > MOST)
        vcpus = MOST;
    for (unsigned int from = 0; from < vcpus; from++)
        for (unsigned int to = 0; to < vcpus; to++)
            NEED(!event_bind_ipi(to, at, (void *)(uintptr_t)(from * MOST + to), &port[from][to]));
    NEED(test_on_all(storm));
    CHECK_EQ(through, vcpus, "all events of a storm were seen");
    CHECK_EQ(strays, 0, "and each on the vCPU of its port");
    NEED(test_on_all(ring));
    CHECK_EQ(token, ROUNDS * vcpus, "a token goes round among vCPUs that block");
    token = 0;
    NEED(test_on_all(ring_of_polls));
    CHECK_EQ(token, ROUNDS * vcpus, "and among vCPUs that poll");
    NEED(test_on_all(every_port));
}
