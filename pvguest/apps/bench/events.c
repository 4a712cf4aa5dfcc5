/* SPDX-License-Identifier: MIT */
/*
 * Events: two ports of this domain, bound to each other, of which what is sent to one arrives at
 * the other; and waiting for them.
 */
#include <guest/kernel.h>

#include "bench.h"

static evtchn_port_t near, far;
static volatile unsigned int events_seen;

static void count_event(evtchn_port_t port, void *ctx)
{
    (void)port;
    (void)ctx;
    events_seen++;
}

static int prepare_events(void)
{
    if (near)
        return 0;
    if (event_alloc_unbound(DOMID_SELF, NULL, NULL, &far))
        return -1;
    return event_bind_interdomain(DOMID_SELF, far, NULL, NULL, &near);
}

static long op_send_pending(unsigned int n)
{
    evtchn_send_t op = {.port = near};

    return ASK(n, HYPERVISOR_event_channel_op(EVTCHNOP_send, &op));
}

static long op_send_fresh(unsigned int n)
{
    evtchn_send_t op = {.port = near};
    long all = 0;

    REPEAT(n, shared_info->evtchn_pending[far / 64] = 0;
           all |= HYPERVISOR_event_channel_op(EVTCHNOP_send, &op));
    return all;
}

static int prepare_quiet(void)
{
    if (prepare_events())
        return -1;
    event_clear_pending(far);
    return 0;
}

static int prepare_delivery(void)
{
    if (prepare_quiet())
        return -1;
    event_set_handler(far, count_event, NULL);
    return 0;
}

static long op_deliver(unsigned int n)
{
    evtchn_send_t op = {.port = near};
    unsigned int before = events_seen;
    long all = ASK(n, HYPERVISOR_event_channel_op(EVTCHNOP_send, &op));

    return events_seen - before == n ? all : -1;
}

static long op_unmask(unsigned int n)
{
    evtchn_unmask_t op = {.port = near};

    return ASK(n, HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &op));
}

static int prepare_pending(void)
{
    return prepare_events() || op_send_pending(1);
}

static long op_poll(unsigned int n)
{
    sched_poll_t op = {.nr_ports = 1, .timeout = 1}; /* long ago */

    set_xen_guest_handle(op.ports, &far);
    return ASK(n, HYPERVISOR_sched_op(SCHEDOP_poll, &op));
}

/* clang-format off */
const struct bench event_rows[] = {
    {"sched_poll_expired",    op_poll,         prepare_quiet, 0},
    {"sched_poll_pending",    op_poll,         prepare_pending, 0},
    {"evtchn_unmask",         op_unmask,       prepare_events, 0},
    {"evtchn_send_pending",   op_send_pending, prepare_events, 0},
    {"evtchn_send_masked",    op_send_fresh,   prepare_events, 0},
    {"evtchn_send_delivered", op_deliver,      prepare_delivery, 0},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
