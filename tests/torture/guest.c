/* SPDX-License-Identifier: MIT */
/*
 * What the vCPUs of all scenarios have in common: how one enters the hypervisor and comes back, and
 * how it takes its events.
 *
 * Events are delivered where the exit path would: after a hypercall or an interrupt, when they are
 * not masked. A vCPU that only computes sees none before its CPU is kicked, and kicked it must be.
 * The handler is that of an operating system: it clears upcall_pending, takes the selector, takes
 * the ports, and looks again before it leaves.
 */
#include "vm.h"

#include <string.h>
#include <xen/event_channel.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

static struct shared_info *shared(const struct guest *g)
{
    return g->v->domain->shared_info;
}

/* Its program is that of control.c. */
static bool is_controller(const struct guest *g)
{
    return scenario->domains && g->v->domain->is_control;
}

static void take_word(struct guest *g, unsigned int word)
{
    struct shared_info *s = shared(g);
    uint64_t bits = READ_ONCE(s->evtchn_pending[word]) & ~READ_ONCE(s->evtchn_mask[word]);

    for (; bits; bits &= bits - 1) {
        evtchn_port_t port = word * 64 + (unsigned int)__builtin_ctzll(bits);

        if (scenario->event && !is_controller(g))
            scenario->event(g, port);
        else
            (void)test_and_clear_bit(s->evtchn_pending, port);
    }
}

static void take_events(struct guest *g)
{
    struct vcpu_info *info = READ_ONCE(g->v->vcpu_info);

    WRITE_ONCE(info->evtchn_upcall_mask, 1);
    do {
        uint64_t sel;

        xchg(&info->evtchn_upcall_pending, 0);
        sel = xchg(&info->evtchn_pending_sel, 0);
        for (; sel; sel &= sel - 1)
            take_word(g, (unsigned int)__builtin_ctzll(sel));
        /* Race: what came until here is seen; what comes behind it kicks. */
        WRITE_ONCE(info->evtchn_upcall_mask, 0);
        smp_mb();
    } while (READ_ONCE(info->evtchn_upcall_pending));
}

static bool may_be_interrupted(const struct vcpu *v)
{
    const struct vcpu_info *info = READ_ONCE(v->vcpu_info);

    return READ_ONCE(info->evtchn_upcall_pending) && !READ_ONCE(info->evtchn_upcall_mask);
}

/* Its CPU computes, and an event came: whoever sent it kicks the CPU before he goes back to his
 * guest. */
void guest_expect_kick(const struct guest *g, bool has_event)
{
    static __thread const struct guest *waits;
    static __thread uint64_t turns[HOST_MOST_CPUS];

    if (!has_event) {
        waits = NULL;
    } else if (waits != g) {
        waits = g;
        host_turns(turns);
    } else if (host_must_be_kicked(turns)) {
        torture_failed("d%uv%u runs and has an event, and its CPU is not kicked",
                       g->v->domain->domain_id, g->v->vcpu_id);
    }
}

static void issue(struct guest *g)
{
    struct vcpu *v = g->v;
    void (*done)(struct guest *, long) = g->done;

    g->entered = true;
    v->regs.rip = 0x1002;
    host_syscall(v);
    g->calling = v->regs.rip == 0x1000;
    if (host_locks_held())
        torture_failed("hypercall %u came back with a lock", v->hc_nr);
    if (!g->calling && done)
        done(g, (long)v->regs.rax);
}

void guest_call(struct guest *g, unsigned int nr, const uint64_t args[6],
                void (*done)(struct guest *g, long rc))
{
    struct cpu_user_regs *r = &g->v->regs;

    r->rax = nr;
    r->rdi = args[0];
    r->rsi = args[1];
    r->rdx = args[2];
    r->r10 = args[3];
    r->r8 = args[4];
    r->r9 = args[5];
    g->done = done;
    issue(g);
}

void guest_unmask(struct guest *g, evtchn_port_t port)
{
    CALL_WITH(g, NULL, event_channel_op, EVTCHNOP_unmask, &(struct evtchn_unmask){.port = port});
}

void guest_block(struct guest *g)
{
    CALL(g, NULL, sched_op, SCHEDOP_block);
}

static void compute(struct guest *g)
{
    if (g->a[0]--)
        g->next = compute;
}

void guest_compute(struct guest *g)
{
    g->a[0] = chance(g, 50);
    compute(g);
}

void guest_yield(struct guest *g)
{
    CALL(g, NULL, sched_op, SCHEDOP_yield);
}

void guest_mask_all(struct guest *g)
{
    WRITE_ONCE(READ_ONCE(g->v->vcpu_info)->evtchn_upcall_mask, 1);
}

void guest_unmask_all(struct guest *g)
{
    WRITE_ONCE(READ_ONCE(g->v->vcpu_info)->evtchn_upcall_mask, 0);
    smp_mb();
    if (READ_ONCE(READ_ONCE(g->v->vcpu_info)->evtchn_upcall_pending))
        CALL(g, NULL, xen_version, 0); /* to have them delivered */
}

void guest_block_for_a_while(struct guest *g)
{
    guest_mask_all(g);
    guest_set_timer(g, chance(g, 300) * 1000);
    g->next = guest_block;
}

static void timer_bound(struct guest *g, long rc)
{
    if (rc && !READ_ONCE(g->v->domain->dying))
        torture_failed("bind_virq: %ld", rc);
}

void guest_bind_timer(struct guest *g)
{
    CALL_WITH(g, timer_bound, event_channel_op, EVTCHNOP_bind_virq,
              &(struct evtchn_bind_virq){.virq = VIRQ_TIMER, .vcpu = g->v->vcpu_id});
}

void guest_set_timer(struct guest *g, uint64_t ns)
{
    *ARGS(g, vcpu_set_singleshot_timer) =
        (struct vcpu_set_singleshot_timer){.timeout_abs_ns = (uint64_t)clock_now() + ns};
    CALL(g, NULL, vcpu_op, VCPUOP_set_singleshot_timer, g->v->vcpu_id, g->args);
}

static step_fn *next_operation(struct guest *g)
{
    bool control = is_controller(g), vm = is_vm(g->v->domain);

    if (!g->left)
        return control ? guest_block : vm ? scenario->vm->rest : scenario->rest;
    g->left--;
    return control ? control_operation : vm ? scenario->vm->operation : scenario->operation;
}

void guest_step(struct guest *g)
{
    step_fn *step = g->next ? g->next : next_operation(g);

    g->next = NULL;
    step(g);
}

bool guest_run(struct vcpu *v, bool entered)
{
    struct guest *g = guest_of(v->domain->domain_id, v->vcpu_id);

    if (is_vm(v->domain))
        return vm_run(v, entered);
    if (entered && may_be_interrupted(v))
        take_events(g);
    guest_expect_kick(g, may_be_interrupted(v));
    g->entered = false;
    v->regs.rbx = ++g->progress;
    if (g->calling) {
        issue(g);
        return true;
    }
    guest_step(g);
    return g->entered;
}
