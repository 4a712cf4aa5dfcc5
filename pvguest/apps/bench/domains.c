/* SPDX-License-Identifier: MIT */
/*
 * Two domains: as vcpus.c, with the other side in a guest of its own. It is started first, with
 * answer=1, and says where it answers the domain that is created next, whose number is one higher;
 * this one has peer=DOMAIN port=PORT of that.
 */
#include <guest/kernel.h>

#include "bench.h"

static evtchn_port_t port;
static volatile bool heard;

static void note(evtchn_port_t from, void *ctx)
{
    (void)from;
    (void)ctx;
    heard = true;
}

static void wait_for_other(void)
{
    event_wait(heard);
    heard = false;
}

int answer_next_domain(void)
{
    domid_t self = own_domid();

    if (self == DOMID_INVALID || event_alloc_unbound((domid_t)(self + 1), note, NULL, &port)) {
        printf("bench: answer: no event channel can be had\n");
        return 1;
    }
    printf("bench: domain %u answers domain %u: peer=%u port=%u\n", self, self + 1u, self, port);
    for (;;) {
        wait_for_other();
        event_send(port);
    }
}

static int prepare_peer(void)
{
    unsigned long peer = cmdline_number("peer", DOMID_INVALID);
    unsigned long remote = cmdline_number("port", 0);

    if (port)
        return 0;
    if (peer >= DOMID_INVALID || remote >= EVENT_PORTS)
        return -1;
    return event_bind_interdomain((domid_t)peer, (evtchn_port_t)remote, note, NULL, &port);
}

static long ask(void)
{
    int rc = event_send(port);

    if (!rc)
        wait_for_other();
    return rc;
}

static long op_round_trip(unsigned int n)
{
    return ASK(n, ask());
}

/* clang-format off */
const struct bench domain_rows[] = {
    {"event_round_trip_domains", op_round_trip, prepare_peer, 0},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
