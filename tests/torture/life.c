/* SPDX-License-Identifier: MIT */
/*
 * Life: vCPUs wake, sleep, go down and come up, are paused, moved, looked at, and end with their
 * domains, which the control domain destroys and makes anew all the time.
 *
 * A paused vCPU does not run: two looks at what it did, and at its registers, see the same, and no
 * race with its CPU. Nobody is forgotten: at rest all that are up and not paused have done all
 * their operations. A vCPU 0 never goes down, and brings the others up before it rests: who goes
 * down says so first, and looks then whether vCPU 0 still works.
 *
 * Each of the control domain's vCPUs has domains of its own to make, to pause and to destroy; at
 * the others' it looks.
 */
#include "torture.h"

#include <string.h>
#include <core/domain/domain_table.h>
#include <core/state/domain.h>
#include <xen/domctl.h>
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define DOMAINS 5 /* the control domain among them */
#define VCPUS   2

static struct slot {
    bool alive;                /* its maker's alone, */
    uint64_t seen[VCPUS];      /* as this */
    uint32_t active;           /* vCPU 0 has operations left */
    uint32_t goes_down[VCPUS]; /* is down, or will be soon */
} slots[DOMAINS];

static struct slot *slot_of(const struct guest *g)
{
    return &slots[g->v->domain->domain_id];
}

/* ---- guests ---- */

static void block(struct guest *g)
{
    CALL(g, NULL, sched_op, SCHEDOP_block);
}

static void block_for_a_while(struct guest *g)
{
    WRITE_ONCE(g->v->vcpu_info->evtchn_upcall_mask, 1); /* until it blocks */
    guest_set_timer(g, chance(g, 300) * 1000);
    g->next = block;
}

static void yield(struct guest *g)
{
    CALL(g, NULL, sched_op, SCHEDOP_yield);
}

static void compute(struct guest *g)
{
    if (g->a[0]--)
        g->next = compute;
}

static void compute_some(struct guest *g)
{
    g->a[0] = chance(g, 50);
    compute(g);
}

static void is_up_again(struct guest *g)
{
    put(&slot_of(g)->goes_down[g->v->vcpu_id], 0);
}

static void go_down(struct guest *g)
{
    unsigned int me = g->v->vcpu_id;

    if (!me)
        return;
    put(&slot_of(g)->goes_down[me], 1);
    smp_mb();
    g->next = is_up_again;
    if (get(&slot_of(g)->active))
        CALL(g, NULL, vcpu_op, VCPUOP_down, me);
}

static void bring_up(struct guest *g)
{
    CALL(g, NULL, vcpu_op, VCPUOP_up, chance(g, VCPUS));
}

static void end(struct guest *g)
{
    if (!chance(g, 40))
        CALL_WITH(g, NULL, sched_op, SCHEDOP_shutdown,
                  &(struct sched_shutdown){.reason = SHUTDOWN_poweroff});
}

static void guest_operation(struct guest *g)
{
    static step_fn *const any[] = {block_for_a_while, block_for_a_while, yield,    compute_some,
                                   go_down,           bring_up,          bring_up, end};

    g->last = chance(g, ARRAY_SIZE(any));
    any[g->last](g);
}

/* vCPU 0, at last: until nobody is down, or about to go. */
static void bring_up_all(struct guest *g)
{
    for (unsigned int i = 1; i < VCPUS; i++) {
        if (!get(&slot_of(g)->goes_down[i]))
            continue;
        CALL(g, NULL, vcpu_op, VCPUOP_up, i);
        g->next = bring_up_all;
        return;
    }
}

static void rest_of_guest(struct guest *g)
{
    if (g->v->vcpu_id || !get(&slot_of(g)->active)) {
        block(g);
        return;
    }
    put(&slot_of(g)->active, 0);
    smp_mb();
    g->next = bring_up_all;
}

/* ---- the control domain ---- */

static void domctl(struct guest *g, unsigned int cmd, void (*done)(struct guest *, long))
{
    struct xen_domctl *op = ARGS(g, xen_domctl);

    op->cmd = cmd;
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = (domid_t)g->a[0];
    CALL(g, done, domctl, g->args);
}

static void must(struct guest *g, long rc)
{
    if (rc)
        torture_failed("domctl %u on d%lu: %ld", ARGS(g, xen_domctl)->cmd, (unsigned long)g->a[0],
                       rc);
}

static void unpause(struct guest *g)
{
    domctl(g, XEN_DOMCTL_unpausedomain, must);
}

static void started(struct guest *g, long rc)
{
    must(g, rc);
    slots[g->a[0]] = (struct slot){.alive = true, .active = 1};
    torture_start((domid_t)g->a[0]);
    g->next = unpause;
}

static void make_vcpus(struct guest *g)
{
    ARGS(g, xen_domctl)->u.max_vcpus.max = VCPUS;
    domctl(g, XEN_DOMCTL_max_vcpus, started);
}

static void created(struct guest *g, long rc)
{
    if (rc == -XEN_EEXIST) /* somebody still looks at the one before */
        return;
    must(g, rc);
    g->next = make_vcpus;
}

static void create(struct guest *g)
{
    struct xen_domctl_createdomain *c = &ARGS(g, xen_domctl)->u.createdomain;

    *c = (struct xen_domctl_createdomain){
        .max_vcpus = VCPUS, .max_evtchn_port = 63, .max_grant_frames = 1, .max_maptrack_frames = 1};
    domctl(g, XEN_DOMCTL_createdomain, created);
}

static void destroyed(struct guest *g, long rc)
{
    must(g, rc);
    slots[g->a[0]].alive = false;
}

/* Nothing may have happened since the first look. */
static void look_again(struct guest *g)
{
    for (unsigned int i = 0; i < VCPUS; i++) {
        const struct guest *other = guest_of((unsigned int)g->a[0], i);

        if (other->progress != slots[g->a[0]].seen[i] || other->progress != other->v->regs.rbx)
            torture_failed("d%luv%u ran while it was paused", (unsigned long)g->a[0], i);
    }
    g->next = unpause;
}

static void paused(struct guest *g, long rc)
{
    must(g, rc);
    for (unsigned int i = 0; i < VCPUS; i++)
        slots[g->a[0]].seen[i] = guest_of((unsigned int)g->a[0], i)->progress;
    g->next = look_again;
}

static void own_domain(struct guest *g)
{
    g->a[0] = 1 + 2 * chance(g, DOMAINS / 2) + g->v->vcpu_id;
    if (!slots[g->a[0]].alive)
        create(g);
    else if (chance(g, 4))
        domctl(g, XEN_DOMCTL_pausedomain, paused);
    else
        domctl(g, XEN_DOMCTL_destroydomain, destroyed);
}

/* Any domain, which may not be there. */
static void look_at(struct guest *g)
{
    struct xen_domctl *op = ARGS(g, xen_domctl);
    uint8_t *map = (uint8_t *)(op + 1);

    g->a[0] = 1 + chance(g, DOMAINS - 1);
    memset(&op->u, 0, sizeof(op->u));
    switch (chance(g, 5)) {
    case 0:
        op->u.getvcpuinfo.vcpu = chance(g, VCPUS);
        domctl(g, XEN_DOMCTL_getvcpuinfo, NULL);
        break;
    case 1:
        op->u.vcpucontext.vcpu = chance(g, VCPUS);
        op->u.vcpucontext.ctxt = g->args + PAGE_SIZE;
        domctl(g, XEN_DOMCTL_getvcpucontext, NULL);
        break;
    case 2:
        domctl(g, XEN_DOMCTL_getdomaininfo, NULL);
        break;
    case 3:
        *map = (uint8_t)(1 + chance(g, 15));
        op->u.vcpuaffinity.vcpu = chance(g, VCPUS);
        op->u.vcpuaffinity.flags = XEN_VCPUAFFINITY_HARD;
        op->u.vcpuaffinity.cpumap_hard.bitmap = g->args + sizeof(*op);
        op->u.vcpuaffinity.cpumap_hard.nr_bits = 8;
        domctl(g, XEN_DOMCTL_setvcpuaffinity, NULL);
        break;
    default:
        op->u.scheduler_op.sched_id = XEN_SCHEDULER_CREDIT2;
        op->u.scheduler_op.cmd = XEN_DOMCTL_SCHEDOP_putinfo;
        op->u.scheduler_op.u.credit2.weight = (uint16_t)(1 + chance(g, 1000));
        op->u.scheduler_op.u.credit2.cap = chance(g, 2) ? (uint16_t)(20 + chance(g, 100)) : 0;
        domctl(g, XEN_DOMCTL_scheduler_op, NULL);
    }
}

static void control_operation(struct guest *g)
{
    static step_fn *const any[] = {own_domain, own_domain, look_at,
                                   look_at,    yield,      block_for_a_while};

    g->last = chance(g, ARRAY_SIZE(any));
    any[g->last](g);
}

/* ---- both ---- */

static void operation(struct guest *g)
{
    if (g->v->domain->is_control)
        control_operation(g);
    else
        guest_operation(g);
}

static void rest(struct guest *g)
{
    if (g->v->domain->is_control)
        block(g);
    else
        rest_of_guest(g);
}

static void setup(void)
{
    memset(slots, 0, sizeof(slots));
    for (unsigned int i = 0; i < DOMAINS; i++) {
        slots[i] = (struct slot){.alive = true, .active = 1};
        torture_domain((domid_t)i, i == 0, VCPUS, 0);
    }
}

const struct scenario torture_life = {
    .name = "life",
    .what = "vCPUs wake, sleep, are paused and end: nobody is forgotten, nobody runs who may not",
    .operations = 300,
    .setup = setup,
    .start = guest_bind_timer,
    .operation = operation,
    .rest = rest,
};
