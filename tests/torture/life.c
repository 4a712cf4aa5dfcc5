/* SPDX-License-Identifier: MIT */
/*
 * Life: vCPUs wake, sleep, go down and come up, are paused, moved, looked at, and end with their
 * domains, which the control domain destroys and makes anew all the time.
 *
 * Nobody is forgotten: at rest all that are up and not paused have done all their operations. A
 * vCPU 0 never goes down, and brings the others up before it rests: who goes down says so first,
 * and looks then whether vCPU 0 still works.
 */
#include "vm.h"

#include <string.h>
#include <core/state/domain.h>
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define VCPUS 2

static struct slot {
    uint32_t active;           /* vCPU 0 has operations left */
    uint32_t goes_down[VCPUS]; /* is down, or will be soon */
} slots[MOST_DOMAINS];

static struct slot *slot_of(const struct guest *g)
{
    return &slots[g->v->domain->domain_id];
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

static void operation(struct guest *g)
{
    static step_fn *const any[] = {guest_block_for_a_while,
                                   guest_block_for_a_while,
                                   guest_yield,
                                   guest_compute,
                                   go_down,
                                   bring_up,
                                   bring_up,
                                   end};

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

static void rest(struct guest *g)
{
    if (g->v->vcpu_id || !get(&slot_of(g)->active)) {
        guest_block(g);
        return;
    }
    put(&slot_of(g)->active, 0);
    smp_mb();
    g->next = bring_up_all;
}

static void born(domid_t id)
{
    slots[id] = (struct slot){.active = 1};
}

const struct scenario torture_life = {
    .name = "life",
    .what = "vCPUs wake, sleep, are paused and end: nobody is forgotten, nobody runs who may not",
    .operations = 300,
    .domains = 5,
    .vcpus = VCPUS,
    .pages = 1,
    .vms = 1 << 3 | 1 << 4,
    .vm = &torture_vm_life,
    .born = born,
    .start = guest_bind_timer,
    .operation = operation,
    .rest = rest,
};
