/* SPDX-License-Identifier: MIT */
/*
 * Events: ports are bound, moved, masked, sent through, polled and closed by many vCPUs at once,
 * and each event that was sent is taken.
 *
 * Each vCPU has a bell and a port that it polls, both IPIs, and its timer. Domains are connected by
 * channels, whose ends come and go; an end belongs to one vCPU of its domain, which alone opens,
 * closes and moves it, as an operating system has a lock for that.
 *
 * What is sent through counts. A handler notes the count when it has cleared the port: so what was
 * sent before is seen. An event is due when its sending began and ended with no change of the
 * channel in between. At rest no channel whose ends are still connected owes one that is due.
 *
 * Waiting for ever is allowed to who knows of a neighbour that will ring before it rests: so a
 * wake-up that is lost leaves somebody asleep who has operations left.
 */
#include "torture.h"
#include "vm_events.h"

#include <string.h>
#include <core/domain/domain_table.h>
#include <core/state/domain.h>
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define DOMAINS  3
#define VM       3 /* and one more: fully virtualized, with channels of their own */
#define CHANNELS 6
#define PORTS    64 /* of a domain; one word */

struct line {
    uint32_t begun, ended; /* changes of the channel */
    uint32_t sent, seen;
    uint64_t due; /* begun << 32 | sent */
};

static const unsigned int vcpus[DOMAINS] = {2, 3, 3};

static struct seat { /* a vCPU's */
    struct line bell, polled;
    uint32_t bell_port, poll_port;
    uint32_t active;
    uint32_t blocks, polls; /* it waits for its neighbour */
} seats[DOMAINS][MOST_VCPUS];

static struct channel {
    struct line to[2];
    uint32_t port[2]; /* 0: not open */
} channels[CHANNELS];

/* What a port of a domain is for. */
static struct line *lines[DOMAINS][PORTS];
static uint32_t bound_to[DOMAINS][PORTS];

static unsigned int domain_of(const struct guest *g)
{
    return g->v->domain->domain_id;
}

static struct seat *seat_of(const struct guest *g)
{
    return &seats[domain_of(g)][g->v->vcpu_id];
}

static unsigned int end_domain(unsigned int channel, unsigned int end)
{
    return (channel + end) % DOMAINS;
}

static void mask(struct guest *g, evtchn_port_t port)
{
    (void)test_and_set_bit(g->v->domain->shared_info->evtchn_mask, port);
}

/* ---- taking them ---- */

/* Two may be at it, when the port has just moved. */
static void note_seen(struct line *l)
{
    uint32_t now = get(&l->sent), was = get(&l->seen);

    while (was < now && !__atomic_compare_exchange_n(&l->seen, &was, now, true, __ATOMIC_RELAXED,
                                                     __ATOMIC_RELAXED))
        ;
}

static void take(struct guest *g, evtchn_port_t port)
{
    struct line *l;

    if (get(&bound_to[domain_of(g)][port]) != g->v->vcpu_id)
        return;
    (void)test_and_clear_bit(g->v->domain->shared_info->evtchn_pending, port);
    if (vm_events_take(g, port))
        return;
    l = get(&lines[domain_of(g)][port]);
    if (l)
        note_seen(l);
}

/* ---- sending ---- */

static void sent(struct guest *g, long rc)
{
    struct line *l = (struct line *)g->a[0];
    uint64_t due = g->a[1] << 32 | g->a[2], was = get(&l->due);

    if (rc || get(&l->begun) != g->a[1])
        return;
    while (was < due && !__atomic_compare_exchange_n(&l->due, &was, due, true, __ATOMIC_RELAXED,
                                                     __ATOMIC_RELAXED))
        ;
}

static void send(struct guest *g, struct line *l, evtchn_port_t port)
{
    uint32_t ended = get(&l->ended);

    g->a[0] = (uint64_t)l;
    g->a[1] = get(&l->begun);
    g->a[2] = count(&l->sent);
    CALL_WITH(g, g->a[1] == ended ? sent : NULL, event_channel_op, EVTCHNOP_send,
              &(struct evtchn_send){.port = port});
}

static void ring(struct guest *g)
{
    struct seat *to = &seats[domain_of(g)][chance(g, vcpus[domain_of(g)])];
    bool bell = chance(g, 2);
    evtchn_port_t port = get(bell ? &to->bell_port : &to->poll_port);

    if (port)
        send(g, bell ? &to->bell : &to->polled, port);
}

static void send_through(struct guest *g)
{
    unsigned int c = chance(g, CHANNELS);

    for (unsigned int end = 0; end < 2; end++) {
        evtchn_port_t port = get(&channels[c].port[end]);

        if (end_domain(c, end) == domain_of(g) && port) {
            send(g, &channels[c].to[!end], port);
            return;
        }
    }
}

/* ---- channels ---- */

static void change(struct channel *c, bool begin)
{
    for (unsigned int i = 0; i < 2; i++)
        (void)count(begin ? &c->to[i].begun : &c->to[i].ended);
}

static void unmask_it(struct guest *g)
{
    guest_unmask(g, (evtchn_port_t)g->a[2]);
}

/* A port is there now, masked: what it is for, and then it may ring. */
static void opened(struct guest *g, evtchn_port_t port)
{
    unsigned int c = (unsigned int)g->a[0], end = (unsigned int)g->a[1];

    put(&bound_to[domain_of(g)][port], 0);
    put(&lines[domain_of(g)][port], &channels[c].to[end]);
    put(&channels[c].port[end], port);
    g->a[2] = port;
    g->next = unmask_it;
}

static void allocated(struct guest *g, long rc)
{
    if (rc)
        torture_failed("alloc_unbound: %ld", rc);
    opened(g, ARGS(g, evtchn_alloc_unbound)->port);
    change(&channels[g->a[0]], false);
}

static void connected(struct guest *g, long rc)
{
    if (rc && rc != -XEN_EINVAL) /* the other end is closed by now */
        torture_failed("bind_interdomain: %ld", rc);
    if (!rc)
        opened(g, ARGS(g, evtchn_bind_interdomain)->local_port);
    change(&channels[g->a[0]], false);
}

static void closed(struct guest *g, long rc)
{
    if (rc)
        torture_failed("close: %ld", rc);
    change(&channels[g->a[0]], false);
}

static void open_end(struct guest *g)
{
    struct channel *c = &channels[g->a[0]];
    unsigned int end = (unsigned int)g->a[1];
    domid_t other = (domid_t)end_domain((unsigned int)g->a[0], !end);
    evtchn_port_t there = get(&c->port[0]);

    if (end == 1 && !there)
        return;
    change(c, true);
    if (end == 0)
        CALL_WITH(g, allocated, event_channel_op, EVTCHNOP_alloc_unbound,
                  &(struct evtchn_alloc_unbound){.dom = DOMID_SELF, .remote_dom = other});
    else
        CALL_WITH(g, connected, event_channel_op, EVTCHNOP_bind_interdomain,
                  &(struct evtchn_bind_interdomain){.remote_dom = other, .remote_port = there});
}

static void close_end(struct guest *g, evtchn_port_t port)
{
    struct channel *c = &channels[g->a[0]];

    change(c, true);
    put(&c->port[g->a[1]], 0);
    mask(g, port);
    put(&lines[domain_of(g)][port], NULL);
    CALL_WITH(g, closed, event_channel_op, EVTCHNOP_close, &(struct evtchn_close){.port = port});
}

static void moved(struct guest *g, long rc)
{
    if (rc)
        torture_failed("bind_vcpu: %ld", rc);
    put(&bound_to[domain_of(g)][g->a[2]], (uint32_t)g->a[3]);
    g->next = unmask_it;
}

static void move(struct guest *g, evtchn_port_t port)
{
    g->a[2] = port;
    g->a[3] = chance(g, vcpus[domain_of(g)]);
    mask(g, port);
    CALL_WITH(g, moved, event_channel_op, EVTCHNOP_bind_vcpu,
              &(struct evtchn_bind_vcpu){.port = port, .vcpu = (uint32_t)g->a[3]});
}

static void at_a_channel(struct guest *g)
{
    unsigned int c = chance(g, CHANNELS);

    for (unsigned int end = 0; end < 2; end++) {
        evtchn_port_t port = get(&channels[c].port[end]);

        if (end_domain(c, end) != domain_of(g) || c % vcpus[domain_of(g)] != g->v->vcpu_id)
            continue;
        g->a[0] = c;
        g->a[1] = end;
        if (!port)
            open_end(g);
        else if (chance(g, 3))
            move(g, port);
        else
            close_end(g, port);
        return;
    }
}

/* ---- waiting ---- */

static void poll_port(struct guest *g, uint64_t until)
{
    struct sched_poll *poll = ARGS(g, sched_poll);
    evtchn_port_t *ports = (evtchn_port_t *)(poll + 1);

    ports[0] = get(&seat_of(g)->poll_port);
    *poll = (struct sched_poll){.ports = g->args + sizeof(*poll), .nr_ports = 1, .timeout = until};
    CALL(g, NULL, sched_op, SCHEDOP_poll, g->args);
}

static void poll_for_a_while(struct guest *g)
{
    poll_port(g, (uint64_t)clock_now() + chance(g, 200) * 1000);
}

/* From here on the neighbour rings before it rests; or it rests already. */
static bool somebody_will_ring(const struct guest *g, uint32_t *waits)
{
    put(waits, 1);
    smp_mb();
    return g->v->vcpu_id && get(&seat_of(g)[-1].active);
}

static void waits_no_more(struct guest *g)
{
    put(&seat_of(g)->blocks, 0);
    put(&seat_of(g)->polls, 0);
    guest_unmask_all(g);
}

static void block_for_long(struct guest *g)
{
    guest_mask_all(g);
    if (somebody_will_ring(g, &seat_of(g)->blocks))
        guest_block(g);
    g->next = waits_no_more;
}

static void clear_polled(struct guest *g)
{
    struct seat *s = seat_of(g);

    (void)test_and_clear_bit(g->v->domain->shared_info->evtchn_pending, get(&s->poll_port));
    note_seen(&s->polled);
}

static void poll_for_long(struct guest *g)
{
    clear_polled(g);
    if (somebody_will_ring(g, &seat_of(g)->polls))
        poll_port(g, 0);
    g->next = waits_no_more;
}

static void compute(struct guest *g)
{
    if (g->b--)
        g->next = compute;
}

static void compute_some(struct guest *g)
{
    g->b = chance(g, 30);
    compute(g);
}

/* ---- the program ---- */

static void bound_poll(struct guest *g, long rc)
{
    if (rc)
        torture_failed("bind_ipi: %ld", rc);
    put(&seat_of(g)->poll_port, ARGS(g, evtchn_bind_ipi)->port); /* stays masked */
}

static void bind_poll(struct guest *g)
{
    CALL_WITH(g, bound_poll, event_channel_op, EVTCHNOP_bind_ipi,
              &(struct evtchn_bind_ipi){.vcpu = g->v->vcpu_id});
}

static void unmask_timer(struct guest *g)
{
    unmask_it(g);
    g->next = bind_poll;
}

static void bound_timer(struct guest *g, long rc)
{
    if (rc)
        torture_failed("bind_virq: %ld", rc);
    g->a[2] = ARGS(g, evtchn_bind_virq)->port;
    put(&bound_to[domain_of(g)][g->a[2]], g->v->vcpu_id);
    g->next = unmask_timer;
}

static void bind_timer(struct guest *g)
{
    CALL_WITH(g, bound_timer, event_channel_op, EVTCHNOP_bind_virq,
              &(struct evtchn_bind_virq){.virq = VIRQ_TIMER, .vcpu = g->v->vcpu_id});
}

static void unmask_bell(struct guest *g)
{
    unmask_it(g);
    g->next = bind_timer;
}

static void bound_bell(struct guest *g, long rc)
{
    if (rc)
        torture_failed("bind_ipi: %ld", rc);
    g->a[2] = ARGS(g, evtchn_bind_ipi)->port;
    put(&bound_to[domain_of(g)][g->a[2]], g->v->vcpu_id);
    put(&lines[domain_of(g)][g->a[2]], &seat_of(g)->bell);
    put(&seat_of(g)->bell_port, (uint32_t)g->a[2]);
    g->next = unmask_bell;
}

static void start(struct guest *g)
{
    CALL_WITH(g, bound_bell, event_channel_op, EVTCHNOP_bind_ipi,
              &(struct evtchn_bind_ipi){.vcpu = g->v->vcpu_id});
}

static void operation(struct guest *g)
{
    static step_fn *const often[] = {ring,           ring,
                                     send_through,   send_through,
                                     guest_yield,    at_a_channel,
                                     at_a_channel,   guest_block_for_a_while,
                                     block_for_long, poll_for_a_while,
                                     poll_for_long,  compute_some};

    g->last = chance(g, ARRAY_SIZE(often));
    if (!vm_events_tell(g))
        often[g->last](g);
}

static void ring_polled(struct guest *g)
{
    struct seat *next = seat_of(g) + 1;

    if (get(&next->polls))
        send(g, &next->polled, get(&next->poll_port));
    g->next = guest_block;
}

/* Rings its neighbour once more, by what it waits for alone; from then on it only takes what comes.
 */
static void rest(struct guest *g)
{
    struct seat *next = seat_of(g) + 1;

    if (!get(&seat_of(g)->active)) {
        if (!vm_events_tell(g))
            guest_block(g);
        return;
    }
    put(&seat_of(g)->active, 0);
    smp_mb();
    if (get(&next->blocks))
        send(g, &next->bell, get(&next->bell_port));
    g->next = ring_polled;
}

static void setup(void)
{
    memset(seats, 0, sizeof(seats));
    memset(channels, 0, sizeof(channels));
    memset(lines, 0, sizeof(lines));
    for (unsigned int i = 0; i < DOMAINS; i++) {
        struct domain *d = torture_domain((domid_t)i, i == 0, vcpus[i], 0);

        memset(d->shared_info->evtchn_mask, 0xff, sizeof(d->shared_info->evtchn_mask));
        for (unsigned int v = 0; v < vcpus[i]; v++)
            seats[i][v].active = 1;
    }
    bound_to[0][vm_events_setup(VM)] = 0;
}

static void check_line(const struct line *l, const char *what, unsigned int i)
{
    if (l->begun == l->ended && l->due >> 32 == l->begun && (uint32_t)l->due > l->seen)
        torture_failed("%s %u: event %u was sent, %u were seen", what, i, (uint32_t)l->due,
                       l->seen);
}

static void check(void)
{
    for (unsigned int i = 0; i < DOMAINS; i++)
        for (unsigned int v = 0; v < vcpus[i]; v++)
            check_line(&seats[i][v].bell, "bell", i * MOST_VCPUS + v);
    for (unsigned int i = 0; i < CHANNELS; i++) {
        struct domain *d = get_domain_by_id((domid_t)end_domain(i, 0));
        const struct evtchn *chn = evtchn_from_port(&d->evtchn, channels[i].port[0]);

        put_domain(d);
        if (chn->state != EVTCHNSTAT_interdomain || chn->remote_port != channels[i].port[1])
            continue;
        check_line(&channels[i].to[0], "channel", i);
        check_line(&channels[i].to[1], "channel back", i);
    }
}

const struct scenario torture_events = {
    .name = "events",
    .what = "ports bound, moved, masked, sent through, polled and closed: nothing sent is lost",
    .operations = 400,
    .vms = 1 << VM | 1 << (VM + 1),
    .vm = &torture_vm_events,
    .setup = setup,
    .start = start,
    .operation = operation,
    .rest = rest,
    .event = take,
    .check = check,
};
