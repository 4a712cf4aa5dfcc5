/* SPDX-License-Identifier: MIT */
/*
 * Event channels, 2-level ABI: a port is a bit in shared_info. core/event/evtchn*.c.
 *
 * Sending sets a bit and perhaps wakes a vCPU: no queue, no allocation. d->evtchn.lock guards d's
 * ports; a pair of domains is connected and disconnected with both locks (spin_lock_pair), sent
 * through with the sender's alone. An IPI is sent with none.
 */
#ifndef HV_EVENT_CHANNEL_H
#define HV_EVENT_CHANNEL_H

#include <hv/types.h>
#include <port/lock.h>
#include <port/nospec.h>
#include <xen/event_channel.h>

struct domain;
struct vcpu;

#define NR_EVTCHNS         4096
#define EVTCHNS_PER_BUCKET 128

/* Called when d sends through such a port, with no lock held. */
typedef void evtchn_hv_fn_t(struct domain *d, evtchn_port_t port);

struct evtchn {
    uint8_t state; /* EVTCHNSTAT_*, or ECS_RESERVED; read without the lock, as is the next */
    uint16_t notify_vcpu;
    evtchn_port_t remote_port; /* interdomain: the other end's number there */
    union {
        domid_t remote_dom; /* unbound: who may connect */
        struct {
            struct domain *remote; /* not referenced: the remote's teardown closes the port first */
            const struct evtchn *end; /* the other: remote_port's */
        } interdomain;
        uint32_t virq;
        uint32_t pirq;
    } u;
    evtchn_hv_fn_t *hv_fn; /* unbound, and the other end is the hypervisor */
};
#define ECS_RESERVED 7

struct evtchn_table {
    /* Grown on demand, freed with the domain */
    struct evtchn *bucket[NR_EVTCHNS / EVTCHNS_PER_BUCKET];
    spinlock_t lock;
    uint32_t active;           /* ports not free */
    uint32_t max_ports;        /* XEN_DOMCTL_createdomain.max_evtchn_port + 1, at most NR_EVTCHNS */
    evtchn_port_t lowest_free; /* no port below it is free */
    evtchn_port_t close_next[2]; /* how far a pre-empted evtchn_close_all() came, of each kind */
};

static inline struct evtchn *evtchn_from_port(const struct evtchn_table *t, evtchn_port_t port)
{
    port = (evtchn_port_t)index_nospec(port, t->max_ports);
    return &t->bucket[port / EVTCHNS_PER_BUCKET][port % EVTCHNS_PER_BUCKET];
}
/* NULL: a guest may not name this port, or 0. Without the lock too: it stays so. */
static inline struct evtchn *evtchn_named(const struct evtchn_table *t, evtchn_port_t port)
{
    struct evtchn *bucket;

    port = (evtchn_port_t)index_nospec(port, t->max_ports);
    if (unlikely(port == 0))
        return NULL;
    bucket = __atomic_load_n(&t->bucket[port / EVTCHNS_PER_BUCKET], __ATOMIC_ACQUIRE);
    return likely(bucket) ? &bucket[port % EVTCHNS_PER_BUCKET] : NULL;
}

/* Of one that was named, where its bits are: for a CPU that runs ahead of what found that. */
static inline evtchn_port_t evtchn_bit(evtchn_port_t port)
{
    return (evtchn_port_t)index_nospec(port, NR_EVTCHNS);
}

/* --- inside core/event/: d's lock is held --- */
/* Sets port pending for that vCPU of d, which may not have been created yet. */
void evtchn_raise(struct domain *d, unsigned int vcpu, evtchn_port_t port);
/* A free port, which becomes what `as` says; -XEN_ENOSPC, -XEN_ENOMEM. */
int __must_check evtchn_get_port(struct domain *d, const struct evtchn *as, evtchn_port_t *port);
void evtchn_free_port(struct domain *d, evtchn_port_t port);

/* --- these take the locks that they need --- */
long __must_check evtchn_unmask(struct domain *d, evtchn_port_t port); /* EVTCHNOP_unmask */
int __must_check evtchn_close(struct domain *d, evtchn_port_t port, bool by_guest);
int __must_check evtchn_bind_virq(struct vcpu *v, uint32_t virq, evtchn_port_t *port);
bool virq_is_global(uint32_t virq);

int __must_check evtchn_init(struct domain *d, unsigned int max_port);
/* EVTCHNOP_reset; or (hv, at the end of d) the hypervisor's own ends too. -XEN_ERESTART when
 * pre-empted. */
int __must_check evtchn_close_all(struct domain *d, bool hv);
void evtchn_free_tables(struct domain *d);
/* For boot-time domains and tests: the operations without a guest's arguments. */
/* hv_fn: for a port whose other end is the hypervisor (remote: DOMID_XEN), else NULL. */
int __must_check evtchn_alloc_unbound(struct domain *d, domid_t remote, evtchn_hv_fn_t *hv_fn,
                                      evtchn_port_t *port);
/* Hypervisor sends to d through such a port */
void evtchn_notify_guest(struct domain *d, evtchn_port_t port);
long __must_check evtchn_send(struct domain *ld, evtchn_port_t lport);
void vcpu_mark_events_pending(struct vcpu *v);      /* upcall_pending, and wakes it */
void send_vcpu_virq(struct vcpu *v, uint32_t virq); /* to the port that v bound to it, if any */
void send_global_virq(uint32_t virq);               /* to the control domain's vCPU 0 */
bool evtchn_port_pending(struct domain *d, evtchn_port_t port); /* one that may be named */

#endif
