/* SPDX-License-Identifier: MIT */
/*
 * Two vCPUs: an event to another one that sleeps, which answers by an event to this one, which
 * sleeps until then. On one CPU that is two switches. The last row, since the other vCPU stays.
 */
#include <guest/kernel.h>

#include "bench.h"

#define OTHER 1u

static evtchn_port_t question, answer;
static volatile bool asked, answered;

static void note(evtchn_port_t port, void *ctx)
{
    (void)port;
    *(volatile bool *)ctx = true;
}

static void answer_all(void *arg)
{
    (void)arg;
    for (;;) {
        event_wait(asked);
        asked = false;
        event_send(answer);
    }
}

static int prepare_other(void)
{
    if (question)
        return 0;
    if (event_bind_ipi(0, note, (void *)(uintptr_t)&answered, &answer) ||
        smp_start(OTHER, answer_all, NULL))
        return -1;
    return event_bind_ipi(OTHER, note, (void *)(uintptr_t)&asked, &question);
}

static long ask(void)
{
    int rc;

    answered = false;
    rc = event_send(question);
    if (!rc)
        event_wait(answered);
    return rc;
}

static long op_round_trip(unsigned int n)
{
    return ASK(n, ask());
}

/* clang-format off */
const struct bench vcpu_rows[] = {
    {"event_round_trip", op_round_trip, prepare_other, 0},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
