/* SPDX-License-Identifier: MIT */
/*
 * All domains at once, the log, and debug keys: what `pvctl list` and `pvctl dmesg` stand on. A
 * list is one hypercall, which gives way after each domain when its time is over: how far it came
 * stands in the caller's struct, so any number of them may go on at once.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/control/domctl.h>
#include <core/control/sysctl.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <core/grant/grant_table.h>
#include <xen/errno.h>

#define GOES_ON 0x8000u /* in first_domain, beyond all ids: num_domains are done already */

int sysctl_getdomaininfolist(struct xen_sysctl *op)
{
    struct xen_sysctl_getdomaininfolist *a = &op->u.getdomaininfolist;
    struct xen_domctl_getdomaininfo info;
    struct domain *d;
    gva_t at;

    if (!(a->first_domain & GOES_ON))
        a->num_domains = 0;
    a->first_domain &= ~GOES_ON;
    while (a->num_domains < a->max_domains && (d = get_domain_from(a->first_domain)) != NULL) {
        domain_info(d, &info);
        a->first_domain = d->domain_id + 1;
        put_domain(d);
        if (!guest_index(a->buffer, a->num_domains, sizeof(info), &at) ||
            copy_to_guest(at, &info, sizeof(info)))
            return -XEN_EFAULT;
        a->num_domains++;
        if (hypercall_preempt_check()) {
            a->first_domain |= GOES_ON;
            return -XEN_ERESTART;
        }
    }
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

#define MAX_KEYS 16

/* Where a dump goes on: what nr_keys is between two turns. */
union place {
    uint32_t word;
    struct {
        uint32_t keys : 5, key : 4; /* how many, and which */
        uint32_t line : 7;          /* of the domain: itself first, then its vCPUs */
        uint32_t domain : 15;
        uint32_t goes_on : 1;
    };
};

static int dump_domain(const struct domain *d, union place *at)
{
    const struct vcpu *v;

    if (at->line == 0)
        log_info("d%u %s: %lu of %lu pages, %u references%s%s", d->domain_id, d->name,
                 READ_ONCE(d->tot_pages), READ_ONCE(d->max_pages), READ_ONCE(d->refcount),
                 READ_ONCE(d->dying) ? ", dying" : "",
                 READ_ONCE(d->shutting_down) ? ", shut down" : "");
    while (at->line++ < d->max_vcpus) {
        v = domain_vcpu(d, at->line - 1);
        if (v)
            log_info("d%uv%u: rip %#lx rsp %#lx, pause flags %#x, count %u, state %u", d->domain_id,
                     v->vcpu_id, (unsigned long)v->regs.rip, (unsigned long)v->regs.rsp,
                     READ_ONCE(v->pause_flags), READ_ONCE(v->pause_count), v->sched.state);
        if (hypercall_preempt_check())
            return -XEN_ERESTART;
    }
    return 0;
}

static int dump_all(char key, union place *at)
{
    struct domain *d;
    int rc = 0;

    while (!rc && (d = get_domain_from(at->domain)) != NULL) {
        if (d->domain_id != at->domain)
            at->line = 0;
        at->domain = d->domain_id;
        rc = key == 'g' ? grant_table_dump(d) : dump_domain(d, at);
        put_domain(d);
        if (!rc) {
            at->domain++;
            at->line = 0;
            rc = hypercall_preempt_check() ? -XEN_ERESTART : 0;
        }
    }
    return rc;
}

static int handle_key(char key, union place *at)
{
    if (key == 'q' || key == 'g')
        return dump_all(key, at);
    log_info("debug keys: q (domains and vCPUs), g (grants)");
    return 0;
}

/* q: domains and vCPUs; g: grants in use; h: what keys there are. Answers go to the log. */
int sysctl_debug_keys(struct xen_sysctl *op)
{
    struct xen_sysctl_debug_keys *a = &op->u.debug_keys;
    union place at = {.word = a->nr_keys};
    unsigned int i;
    char key;
    int rc;

    if (!at.goes_on && a->nr_keys > MAX_KEYS)
        return refused(-XEN_E2BIG, "%u keys; %u at once", a->nr_keys, MAX_KEYS);
    for (i = at.key; i < at.keys; i++) {
        if (copy_from_guest(&key, a->keys + i, 1))
            return -XEN_EFAULT;
        rc = handle_key(key, &at);
        if (rc) {
            at.key = i & 15;
            at.goes_on = true;
            a->nr_keys = at.word;
            return rc;
        }
        at.domain = at.line = 0;
    }
    a->nr_keys = at.keys;
    return 0;
}
