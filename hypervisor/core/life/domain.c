/* SPDX-License-Identifier: MIT */
/*
 * The life of a domain: create and free.
 *
 * A domain is created paused and empty. It comes into the table of ids when it has all but the
 * pages that carry its id, and others may find it when it has these too. The table's reference goes
 * with the end of domain_kill() (core/life/domain_kill.c). The last reference may be a frame that
 * another domain still has mapped, so it may go anywhere, under any lock: put_domain() only hands
 * the struct to this CPU, which frees it on its way back to a guest. Whoever destroyed a domain
 * finds it gone when the call returns.
 *
 * Locks: domlist_lock through domain_table. domains_reap() is called with none.
 */
#include <core/base/log.h>
#include <core/base/log_share.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/event/pirq.h>
#include <core/grant/grant_table.h>
#include <core/life/domain_system.h>
#include <core/life/life.h>
#include <core/life/watchdog.h>
#include <core/sched/vcpu_time.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <parvis/string.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>

const struct guest_ops *guest_kinds[MOST_KINDS];

/* What create made, in the opposite order; each step knows whether there is anything to undo. */
static void free_parts(struct domain *d)
{
    for (unsigned int i = 0; i < d->max_vcpus; i++)
        if (d->vcpu[i])
            vcpu_free(d->vcpu[i]);
    if (d->ops)
        d->ops->domain_free(d);
    pirq_table_free(d);
    grant_table_destroy(d);
    evtchn_free_tables(d);
    hv_free(d->memory_map);
    hv_free(d->cpu_policy);
    hv_free(d->vcpu);
    domain_watchdog_kill(d);
    sched_destroy_domain(d);
    hv_free(d);
}

/* One at a time: who maps frames of many dead domains may let go of all of them at once. The next
 * follows when interrupts have been on. */
void domains_reap(void)
{
    struct cpu *c = this_cpu();
    struct domain *d = c->dead;

    if (!d)
        return;
    c->dead = d->next_dead;
    BUG_ON(d->tot_pages || d->xenheap_pages);
    domain_table_remove(d); /* model: domains_reap.unlist */
    free_parts(d);          /* model: domains_reap.free */
    if (c->dead)
        timer_set(&c->reap, clock_now());
}

/* The hypervisor's pages that the domain sees from its start: they carry its id as owner, so it has
 * one by now. */
static int share_pages(struct domain *d)
{
    mfn_t first;
    int rc;

    d->shared_info = alloc_hv_pages(0);
    if (!d->shared_info)
        return -XEN_ENOMEM;
    share_hv_page_with_guest(d->shared_info, d, true);
    wallclock_write(d);
    rc = grant_table_frame(d, 0, &first);
    if (rc) {
        unshare_hv_page(d->shared_info);
        d->shared_info = NULL;
    }
    return rc;
}

struct domain *domain_alloc(domid_t id)
{
    struct domain *d = hv_alloc(sizeof(*d));

    if (!d)
        return NULL;
    d->domain_id = id;
    d->refcount = 1;
    d->shutdown_code = ~0u;
    spin_lock_init(&d->lock, RANK_DOMAIN);
    spin_lock_init(&d->page_alloc_lock, RANK_PAGE_ALLOC);
    spin_lock_init(&d->evtchn.lock, RANK_EVTCHN);
    page_list_init(&d->pages);
    page_list_init(&d->relinquish);
    page_list_init(&d->in_flight.taken);
    page_list_init(&d->in_flight.got);
    sched_init_domain(d);
    return d;
}

static void init_fields(struct domain *d, const struct domain_config *cfg)
{
    d->is_control = cfg->is_control;
    d->max_vcpus = cfg->max_vcpus;
    d->options = cfg->options;
    memcpy(d->handle, cfg->handle, sizeof(d->handle));
    d->controller_paused = true;
    d->pause_count = 1;
    domain_watchdog_init(d);
}

/* The parts that can fail. What was made before a failure is undone by free_parts(). */
static int init_parts(struct domain *d, const struct domain_config *cfg)
{
    int rc;

    d->vcpu = hv_alloc_array(d->max_vcpus, sizeof(*d->vcpu));
    if (!d->vcpu) {
        d->max_vcpus = 0;
        return -XEN_ENOMEM;
    }
    rc = evtchn_init(d, cfg->max_evtchn_port);
    if (!rc)
        rc = grant_table_init(d, cfg->max_grant_frames, cfg->max_maptrack_frames);
    if (!rc && d->is_control)
        rc = pirq_table_init(d);
    if (!rc) {
        rc = cfg->kind->domain_init(d);
        d->ops = rc ? NULL : cfg->kind;
    }
    return rc;
}

int domain_create(const struct domain_config *cfg, struct domain **out)
{
    struct domain *d;
    int rc;

    if (cfg->max_vcpus == 0 || cfg->max_vcpus > MAX_VCPUS)
        return refused(-XEN_EINVAL, "max_vcpus is %u, not 1 to %u", cfg->max_vcpus, MAX_VCPUS);
    if (cfg->domid != DOMID_INVALID && cfg->domid >= DOMID_FIRST_RESERVED)
        return refused(-XEN_EINVAL, "%u is no domain id", cfg->domid);
    if (cfg->is_control && control_domain)
        return refused(-XEN_EEXIST, "there is a control domain already");
    d = domain_alloc(cfg->domid);
    if (!d)
        return -XEN_ENOMEM;
    init_fields(d, cfg);
    log_share_enter(d);
    rc = init_parts(d, cfg);
    if (!rc)
        rc = domain_table_insert(d);
    if (rc) {
        free_parts(d);
        return rc;
    }
    if (cfg->name)
        strlcpy(d->name, cfg->name, sizeof(d->name));
    else
        snprintf(d->name, sizeof(d->name), "d%u", d->domain_id);
    rc = share_pages(d);
    if (rc) {
        put_domain(d);
        return rc;
    }
    if (d->is_control)
        control_domain = d;
    domain_table_show(d);
    *out = d;
    return 0;
}
