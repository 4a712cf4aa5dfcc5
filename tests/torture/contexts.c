/* SPDX-License-Identifier: MIT */
/*
 * Contexts: vCPUs get theirs, and a place for their vcpu_info, from several others at once, go up
 * and down, have events meanwhile, and are looked at by the control domain, which gives them
 * contexts too, their first or another, while they run: two registers, which are alike.
 *
 * Each vCPU is initialised once, whoever asks, and moves its vcpu_info once. Its bell is rung
 * before, while and after that; at rest it has heard all.
 *
 * vCPUs 0 and 1 are up from the start and never go down; before vCPU 0 rests it brings the others
 * up for good, when vCPU 1 rests already.
 */
#include "torture.h"

#include <string.h>
#include <core/domain/domain_table.h>
#include <core/life/domain_system.h>
#include <core/state/guest_ops.h>
#include <xen/event_channel.h>
#include <xen/vcpu.h>

#define DOMAINS 3
#define VCPUS   4
#define UP      2
#define AT_REST (~0ull)

static struct state { /* of a vCPU */
    uint32_t port, sent, due, seen;
    uint32_t initialised, moved;
} states[DOMAINS][VCPUS];
static uint32_t resting[DOMAINS]; /* vCPU 1 */
static uint64_t frames[DOMAINS][VCPUS];

static struct state *state_of(const struct guest *g, unsigned int vcpu)
{
    return &states[g->v->domain->domain_id][vcpu];
}

/* One of those that may be down. */
static unsigned int other(struct guest *g)
{
    return UP + chance(g, VCPUS - UP);
}

static bool dying(const struct guest *g)
{
    return READ_ONCE(g->v->domain->dying);
}

/* ---- bells ---- */

static void event(struct guest *g, evtchn_port_t port)
{
    struct state *s = state_of(g, g->v->vcpu_id);

    if (get(&s->port) != port)
        return;
    (void)test_and_clear_bit(g->v->domain->shared_info->evtchn_pending, port);
    put(&s->seen, get(&s->sent));
}

static void sent(struct guest *g, long rc)
{
    struct state *s = state_of(g, (unsigned int)g->a[0]);
    uint32_t was = get(&s->due), due = (uint32_t)g->a[1];

    if (rc)
        return;
    while (was < due && !__atomic_compare_exchange_n(&s->due, &was, due, true, __ATOMIC_RELAXED,
                                                     __ATOMIC_RELAXED))
        ;
}

static void ring(struct guest *g)
{
    unsigned int to = chance(g, VCPUS);
    struct state *s = state_of(g, to);
    evtchn_port_t port = get(&s->port);

    if (!port)
        return;
    g->a[0] = to;
    g->a[1] = count(&s->sent);
    CALL_WITH(g, sent, event_channel_op, EVTCHNOP_send, &(struct evtchn_send){.port = port});
}

/* ---- contexts ---- */

static void initialised(struct guest *g, long rc)
{
    if (!rc && count(&state_of(g, (unsigned int)g->a[0])->initialised) > 1)
        torture_failed("vCPU %lu was initialised twice", (unsigned long)g->a[0]);
}

static void initialise(struct guest *g)
{
    g->a[0] = other(g);
    memset(ARGS(g, vcpu_guest_context), 0, sizeof(struct vcpu_guest_context));
    CALL(g, initialised, vcpu_op, VCPUOP_initialise, g->a[0], g->args);
}

static void moved(struct guest *g, long rc)
{
    if (!rc && count(&state_of(g, (unsigned int)g->a[0])->moved) > 1)
        torture_failed("vCPU %lu has moved its vcpu_info twice", (unsigned long)g->a[0]);
}

static void move_info(struct guest *g)
{
    g->a[0] = chance(g, 2) ? other(g) : g->v->vcpu_id;
    *ARGS(g, vcpu_register_vcpu_info) = (struct vcpu_register_vcpu_info){
        .mfn = get(&frames[g->v->domain->domain_id][g->a[0]]), .offset = chance(g, 8) * 64};
    CALL(g, moved, vcpu_op, VCPUOP_register_vcpu_info, g->a[0], g->args);
}

static void up(struct guest *g)
{
    CALL(g, NULL, vcpu_op, VCPUOP_up, other(g));
}

static void down(struct guest *g)
{
    if (!get(&resting[g->v->domain->domain_id]))
        CALL(g, NULL, vcpu_op, VCPUOP_down, other(g));
}

static void areas(struct guest *g)
{
    ARGS(g, vcpu_register_runstate_memory_area)->addr.h = g->args + PAGE_SIZE;
    CALL(g, NULL, vcpu_op, VCPUOP_register_runstate_memory_area, g->v->vcpu_id, g->args);
}

static void time_area(struct guest *g)
{
    ARGS(g, vcpu_register_time_memory_area)->addr.h = g->args + 2 * PAGE_SIZE;
    CALL(g, NULL, vcpu_op, VCPUOP_register_vcpu_time_memory_area, g->v->vcpu_id, g->args);
}

static void run_state(struct guest *g)
{
    CALL(g, NULL, vcpu_op, VCPUOP_get_runstate_info, chance(g, VCPUS), g->args);
}

static int set_two_registers(struct vcpu *v, const struct vcpu_guest_context *c)
{
    v->regs.r14 = c->user_regs.r14;
    host_give_way(); /* what comes between would be seen */
    v->regs.r15 = c->user_regs.r15;
    __atomic_store_n(&v->initialised, true, __ATOMIC_RELEASE);
    if (c->flags & VGCF_online)
        atomic_and(&v->pause_flags, ~VPF_down);
    return 0;
}

static void machine(void)
{
    static struct guest_ops ops;

    ops = *guest_kinds[0];
    ops.set_context = set_two_registers;
    guest_kinds[0] = &ops;
}

static void operation(struct guest *g)
{
    static step_fn *const any[] = {ring, ring,  ring,      initialise, move_info, up,         up,
                                   down, areas, time_area, run_state,  ring,      guest_yield};

    if (g->v->regs.r14 != g->v->regs.r15)
        torture_failed("d%uv%u ran while it was given a context", g->v->domain->domain_id,
                       g->v->vcpu_id);
    g->last = chance(g, ARRAY_SIZE(any));
    if (g->v->vcpu_id >= UP && any[g->last] == down)
        return;
    any[g->last](g);
}

/* ---- the beginning and the end ---- */

static void bind(struct guest *g);

static void bound(struct guest *g, long rc)
{
    if (rc && !dying(g))
        torture_failed("bind_ipi: %ld", rc);
    put(&state_of(g, (unsigned int)g->b)->port, ARGS(g, evtchn_bind_ipi)->port);
    if (++g->b < VCPUS)
        g->next = bind;
}

/* The bell of vCPU g->b. */
static void bind(struct guest *g)
{
    CALL_WITH(g, bound, event_channel_op, EVTCHNOP_bind_ipi,
              &(struct evtchn_bind_ipi){.vcpu = (uint32_t)g->b});
}

static void start(struct guest *g)
{
    if (!g->v->vcpu_id)
        bind(g);
}

static void bring_up(struct guest *g);

static void bring_up_next(struct guest *g)
{
    g->b = g->b + 1 < VCPUS ? g->b + 1 : AT_REST;
    if (g->b != AT_REST)
        g->next = bring_up;
}

static void up_for_good(struct guest *g)
{
    CALL(g, NULL, vcpu_op, VCPUOP_up, g->b);
    g->next = bring_up_next;
}

static void bring_up(struct guest *g)
{
    g->a[0] = g->b;
    memset(ARGS(g, vcpu_guest_context), 0, sizeof(struct vcpu_guest_context));
    CALL(g, initialised, vcpu_op, VCPUOP_initialise, g->b, g->args);
    g->next = up_for_good;
}

static void wait_for_1(struct guest *g)
{
    if (!get(&resting[g->v->domain->domain_id])) {
        guest_yield(g);
        g->next = wait_for_1;
        return;
    }
    g->b = UP;
    g->next = bring_up;
}

static void rest(struct guest *g)
{
    if (g->v->vcpu_id == 1) {
        put(&resting[g->v->domain->domain_id], 1);
    } else if (g->v->vcpu_id == 0 && g->b != AT_REST) {
        wait_for_1(g);
        return;
    }
    guest_block(g);
}

static void born(domid_t id)
{
    memset(states[id], 0, sizeof(states[id]));
    put(&resting[id], 0);
    torture_frames(id, frames[id], VCPUS);
}

static void check(void)
{
    struct domain *d = NULL;

    while ((d = next_domain(d)) != NULL)
        for (unsigned int i = 0; i < VCPUS && !d->is_control && !d->pause_count; i++)
            if (states[d->domain_id][i].seen < states[d->domain_id][i].due)
                torture_failed("d%uv%u: bell %u was rung, %u were heard", d->domain_id, i,
                               states[d->domain_id][i].due, states[d->domain_id][i].seen);
}

const struct scenario torture_contexts = {
    .name = "contexts",
    .what = "vCPUs get contexts, move their vcpu_info, go up and down: once, and no event is lost",
    .operations = 300,
    .domains = DOMAINS,
    .vcpus = VCPUS,
    .up = UP,
    .contexts = true,
    .machine = machine,
    .pages = VCPUS,
    .born = born,
    .start = start,
    .operation = operation,
    .rest = rest,
    .event = event,
    .check = check,
};
