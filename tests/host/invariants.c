/* SPDX-License-Identifier: MIT */
/*
 * The oracle: recounts from scratch what core keeps track of as it goes, and compares. Tests and
 * fuzzers call it after each step.
 *
 * Frames: the heap's count is the number of free frames; each domain's list has tot_pages frames,
 * all its own; a frame's links agree. Ports: both ends of a channel name each other; a VIRQ's port
 * is known to its vCPU; active counts the ports that are not closed. vCPUs: runnable and not
 * running means queued, once; the queue is in order. Timers: none is due before its parent, ranks
 * are what they say and leftist, each knows its queue. Claims: their sum is what is outstanding.
 */
#include "host.h"

#include <core/domain/claim.h>
#include <core/domain/domain_table.h>
#include <stdio.h>
#include <stdlib.h>

#define CHECK(cond)                                                                                \
    do {                                                                                           \
        if (!(cond)) {                                                                             \
            fprintf(stderr, "invariant broken at %s:%d: %s\n", __FILE__, __LINE__, #cond);         \
            abort();                                                                               \
        }                                                                                          \
    } while (0)

static uint64_t count_list(const struct domain *d, const struct page_list *l, unsigned int tag)
{
    uint64_t n = 0;
    uint32_t prev = PAGE_LIST_END;

    for (uint32_t m = l->first; m != PAGE_LIST_END; m = frame_table[m].next, n++) {
        const struct page_info *pg = &frame_table[m];

        CHECK(pg->owner == d->domain_id && pg->prev == prev && pg->order == tag);
        CHECK((pg->count_info & PGC_count_mask) && !(pg->count_info & (PGC_free | PGC_xenheap)));
        prev = m;
    }
    CHECK(l->last == prev && l->count == n);
    return n;
}

static void check_frames(void)
{
    uint64_t free = 0;

    for (uint64_t m = 0; m <= max_mfn; m++) {
        const struct page_info *pg = &frame_table[m];

        if (pg->order == FRAME_NOT_RAM)
            continue;
        if (pg->count_info & PGC_free) {
            free++;
            CHECK((pg->count_info & PGC_count_mask) == 0 && pg->owner == DOMID_INVALID);
            CHECK(pg->order > HEAP_MAX_ORDER || !(m & ((1ull << pg->order) - 1)));
        } else if (pg->owner != DOMID_INVALID) {
            CHECK(owner_of_page(pg));
        }
    }
    CHECK(free == heap_free_frames());
}

static void check_port(struct domain *d, evtchn_port_t port)
{
    const struct evtchn *c = evtchn_from_port(&d->evtchn, port), *other;

    CHECK(c->notify_vcpu < d->max_vcpus);
    if (c->state == EVTCHNSTAT_interdomain) {
        other = evtchn_named(&c->u.interdomain.remote->evtchn, c->remote_port);
        CHECK(other && other == c->u.interdomain.end);
        CHECK(other->state == EVTCHNSTAT_interdomain);
        CHECK(other->u.interdomain.remote == d && other->remote_port == port);
    } else if (c->state == EVTCHNSTAT_virq) {
        unsigned int owners = 0;
        struct vcpu *v;

        for_each_vcpu (d, v)
            owners += v->virq_port[c->u.virq] == port;
        CHECK(owners == 1);
    }
}

static void check_ports(struct domain *d)
{
    uint32_t active = 0;
    struct vcpu *v;

    for (evtchn_port_t p = 1; p < NR_EVTCHNS; p++) {
        const struct evtchn *bucket = d->evtchn.bucket[p / EVTCHNS_PER_BUCKET];

        if (!bucket || bucket[p % EVTCHNS_PER_BUCKET].state == EVTCHNSTAT_closed)
            continue;
        CHECK(p < d->evtchn.max_ports);
        active++;
        check_port(d, p);
    }
    CHECK(active == d->evtchn.active);
    for_each_vcpu (d, v)
        for (unsigned int i = 0; i < NR_VIRQS; i++)
            if (v->virq_port[i])
                CHECK(evtchn_from_port(&d->evtchn, v->virq_port[i])->state == EVTCHNSTAT_virq);
}

static void check_vcpus(struct domain *d)
{
    struct vcpu *v;

    for_each_vcpu (d, v) {
        const struct cpu *c = v->sched.on_cpu;
        unsigned int times = 0;
        struct vcpu *u;

        list_for_each (u, v->sched.resting ? &d->sched.resting : &d->sched.vcpus, sched.link)
            times += u == v;
        CHECK(times == v->sched.queued);
        CHECK(v->sched.queued || !v->sched.resting);
        CHECK(!c || (c->running == v && !v->sched.queued));
        if (!c)
            CHECK(v->sched.queued == vcpu_runnable(v));
        CHECK(!!(v->pause_flags & VPF_polling) == !!(d->poll_mask & 1ull << v->vcpu_id));
    }
}

/* What is kept of a domain for the scheduler. */
static void check_sched(const struct domain *d)
{
    unsigned int waiting = 0, running = 0, listed = 0, resting = 0, stuck = 0;
    uint64_t last = 0;
    const struct domain *e;
    struct vcpu *v;

    list_for_each (e, &runqueue.domains, sched.link)
        listed += e == d;
    list_for_each (e, &runqueue.resting, sched.in_resting)
        resting += e == d;
    list_for_each (v, &d->sched.vcpus, sched.link) {
        CHECK(v->domain == d && v->sched.used >= last);
        CHECK(!v->sched.wanted_by || v->sched.wanted_by->next == v);
        last = v->sched.used;
        waiting++;
        stuck += v->sched.stuck;
    }
    for_each_vcpu (d, v)
        running += v->sched.on_cpu && v->sched.on_cpu->running == v;
    CHECK(waiting == d->sched.waiting && running == d->sched.running);
    CHECK(d->sched.seen.contended <= runqueue.clocks.contended);
    CHECK(listed == (waiting > 0) && stuck == d->sched.stuck);
    CHECK(resting == !list_empty(&d->sched.resting));
    CHECK(!resting || (d->sched.cap && d->sched.running + d->sched.waiting >= d->sched.cap / 100u));
}

static void check_cpus(void)
{
    uint64_t weights = 0;
    struct domain *d;

    list_for_each (d, &runqueue.all, sched.in_all)
        weights += d->sched.running ? d->sched.weight : 0;
    CHECK(weights == runqueue.weights && !weights == !runqueue.busy_cpus);
    for (unsigned int i = 0; i < machine_nr_cpus(); i++) {
        const struct cpu *c = cpu_by_id(i);
        uint64_t bit = 1ull << i;

        if (c->running->sched.on_cpu != c) /* a test plays somebody there */
            continue;
        CHECK(!!(runqueue.busy_cpus & bit) == (c->running != c->idle));
        CHECK(!(runqueue.idle_cpus & bit) || c->running == c->idle);
        CHECK(!(runqueue.alone_cpus & ~runqueue.busy_cpus));
        CHECK(!c->next || (c->next->sched.queued && c->next->sched.wanted_by == c));
    }
}

/* Returns the rank. */
static uint32_t check_timers(const struct timer_queue *q, const struct timer *t,
                             const struct timer *parent)
{
    uint32_t left, right;

    if (!t)
        return 0;
    CHECK(t->parent == parent && (!parent || parent->deadline <= t->deadline));
    CHECK(t->queue == q && !t->dead);
    left = check_timers(q, t->left, t);
    right = check_timers(q, t->right, t);
    CHECK(left >= right && t->rank == right + 1);
    return t->rank;
}

void host_check_invariants(void)
{
    struct domain *d = NULL;
    uint64_t claims = 0;

    host_reap();
    CHECK(host_locks_held() == 0);
    check_frames();
    check_cpus();
    for (unsigned int i = 0; i < machine_nr_cpus(); i++)
        check_timers(&cpu_by_id(i)->timers, cpu_by_id(i)->timers.first, NULL);
    while ((d = next_domain(d)) != NULL) {
        uint64_t n = count_list(d, &d->pages, 0) + count_list(d, &d->relinquish, 1);

        CHECK(n == d->tot_pages);
        claims += d->outstanding_claim;
        check_ports(d);
        check_vcpus(d);
        check_sched(d);
    }
    CHECK(claims == claims_outstanding());
}
