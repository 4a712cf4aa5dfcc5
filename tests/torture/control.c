/* SPDX-License-Identifier: MIT */
/*
 * The control domain of most scenarios: it makes domains, pauses them, looks at them, and destroys
 * them, all the time.
 *
 * Each of its two vCPUs has domains of its own to make, to pause and to destroy; at the others' it
 * looks. A paused vCPU does not run: two looks at what it did, and at its registers, see the same,
 * and no race with its CPU.
 */
#include "vm.h"

#include <string.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <xen/domctl.h>
#include <xen/sched.h>

static struct made { /* its maker's alone */
    bool alive;
    uint64_t seen[MOST_VCPUS];
} made[MOST_DOMAINS];

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

static void populate(domid_t id)
{
    struct domain *d = get_domain_by_id(id);

    WRITE_ONCE(d->max_pages, scenario->pages);
    if (is_vm(d))
        vm_born(d, scenario->pages);
    for (unsigned int i = 0; i < scenario->pages && !is_vm(d); i++)
        if (!host_frames(d, 0))
            torture_failed("no frame for d%u", id);
    put_domain(d);
}

static void started(struct guest *g, long rc)
{
    must(g, rc);
    made[g->a[0]].alive = true;
    populate((domid_t)g->a[0]);
    torture_start((domid_t)g->a[0]);
    g->next = unpause;
}

static void make_vcpus(struct guest *g)
{
    ARGS(g, xen_domctl)->u.max_vcpus.max = scenario->vcpus;
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
    const struct guest_ops *kind = torture_kind((domid_t)g->a[0]);

    *c = (struct xen_domctl_createdomain){.max_vcpus = scenario->vcpus,
                                          .max_evtchn_port = 63,
                                          .max_grant_frames = 1,
                                          .max_maptrack_frames = 4,
                                          .grant_opts = XEN_DOMCTL_GRANT_version(1),
                                          .flags = kind->create_flags,
                                          .arch.emulation_flags = kind->emulation};
    domctl(g, XEN_DOMCTL_createdomain, created);
}

static void destroyed(struct guest *g, long rc)
{
    must(g, rc);
    made[g->a[0]].alive = false;
}

/* Nothing may have happened since the first look. */
static void look_again(struct guest *g)
{
    for (unsigned int i = 0; i < scenario->vcpus; i++) {
        const struct guest *other = guest_of((unsigned int)g->a[0], i);

        if (other->progress != made[g->a[0]].seen[i] ||
            (!is_vm(other->v->domain) && other->progress != other->v->regs.rbx))
            torture_failed("d%luv%u ran while it was paused: step %lu, then %lu, rbx %lu",
                           (unsigned long)g->a[0], i, (unsigned long)made[g->a[0]].seen[i],
                           (unsigned long)other->progress, (unsigned long)other->v->regs.rbx);
    }
    g->next = unpause;
}

static void paused(struct guest *g, long rc)
{
    must(g, rc);
    for (unsigned int i = 0; i < scenario->vcpus; i++)
        made[g->a[0]].seen[i] = guest_of((unsigned int)g->a[0], i)->progress;
    g->next = look_again;
}

static void own_domain(struct guest *g)
{
    g->a[0] = 1 + 2 * chance(g, scenario->domains / 2) + g->v->vcpu_id;
    if (!made[g->a[0]].alive)
        create(g);
    else if (chance(g, 4))
        domctl(g, XEN_DOMCTL_pausedomain, paused);
    else
        domctl(g, XEN_DOMCTL_destroydomain, destroyed);
}

/* Of any domain's vCPU, whatever it does at the moment. */
static void set_context(struct guest *g)
{
    struct xen_domctl *op = ARGS(g, xen_domctl);
    struct vcpu_guest_context *c = host_guest(g->args + PAGE_SIZE);

    memset(c, 0, sizeof(*c));
    c->flags = VGCF_in_kernel | (chance(g, 2) ? VGCF_online : 0);
    c->user_regs.r14 = c->user_regs.r15 = chance(g, 1u << 30);
    g->a[0] = 1 + chance(g, scenario->domains - 1);
    op->u.vcpucontext.vcpu = chance(g, scenario->vcpus);
    op->u.vcpucontext.ctxt = g->args + PAGE_SIZE;
    domctl(g, XEN_DOMCTL_setvcpucontext, NULL);
}

/* Any domain, which may not be there. */
static void look_at(struct guest *g)
{
    struct xen_domctl *op = ARGS(g, xen_domctl);
    uint8_t *map = (uint8_t *)(op + 1);

    g->a[0] = 1 + chance(g, scenario->domains - 1);
    memset(&op->u, 0, sizeof(op->u));
    switch (chance(g, 5)) {
    case 0:
        op->u.getvcpuinfo.vcpu = chance(g, scenario->vcpus);
        domctl(g, XEN_DOMCTL_getvcpuinfo, NULL);
        break;
    case 1:
        op->u.vcpucontext.vcpu = chance(g, scenario->vcpus);
        op->u.vcpucontext.ctxt = g->args + PAGE_SIZE;
        domctl(g, XEN_DOMCTL_getvcpucontext, NULL);
        break;
    case 2:
        domctl(g, XEN_DOMCTL_getdomaininfo, NULL);
        break;
    case 3:
        *map = (uint8_t)(1 + chance(g, 15));
        op->u.vcpuaffinity.vcpu = chance(g, scenario->vcpus);
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

void control_operation(struct guest *g)
{
    static step_fn *const any[] = {own_domain, own_domain,  look_at,
                                   look_at,    guest_yield, guest_block_for_a_while};

    g->last = chance(g, ARRAY_SIZE(any));
    if (scenario->contexts && chance(g, 3) == 0)
        set_context(g);
    else if (scenario->control && chance(g, 2))
        scenario->control(g);
    else
        any[g->last](g);
}

void control_setup(void)
{
    memset(made, 0, sizeof(made));
    for (unsigned int i = 0; i < scenario->domains; i++) {
        made[i].alive = true;
        torture_domain((domid_t)i, i == 0, i ? scenario->vcpus : 2, scenario->pages);
    }
}
