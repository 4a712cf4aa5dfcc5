/* SPDX-License-Identifier: MIT */
/*
 * Two domains: as vcpus.c, with the other side in a guest of its own. It is started first, with
 * answer=1, and says where it answers the domain that is created next, whose number is one higher;
 * this one has peer=DOMAIN port=PORT of that. The one that answers has no end of its own, so it
 * listens to the store, which may be served late: only then can it be told to shut down.
 */
#include <guest/kernel.h>
#include <guest/xenbus.h>

#include "bench.h"

static evtchn_port_t port;
static volatile bool heard;

static void note(evtchn_port_t from, void *ctx)
{
    (void)from;
    (void)ctx;
    heard = true;
}

static void answer(void)
{
    if (!heard)
        return;
    heard = false;
    event_send(port);
}

static void obey_store(void)
{
    int reason = xenbus_has_work() ? lifecycle_request() : -1;

    if (reason >= 0)
        shutdown_domain((unsigned int)reason);
}

int answer_next_domain(void)
{
    domid_t self = own_domid();

    if (self == DOMID_INVALID || event_alloc_unbound((domid_t)(self + 1), note, NULL, &port)) {
        printf("bench: answer: no event channel can be had\n");
        return 1;
    }
    printf("bench: domain %u answers domain %u: peer=%u port=%u\n", self, self + 1u, self, port);
    lifecycle_init();
    for (;;) {
        event_wait(heard || xenbus_has_work());
        answer();
        obey_store();
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
        event_wait(heard);
    heard = false;
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
