/* SPDX-License-Identifier: MIT */
/*
 * Event channels: the interrupts of a paravirtual machine.
 *
 * A domain has up to 4096 ports. A port is closed, or bound to one of: another domain's port
 * (interdomain; a send on either end makes the other pending), a virtual interrupt, a
 * physical one, or a vCPU of the domain itself (ipi); or it is unbound: allocated and waiting
 * for one particular domain to connect. A pending port is shown in shared_info and announced to
 * the vCPU that the port is bound to (shared_info.h). Port 0 is never allocated.
 *
 * event_channel_op(cmd, struct *): each command below has its structure. Out-fields are written
 * only on success. Any domain may call; naming another domain in `dom` needs control over it.
 * The older event_channel_op_compat took a struct evtchn_op that holds command and argument; it
 * is refused with -XEN_ENOSYS.
 *
 * Common errors: -XEN_EINVAL port not valid or not in a fitting state, -XEN_ENOSPC no free port,
 * -XEN_ENOENT no such vCPU.
 */
#ifndef XEN_EVENT_CHANNEL_H
#define XEN_EVENT_CHANNEL_H

#include <xen/xen.h>

typedef uint32_t evtchn_port_t;

#define EVTCHNOP_bind_interdomain 0
#define EVTCHNOP_bind_virq 1
#define EVTCHNOP_bind_pirq 2
#define EVTCHNOP_close 3
#define EVTCHNOP_send 4
#define EVTCHNOP_status 5
#define EVTCHNOP_alloc_unbound 6
#define EVTCHNOP_bind_ipi 7
#define EVTCHNOP_bind_vcpu 8
#define EVTCHNOP_unmask 9
#define EVTCHNOP_reset 10
#define EVTCHNOP_init_control 11 /* FIFO: refused, -XEN_ENOSYS */
#define EVTCHNOP_expand_array 12 /* FIFO: refused, -XEN_ENOSYS */
#define EVTCHNOP_set_priority 13 /* FIFO: refused, -XEN_ENOSYS */

/*
 * Allocates a port in `dom` to which `remote_dom` may connect. The way in which two domains
 * begin: one allocates, tells the number through xenstore, the other binds.
 * Either may be DOMID_SELF. Errors: -XEN_ENOSPC.
 */
struct evtchn_alloc_unbound {
    domid_t dom, remote_dom; /* in */
    evtchn_port_t port;      /* out */
};
typedef struct evtchn_alloc_unbound evtchn_alloc_unbound_t;

/*
 * Connects a new local port to a port that `remote_dom` has allocated for the caller. The new
 * port is pending at once, because events may have been sent before it existed.
 * Errors: -XEN_EINVAL the remote port is not unbound or is meant for someone else; -XEN_ENOSPC.
 */
struct evtchn_bind_interdomain {
    domid_t remote_dom;        /* in */
    evtchn_port_t remote_port; /* in */
    evtchn_port_t local_port;  /* out */
};
typedef struct evtchn_bind_interdomain evtchn_bind_interdomain_t;

/*
 * Binds virtual interrupt VIRQ_* on a vCPU. Global ones: vCPU 0 only.
 * Errors: -XEN_EINVAL virq out of range, or global and vcpu not 0; -XEN_EEXIST bound already;
 * -XEN_ENOENT; -XEN_ENOSPC.
 */
struct evtchn_bind_virq {
    uint32_t virq;      /* in */
    uint32_t vcpu;      /* in */
    evtchn_port_t port; /* out */
};
typedef struct evtchn_bind_virq evtchn_bind_virq_t;

/*
 * Binds a physical interrupt that was mapped with PHYSDEVOP_map_pirq. The line is then given to
 * this domain; it must end each with PHYSDEVOP_eoi where irq_status_query says so.
 * Errors: -XEN_EINVAL pirq out of range or not mapped; -XEN_EEXIST bound already;
 * -XEN_EPERM not permitted; -XEN_EBUSY the line is another domain's; -XEN_ENOSPC.
 */
#define BIND_PIRQ__WILL_SHARE 1 /* flags: the line may be bound by other domains too */
struct evtchn_bind_pirq {
    uint32_t pirq;      /* in */
    uint32_t flags;     /* in */
    evtchn_port_t port; /* out */
};
typedef struct evtchn_bind_pirq evtchn_bind_pirq_t;

/* A port that the domain itself sends on, to have its vCPU `vcpu` interrupted. */
struct evtchn_bind_ipi {
    uint32_t vcpu;      /* in */
    evtchn_port_t port; /* out */
};
typedef struct evtchn_bind_ipi evtchn_bind_ipi_t;

/* Closes a port of the caller. The peer's port becomes unbound, waiting for the same domain. */
struct evtchn_close {
    evtchn_port_t port;
};
typedef struct evtchn_close evtchn_close_t;

/*
 * Makes the other end pending (interdomain), or this very port (ipi). On an unbound port nothing
 * happens, with success: the peer may not be there yet. Else -XEN_EINVAL.
 */
struct evtchn_send {
    evtchn_port_t port;
};
typedef struct evtchn_send evtchn_send_t;

/* Tells what a port of `dom` is bound to, and which vCPU it notifies. */
#define EVTCHNSTAT_closed 0
#define EVTCHNSTAT_unbound 1
#define EVTCHNSTAT_interdomain 2
#define EVTCHNSTAT_pirq 3
#define EVTCHNSTAT_virq 4
#define EVTCHNSTAT_ipi 5
struct evtchn_status {
    domid_t dom;        /* in */
    evtchn_port_t port; /* in */
    uint32_t status;    /* out: EVTCHNSTAT_* */
    uint32_t vcpu;      /* out */
    union {
        struct {
            domid_t dom; /* who may connect */
        } unbound;
        struct {
            domid_t dom;
            evtchn_port_t port;
        } interdomain;
        uint32_t pirq;
        uint32_t virq;
    } u; /* out, by status */
};
typedef struct evtchn_status evtchn_status_t;

/*
 * Says which vCPU a port notifies (at first vCPU 0). Not for ipi and per-vCPU virq ports:
 * -XEN_EINVAL. Ports on a vCPU that goes down are not moved by themselves.
 */
struct evtchn_bind_vcpu {
    evtchn_port_t port;
    uint32_t vcpu;
};
typedef struct evtchn_bind_vcpu evtchn_bind_vcpu_t;

/*
 * Clears the mask bit and, if the port is pending, announces it. A guest may clear the bit by
 * itself when the port belongs to the vCPU it runs on; for others it needs this.
 */
struct evtchn_unmask {
    evtchn_port_t port;
};
typedef struct evtchn_unmask evtchn_unmask_t;

/* Closes all ports of `dom`: for a kernel that starts another in its place. */
struct evtchn_reset {
    domid_t dom;
};
typedef struct evtchn_reset evtchn_reset_t;

/* The oldest form of the call (event_channel_op_compat, refused): number and argument together. */
struct evtchn_op {
    uint32_t cmd; /* EVTCHNOP_* up to unmask */
    union {
        evtchn_alloc_unbound_t alloc_unbound;
        evtchn_bind_interdomain_t bind_interdomain;
        evtchn_bind_virq_t bind_virq;
        evtchn_bind_pirq_t bind_pirq;
        evtchn_bind_ipi_t bind_ipi;
        evtchn_close_t close;
        evtchn_send_t send;
        evtchn_status_t status;
        evtchn_bind_vcpu_t bind_vcpu;
        evtchn_unmask_t unmask;
    } u;
};
typedef struct evtchn_op evtchn_op_t;

/* Ports in the 2-level ABI: a word of selectors, each for a word of ports. */
#define EVTCHN_2L_NR_CHANNELS (sizeof(xen_ulong_t) * sizeof(xen_ulong_t) * 64)

/*
 * The FIFO ABI (131072 ports with priorities). It is not offered: the three calls are refused and
 * guests stay with the 2-level one. Structures and numbers are here for guests that ask.
 */
struct evtchn_init_control {
    uint64_t control_gfn; /* in: frame of the vCPU's control block */
    uint32_t offset;      /* in: place in it, 8-aligned */
    uint32_t vcpu;        /* in */
    uint8_t link_bits;    /* out: width of a link */
    uint8_t _pad[7];
};
typedef struct evtchn_init_control evtchn_init_control_t;

struct evtchn_expand_array {
    uint64_t array_gfn; /* in: the next frame of event words */
};
typedef struct evtchn_expand_array evtchn_expand_array_t;

struct evtchn_set_priority {
    evtchn_port_t port;
    uint32_t priority; /* EVTCHN_FIFO_PRIORITY_* */
};
typedef struct evtchn_set_priority evtchn_set_priority_t;

#define EVTCHN_FIFO_PRIORITY_MAX 0
#define EVTCHN_FIFO_PRIORITY_DEFAULT 7
#define EVTCHN_FIFO_PRIORITY_MIN 15
#define EVTCHN_FIFO_MAX_QUEUES (EVTCHN_FIFO_PRIORITY_MIN + 1)

typedef uint32_t event_word_t; /* one per port: four bits of state and a link */
#define EVTCHN_FIFO_PENDING 31
#define EVTCHN_FIFO_MASKED 30
#define EVTCHN_FIFO_LINKED 29
#define EVTCHN_FIFO_BUSY 28
#define EVTCHN_FIFO_LINK_BITS 17
#define EVTCHN_FIFO_LINK_MASK ((1 << EVTCHN_FIFO_LINK_BITS) - 1)
#define EVTCHN_FIFO_NR_CHANNELS (1 << EVTCHN_FIFO_LINK_BITS)

struct evtchn_fifo_control_block {
    uint32_t ready; /* bit per queue */
    uint32_t _rsvd;
    uint32_t head[EVTCHN_FIFO_MAX_QUEUES];
};
typedef struct evtchn_fifo_control_block evtchn_fifo_control_block_t;

#endif /* XEN_EVENT_CHANNEL_H */
