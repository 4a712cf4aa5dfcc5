/* SPDX-License-Identifier: MIT */
/*
 * Event channels: the ports of a domain, and how an event travels.
 *
 * A port is one bit in the domain's shared_info (pending) and one more (masked), and a struct
 * evtchn here that says what is at its other end. Raising an event: set the pending bit; if it was
 * clear and the port is not masked, set the bit of its word in the vCPU's selector; if that was
 * clear, set upcall_pending and wake the vCPU. Nothing is allocated, nothing can fail, and what the
 * guest scribbles in these words harms only its own events.
 *
 * Ports come in buckets made on demand and freed with the domain. Port 0 never exists. XSA-317: no
 * port at or beyond max_ports (at most 4096, the ABI's limit for a 64-bit guest) is ever given.
 *
 * Lock: d->evtchn.lock (RANK_EVTCHN). Sending takes only the sender's: an interdomain pair is
 * connected and disconnected with both locks, so the peer found under one cannot go away.
 *
 * Race: an IPI is sent without the lock, so that the vCPUs of a guest that interrupt each other do
 * not meet. Its other end is the sender's own domain, which is there as long as the sender runs,
 * and an IPI stays what it is until it is closed. A guest may close it, and use the port anew,
 * while another of its vCPUs sends. So who sent looks again: an event left pending that the port's
 * new vCPU was not told of would be the last on that port, for each later one finds the bit set.
 * Unmasking has no lock either: whose the port is it looks up when the bit is clear, and if it is
 * another's after that, who sends sees the bit clear.
 */
#include <core/base/count.h>
#include <core/base/log.h>
#include <core/event/pirq.h>
#include <core/frame/frame.h>
#include <core/sched/pause.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/atomic.h>
#include <port/current.h>
#include <xen/errno.h>

int evtchn_init(struct domain *d, unsigned int max_port)
{
    struct evtchn_table *t = &d->evtchn;

    t->max_ports = max_port >= NR_EVTCHNS ? NR_EVTCHNS : max_port + 1;
    t->bucket[0] = hv_alloc_array(EVTCHNS_PER_BUCKET, sizeof(struct evtchn));
    if (!t->bucket[0])
        return -XEN_ENOMEM;
    t->bucket[0][0].state = ECS_RESERVED;
    return 0;
}

void evtchn_free_tables(struct domain *d)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(d->evtchn.bucket); i++) {
        hv_free(d->evtchn.bucket[i]);
        d->evtchn.bucket[i] = NULL;
    }
}

/* Race: who looks without the lock, and finds an IPI, finds whose it is. */
static void become(struct evtchn *chn, const struct evtchn *as)
{
    WRITE_ONCE(chn->notify_vcpu, as->notify_vcpu);
    chn->remote_port = as->remote_port;
    chn->u = as->u;
    chn->hv_fn = as->hv_fn;
    __atomic_store_n(&chn->state, as->state, __ATOMIC_RELEASE);
}

int evtchn_get_port(struct domain *d, const struct evtchn *as, evtchn_port_t *out)
{
    struct evtchn_table *t = &d->evtchn;

    if (d->dying)
        return -XEN_EINVAL;
    for (evtchn_port_t port = t->lowest_free; port < t->max_ports; port++) {
        struct evtchn **bucket = &t->bucket[port / EVTCHNS_PER_BUCKET];

        if (!*bucket)
            __atomic_store_n(bucket, hv_alloc_array(EVTCHNS_PER_BUCKET, sizeof(struct evtchn)),
                             __ATOMIC_RELEASE);
        if (!*bucket)
            return -XEN_ENOMEM;
        if (evtchn_from_port(t, port)->state != EVTCHNSTAT_closed)
            continue;
        become(evtchn_from_port(t, port), as);
        t->lowest_free = port + 1;
        t->active++;
        *out = port;
        return 0;
    }
    t->lowest_free = t->max_ports; /* who asks again does not look at all of them again */
    return refused(-XEN_ENOSPC, "d%u has no free port below %u", d->domain_id, t->max_ports);
}

void evtchn_free_port(struct domain *d, evtchn_port_t port)
{
    static const struct evtchn closed = {.state = EVTCHNSTAT_closed};
    struct evtchn_table *t = &d->evtchn;

    become(evtchn_from_port(t, port), &closed);
    /* The next user of the port must not find an old event. */
    if (d->shared_info)
        (void)test_and_clear_bit(d->shared_info->evtchn_pending, port);
    t->lowest_free = MIN(t->lowest_free, port);
    t->active--;
}

/* Each at most once, whatever they do meanwhile; under the lock of who sends, or of none. */
static __noinline void wake_pollers(struct domain *d, evtchn_port_t port)
{
    uint64_t mask = READ_ONCE(d->poll_mask);

    for (; mask; mask &= mask - 1) {
        struct vcpu *v = d->vcpu[__builtin_ctzll(mask)];
        evtchn_port_t polled = READ_ONCE(v->poll_port);

        if (polled == port || polled == ~0u) /* model: wake_pollers.who */
            vcpu_unblock(v);
    }
}

/* Race: the place may move, for the sender's lock alone is held. Who moves it names the new place
 * first and lets the vCPU look at all words after that; so if it is still the same when its bit is
 * set, that look finds the event. */
static inline void select_word(struct vcpu *v, unsigned int word)
{
    struct vcpu_info *info, *now = READ_ONCE(v->vcpu_info); /* model: select_word.place */
    uint64_t bit = 1ull << word;

    do {
        info = now;
        /* model: select_word.set */
        if (!(__atomic_fetch_or(&info->evtchn_pending_sel, bit, __ATOMIC_SEQ_CST) & bit))
            vcpu_mark_events_pending(v); /* model: select_word.tell */
        now = READ_ONCE(v->vcpu_info);   /* model: select_word.look */
    } while (unlikely(now != info));
}

static __noinline void tell(struct domain *d, unsigned int vcpu, evtchn_port_t port)
{
    struct vcpu *v = __atomic_load_n(&d->vcpu[vcpu], __ATOMIC_ACQUIRE);

    if (likely(v)) /* or it sees the event when it comes */
        select_word(v, port / 64);
}

/* Who is to be told. */
static __noinline void became_pending(struct domain *d, unsigned int vcpu, evtchn_port_t port)
{
    if (unlikely(READ_ONCE(d->poll_mask))) /* model: became_pending.pollers */
        wake_pollers(d, port);
    if (!test_bit(d->shared_info->evtchn_mask, port))
        tell(d, vcpu, port); /* model: became_pending.select */
}

static inline void raise(struct domain *d, unsigned int vcpu, evtchn_port_t port)
{
    /* model: raise.port */
    if (!test_and_set_bit(d->shared_info->evtchn_pending, port))
        became_pending(d, vcpu, port);
}

void evtchn_raise(struct domain *d, unsigned int vcpu, evtchn_port_t port)
{
    raise(d, vcpu, port);
}

void vcpu_mark_events_pending(struct vcpu *v)
{
    /* model: vcpu_mark_events_pending.set */
    if (xchg(&READ_ONCE(v->vcpu_info)->evtchn_upcall_pending, 1))
        return;
    if (v->domain->ops->upcall)
        v->domain->ops->upcall(v);
    vcpu_unblock(v); /* model: vcpu_mark_events_pending.unblock */
    vcpu_kick(v);    /* model: vcpu_mark_events_pending.kick */
}

static inline bool is_pirq(const struct evtchn *chn)
{
    return __atomic_load_n(&chn->state, __ATOMIC_ACQUIRE) == EVTCHNSTAT_pirq;
}

/* Its bit is clear: who has the port is told of what came before; and a physical interrupt may come
 * again. */
static __noinline void unmasked(struct domain *d, const struct evtchn *chn, evtchn_port_t port,
                                bool came)
{
    struct vcpu *v = domain_vcpu(d, READ_ONCE(chn->notify_vcpu));

    if (came && v)
        select_word(v, port / 64);
    if (!is_pirq(chn))
        return;
    spin_lock(&d->evtchn.lock);
    if (chn->state == EVTCHNSTAT_pirq)
        pirq_unmasked(d, chn->u.pirq);
    spin_unlock(&d->evtchn.lock);
}

long evtchn_unmask(struct domain *d, evtchn_port_t port)
{
    const struct evtchn *chn = evtchn_named(&d->evtchn, port);
    struct shared_info *s = d->shared_info;
    bool came;

    if (unlikely(!chn))
        return refused(-XEN_EINVAL, "port %u is not open", port);
    port = evtchn_bit(port);
    came = test_and_clear_bit(s->evtchn_mask, port) && test_bit(s->evtchn_pending, port);
    if (came || is_pirq(chn))
        unmasked(d, chn, port, came);
    return 0;
}

bool evtchn_port_pending(struct domain *d, evtchn_port_t port)
{
    return test_bit(d->shared_info->evtchn_pending, evtchn_bit(port));
}

/* The IPI was closed meanwhile: nobody has the event, or who has the port now. */
static __noinline void raised_late(struct domain *d, const struct evtchn *chn, evtchn_port_t port)
{
    spin_lock(&d->evtchn.lock);
    if (test_and_clear_bit(d->shared_info->evtchn_pending, port) && chn->state != EVTCHNSTAT_closed)
        evtchn_raise(d, chn->notify_vcpu, port);
    spin_unlock(&d->evtchn.lock);
}

static __noinline long send_ipi(struct domain *d, const struct evtchn *chn, evtchn_port_t port)
{
    unsigned int vcpu = READ_ONCE(chn->notify_vcpu);

    port = evtchn_bit(port);
    count_event(current, COUNTER_ipis);
    raise(d, vcpu, port);
    if (unlikely(READ_ONCE(chn->state) != EVTCHNSTAT_ipi || READ_ONCE(chn->notify_vcpu) != vcpu))
        raised_late(d, chn, port);
    return 0;
}

/* Its other end is no domain's, as the lock says that the sender holds. */
static __noinline long send_to_none(struct domain *d, const struct evtchn *chn, evtchn_port_t port)
{
    bool unbound = chn->state == EVTCHNSTAT_unbound;
    evtchn_hv_fn_t *hv_fn = unbound ? chn->hv_fn : NULL;

    spin_unlock(&d->evtchn.lock);
    if (hv_fn)
        hv_fn(d, port);
    /* ABI: nobody there yet: silently nothing */
    return unbound ? 0 : refused(-XEN_EINVAL, "port %u cannot be sent to", port);
}

long evtchn_send(struct domain *ld, evtchn_port_t lport)
{
    const struct evtchn *chn = evtchn_named(&ld->evtchn, lport);

    if (unlikely(!chn))
        return refused(-XEN_EINVAL, "port %u cannot be sent to", lport);
    if (__atomic_load_n(&chn->state, __ATOMIC_ACQUIRE) == EVTCHNSTAT_ipi)
        return send_ipi(ld, chn, lport);
    spin_lock(&ld->evtchn.lock);
    if (unlikely(chn->state != EVTCHNSTAT_interdomain))
        return send_to_none(ld, chn, lport);
    raise(chn->u.interdomain.remote, READ_ONCE(chn->u.interdomain.end->notify_vcpu),
          chn->remote_port);
    spin_unlock(&ld->evtchn.lock);
    return 0;
}

void evtchn_notify_guest(struct domain *d, evtchn_port_t port)
{
    const struct evtchn *chn = evtchn_named(&d->evtchn, port);

    spin_lock(&d->evtchn.lock);
    if (chn && chn->hv_fn)
        evtchn_raise(d, chn->notify_vcpu, port);
    spin_unlock(&d->evtchn.lock);
}

int evtchn_alloc_unbound(struct domain *d, domid_t remote, evtchn_hv_fn_t *hv_fn,
                         evtchn_port_t *port)
{
    const struct evtchn unbound = {
        .state = EVTCHNSTAT_unbound, .u.remote_dom = remote, .hv_fn = hv_fn};
    int rc;

    spin_lock(&d->evtchn.lock);
    rc = evtchn_get_port(d, &unbound, port);
    spin_unlock(&d->evtchn.lock);
    return rc;
}
