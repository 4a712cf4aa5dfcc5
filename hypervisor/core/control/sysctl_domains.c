/* SPDX-License-Identifier: MIT */
/*
 * All domains at once, the log, and debug keys: what `pvctl list` and `pvctl dmesg` stand on. A
 * list is one hypercall.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/control/domctl.h>
#include <core/control/sysctl.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <core/grant/grant_table.h>
#include <xen/errno.h>

/* The domain with the least id from `first` on, with a reference; NULL when there is none. (The
 * list is in order of ids.) */
static struct domain *domain_from(uint32_t first)
{
    struct domain *d = NULL;

    spin_lock(&domlist_lock);
    /* One that is being freed has no reference left to take. */
    while ((d = next_domain(d)) != NULL)
        if (d->domain_id >= first && get_domain(d))
            break;
    spin_unlock(&domlist_lock);
    return d;
}

int sysctl_getdomaininfolist(struct xen_sysctl *op)
{
    struct xen_sysctl_getdomaininfolist *a = &op->u.getdomaininfolist;
    struct xen_domctl_getdomaininfo info;
    uint32_t n = 0, next = a->first_domain;
    struct domain *d;

    while (n < a->max_domains && (d = domain_from(next)) != NULL) {
        domain_info(d, &info);
        next = d->domain_id + 1u;
        put_domain(d);
        if (copy_to_guest(a->buffer + n * sizeof(info), &info, sizeof(info)))
            return -XEN_EFAULT;
        n++;
    }
    a->num_domains = n;
    return 0;
}

#define CHUNK 256

int sysctl_readconsole(struct xen_sysctl *op)
{
    struct xen_sysctl_readconsole *a = &op->u.readconsole;
    uint32_t pos = a->incremental ? a->index : 0, done = 0;
    char chunk[CHUNK];

    while (done < a->count) {
        size_t n = log_read(chunk, MIN(a->count - done, sizeof(chunk)), &pos);

        if (!n)
            break;
        if (copy_to_guest(a->buffer + done, chunk, n))
            return -XEN_EFAULT;
        done += (uint32_t)n;
    }
    a->count = done;
    a->index = pos;
    if (a->clear)
        log_clear();
    return 0;
}

/* Where a dump that gave way goes on: which of the keys, which domain. The control domain's alone.
 */
static struct {
    uint32_t key, domain;
} dump_at;

static int dump_domain(struct domain *d)
{
    struct vcpu *v;

    log_info("d%u %s: %lu of %lu pages, %u references%s%s", d->domain_id, d->name,
             (unsigned long)d->tot_pages, (unsigned long)d->max_pages, d->refcount,
             d->dying ? ", dying" : "", d->shutting_down ? ", shut down" : "");
    for_each_vcpu (d, v)
        log_info("d%uv%u: rip %#lx rsp %#lx, pause flags %#x, count %u, state %u", d->domain_id,
                 v->vcpu_id, (unsigned long)v->regs.rip, (unsigned long)v->regs.rsp, v->pause_flags,
                 v->pause_count, v->sched.state);
    return 0;
}

static int dump_all(int (*dump)(struct domain *d))
{
    struct domain *d;
    int rc = 0;

    while (!rc && (d = domain_from(dump_at.domain)) != NULL) {
        rc = dump(d);
        if (!rc) {
            dump_at.domain = d->domain_id + 1u;
            rc = hypercall_preempt_check() ? -XEN_ERESTART : 0;
        }
        put_domain(d);
    }
    if (!rc)
        dump_at.domain = 0;
    return rc;
}

static int handle_key(char key)
{
    switch (key) {
    case 'q':
        return dump_all(dump_domain);
    case 'g':
        return dump_all(grant_table_dump);
    default:
        log_info("debug keys: q (domains and vCPUs), g (grants)");
        return 0;
    }
}

#define MAX_KEYS 16

/* q: domains and vCPUs; g: grants in use; h: what keys there are. Answers go to the log. */
int sysctl_debug_keys(struct xen_sysctl *op)
{
    char keys[MAX_KEYS];
    uint32_t n = op->u.debug_keys.nr_keys;
    int rc = 0;

    if (n > MAX_KEYS)
        return refused(-XEN_E2BIG, "%u keys; %u at once", n, MAX_KEYS);
    if (copy_from_guest(keys, op->u.debug_keys.keys, n))
        return -XEN_EFAULT;
    while (!rc && dump_at.key < n) {
        rc = handle_key(keys[dump_at.key]);
        if (!rc)
            dump_at.key++;
    }
    if (!rc)
        dump_at.key = 0;
    return rc;
}
