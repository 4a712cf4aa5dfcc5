/* SPDX-License-Identifier: MIT */
/*
 * The domains that are always there, and each CPU's idle vCPU.
 *
 * dom_io and dom_xen own frames for the sake of the rules about who may map what: dom_io stands for
 * memory that is no RAM, dom_xen for the hypervisor's own pages that others may see. They are not
 * on the domain list, have no vCPUs, and never end. The idle domain's vCPUs, one a CPU, are
 * `current` when nobody else is; they are never on a run queue.
 */
#include <core/base/tlb.h>
#include <core/domain/domain_table.h>
#include <core/life/domain_system.h>
#include <core/life/life.h>
#include <core/state/cpu.h>
#include <core/state/domain.h>
#include <parvis/string.h>
#include <port/current.h>
#include <port/machine.h>

static struct domain *dom_idle;

static struct domain *make_system_domain(domid_t id, const char *name)
{
    struct domain *d = domain_alloc(id);
    int rc;

    BUG_ON(!d);
    strlcpy(d->name, name, sizeof(d->name));
    rc = domain_table_insert(d);
    BUG_ON(rc);
    return d;
}

static void reap(void *c)
{
    cpu_raise(c, CPU_WORK_REAP);
}

void domain_system_init_cpu(void)
{
    struct cpu *c = this_cpu();
    struct vcpu *v = hv_alloc(sizeof(*v));

    BUG_ON(!v);
    tlb_init_cpu(c);
    timer_queue_init(&c->timers);
    timer_init(&c->reap, reap, c);
    sched_init_cpu(c);
    v->domain = dom_idle;
    v->vcpu_id = c->id;
    v->vcpu_info = &v->own_info;
    v->own_info.evtchn_upcall_mask = 1;
    v->cpu_stack = c;
    v->initialised = true;
    v->sched.on_cpu = c;
    v->sched.last_cpu = c->id;
    v->affinity = 1ull << c->id;
    v->sched.state = RUNSTATE_running;
    list_init(&v->sched.link);
    c->idle = v;
    c->running = v;
}

void domain_system_init(void)
{
    domain_table_init();
    sched_init();
    dom_idle = make_system_domain(DOMID_IDLE, "idle");
    dom_io = make_system_domain(DOMID_IO, "io");
    dom_xen = make_system_domain(DOMID_XEN, "xen");
    control_domain = NULL;
    domain_system_init_cpu();
}
