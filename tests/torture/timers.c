/* SPDX-License-Identifier: MIT */
/*
 * Timers: set, moved, stopped, and due, on whatever CPU, while their domains end.
 *
 * A vCPU has one that goes off once, a periodic one and that of a poll, a domain has two watchdogs.
 * A vCPU that waits has no other way to wake than its timer, so one that is lost leaves it asleep;
 * and one that is still set when its domain has gone, or whose callback still runs, is for the
 * sanitizers to see.
 */
#include "vm.h"

#include <string.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

static void poll_for_a_while(struct guest *g)
{
    CALL_WITH(g, NULL, sched_op, SCHEDOP_poll,
              &(struct sched_poll){.timeout = (uint64_t)clock_now() + chance(g, 300) * 1000});
}

static void set_timer(struct guest *g)
{
    guest_set_timer(g, chance(g, 1000) * 1000);
}

static void set_timer_op(struct guest *g)
{
    CALL(g, NULL, set_timer_op, (uint64_t)clock_now() + chance(g, 1000) * 1000);
}

static void stop_timer(struct guest *g)
{
    CALL(g, NULL, vcpu_op, VCPUOP_stop_singleshot_timer, g->v->vcpu_id);
}

static void start_periodic(struct guest *g)
{
    *ARGS(g, vcpu_set_periodic_timer) =
        (struct vcpu_set_periodic_timer){.period_ns = 1000000 + chance(g, 1000000)};
    CALL(g, NULL, vcpu_op, VCPUOP_set_periodic_timer, g->v->vcpu_id, g->args);
}

static void stop_periodic(struct guest *g)
{
    CALL(g, NULL, vcpu_op, VCPUOP_stop_periodic_timer, g->v->vcpu_id);
}

/* Starts one, feeds one, or stops one. */
static void watchdog(struct guest *g)
{
    CALL_WITH(g, NULL, sched_op, SCHEDOP_watchdog,
              &(struct sched_watchdog){.id = chance(g, 3), .timeout = chance(g, 3)});
}

static void operation(struct guest *g)
{
    static step_fn *const any[] = {set_timer,
                                   set_timer_op,
                                   stop_timer,
                                   start_periodic,
                                   stop_periodic,
                                   watchdog,
                                   guest_yield,
                                   guest_compute,
                                   poll_for_a_while,
                                   guest_block_for_a_while,
                                   guest_block_for_a_while};

    g->last = chance(g, ARRAY_SIZE(any));
    any[g->last](g);
}

static void rest(struct guest *g)
{
    stop_periodic(g);
    g->next = guest_block;
}

const struct scenario torture_timers = {
    .name = "timers",
    .what = "timers of vCPUs and domains set, stopped and due while domains end: none is lost",
    .operations = 300,
    .domains = 5,
    .vcpus = 2,
    .pages = 1,
    .vms = 1 << 3 | 1 << 4,
    .vm = &torture_vm_timers,
    .start = guest_bind_timer,
    .operation = operation,
    .rest = rest,
};
