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
 *
 * How two domains get a channel:
 *
 *     A: alloc_unbound{dom = DOMID_SELF, remote_dom = B}  -> port 7 of A, unbound
 *     A: writes "7" to xenstore, where B looks
 *     B: bind_interdomain{remote_dom = A, remote_port = 7} -> port 4 of B; 7 and 4 are one channel
 *     A: send{7}: port 4 of B is pending.   B: send{4}: port 7 of A is pending.
 *
 * How a guest takes events: its callback (callback.h) is entered with
 * evtchn_upcall_mask set.
 *
 *     v->evtchn_upcall_pending = 0;
 *     for (sel = xchg(&v->evtchn_pending_sel, 0); sel; sel &= sel - 1) {
 *         w = lowest bit of sel;
 *         while ((bits = s->evtchn_pending[w] & ~s->evtchn_mask[w])) {
 *             port = w * 64 + lowest bit of bits;
 *             clear bit `port` of evtchn_pending, by a locked instruction;
 *             handle(port);
 *         }
 *     }
 *     unmask (write 0 to evtchn_upcall_mask), look once more at evtchn_upcall_pending, return.
 *
 * The bit is cleared before the work is done, not after it: what comes while the
 * handler works sets it anew, and is not lost. A level of work that may take long sets
 * the port's bit in evtchn_mask, clears the pending bit, hands the work to a thread,
 * and unmasks when that is done.
 *
 * At the start no bit of evtchn_mask is set: a kernel sets them all before it binds
 * anything, and clears a port's when its handler is in place. A fresh port notifies
 * vCPU 0.
 *
 * A port's life: every closed port may become bound by any of the bind calls or
 * alloc_unbound; only close, reset, or the end of the domain lead back. When the peer
 * of an interdomain port closes its end or dies, the port becomes unbound for that
 * same domain, so that a restarted back end finds the place where it can bind again.
 *
 * Limits: 4096 ports by the 2-level layout, and less if the domain was created with a
 * lower max_evtchn_port (1023 for domains that pvctl makes). Port 0 and numbers beyond
 * answer -XEN_EINVAL.
 */
#ifndef XEN_EVENT_CHANNEL_H
#define XEN_EVENT_CHANNEL_H

#include <xen/xen.h>

typedef uint32_t evtchn_port_t;

#define EVTCHNOP_bind_interdomain 0
#define EVTCHNOP_bind_virq        1
#define EVTCHNOP_bind_pirq        2
#define EVTCHNOP_close            3
#define EVTCHNOP_send             4
#define EVTCHNOP_status           5
#define EVTCHNOP_alloc_unbound    6
#define EVTCHNOP_bind_ipi         7
#define EVTCHNOP_bind_vcpu        8
#define EVTCHNOP_unmask           9
#define EVTCHNOP_reset            10
#define EVTCHNOP_init_control     11 /* FIFO: refused, -XEN_ENOSYS */
#define EVTCHNOP_expand_array     12 /* FIFO: refused, -XEN_ENOSYS */
#define EVTCHNOP_set_priority     13 /* FIFO: refused, -XEN_ENOSYS */

/*
 * Allocates a port in `dom` to which `remote_dom` may connect. The way in which two domains
 * begin: one allocates, tells the number through xenstore, the other binds.
 * Either may be DOMID_SELF. Errors: -XEN_ENOSPC.
 *
 * Nothing can be sent on it until the other has bound; a send is no error, and has no
 * effect. A guest that allocates for DOMID_SELF gets a channel to itself, which
 * bind_interdomain with remote_dom DOMID_SELF completes. Tools allocate in the name of
 * another (dom = the new domain, remote_dom = 0) to open the console's and the store's
 * channel before the guest runs.
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
 *
 * After it both ends are equal: there is no server's and no client's end. A port that
 * was allocated for one domain is refused to every other, even to the control domain,
 * as the number alone must not be a key.
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
 *
 * The per-vCPU ones (VIRQ_TIMER, VIRQ_DEBUG) are bound once for each vCPU, each to a
 * port of its own, which always notifies that vCPU: bind_vcpu does not move it. A
 * global one belongs to the control domain, is bound on vCPU 0, and may be moved from
 * there.
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
 *
 * The port may be pending at once when the line of a level-triggered interrupt is
 * already active. Closing the port masks the line and gives it back.
 */
#define BIND_PIRQ__WILL_SHARE 1 /* flags: the line may be bound by other domains too */
struct evtchn_bind_pirq {
    uint32_t pirq;      /* in */
    uint32_t flags;     /* in */
    evtchn_port_t port; /* out */
};
typedef struct evtchn_bind_pirq evtchn_bind_pirq_t;

/*
 * A port that the domain itself sends on, to have its vCPU `vcpu` interrupted.
 *
 * How one vCPU of a guest calls another: a port for each vCPU and purpose (reschedule,
 * call a function), bound once when the vCPU is prepared; `send` on it from any vCPU.
 * It is never moved: bind_vcpu answers -XEN_EINVAL.
 */
struct evtchn_bind_ipi {
    uint32_t vcpu;      /* in */
    evtchn_port_t port; /* out */
};
typedef struct evtchn_bind_ipi evtchn_bind_ipi_t;

/*
 * Closes a port of the caller. The peer's port becomes unbound, waiting for the same
 * domain.
 *
 * A pending bit that is set goes with it; a handler that runs at that moment on
 * another vCPU is not waited for. A pirq is masked, a virq is free to be bound again.
 * -XEN_EINVAL for a port that is closed already or is one of the hypervisor's own.
 */
struct evtchn_close {
    evtchn_port_t port;
};
typedef struct evtchn_close evtchn_close_t;

/*
 * Makes the other end pending (interdomain), or this very port (ipi). On an unbound port nothing
 * happens, with success: the peer may not be there yet. Else -XEN_EINVAL.
 *
 * A send never waits and allocates nothing: one locked bit, and an interrupt to a CPU
 * if the vCPU there must look. Sends on one port do not add up: two that come before
 * the receiver has cleared the bit are one event.
 *
 * virq and pirq ports cannot be sent on: they have the hypervisor at their other end.
 */
struct evtchn_send {
    evtchn_port_t port;
};
typedef struct evtchn_send evtchn_send_t;

/*
 * Tells what a port of `dom` is bound to, and which vCPU it notifies.
 *
 * For whoever debugs, and for a kernel that takes over from another and looks what is
 * open. The control domain may ask about any domain, a guest about itself alone.
 * Status closed is no error; port 0 is always closed.
 */
#define EVTCHNSTAT_closed      0
#define EVTCHNSTAT_unbound     1
#define EVTCHNSTAT_interdomain 2
#define EVTCHNSTAT_pirq        3
#define EVTCHNSTAT_virq        4
#define EVTCHNSTAT_ipi         5
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
 *
 * Events that are pending already stay announced where they were; the next goes to the
 * new one. A kernel that takes a vCPU down moves its ports first. For a pirq the
 * interrupt itself follows, so that the CPU that handles it is the one that is
 * interrupted.
 */
struct evtchn_bind_vcpu {
    evtchn_port_t port;
    uint32_t vcpu;
};
typedef struct evtchn_bind_vcpu evtchn_bind_vcpu_t;

/*
 * Clears the mask bit and, if the port is pending, announces it. A guest may clear the bit by
 * itself when the port belongs to the vCPU it runs on; for others it needs this.
 *
 * The plain way is enough for a port of one's own vCPU: clear the bit in evtchn_mask
 * by a locked instruction; if the bit in evtchn_pending is set, set the selector's bit
 * and evtchn_upcall_pending oneself, or make this call, which does just that.
 */
struct evtchn_unmask {
    evtchn_port_t port;
};
typedef struct evtchn_unmask evtchn_unmask_t;

/*
 * Closes all ports of `dom`: for a kernel that starts another in its place.
 *
 * Peers see their ends become unbound, as after close. A domain may do it to itself;
 * the control domain to any. It takes long with many ports and is then continued.
 */
struct evtchn_reset {
    domid_t dom;
};
typedef struct evtchn_reset evtchn_reset_t;

/* The oldest form of the call (event_channel_op_compat, refused): number and argument together. */
struct evtchn_op {
    /* EVTCHNOP_* up to unmask */
    uint32_t cmd;
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

/*
 * Ports in the 2-level ABI: a word of selectors, each for a word of ports.
 *
 * With 64-bit words: 64 selectors of 64 ports. The number is derived so that a header
 * for machines with other words would have the same line.
 */
#define EVTCHN_2L_NR_CHANNELS (sizeof(xen_ulong_t) * sizeof(xen_ulong_t) * 64)

/*
 * The FIFO ABI (131072 ports with priorities). It is not offered: the three calls are refused and
 * guests stay with the 2-level one. Structures and numbers are here for guests that ask.
 *
 * What it would be, for readers of guests that have the code: each port has a 32-bit
 * event word in pages that the guest adds by expand_array; a pending port is linked to
 * the tail of one of 16 queues of its vCPU, by priority, and the vCPU's control block
 * shows the heads. A guest asks by init_control for vCPU 0 at its start, gets
 * -XEN_ENOSYS, and uses the bit arrays.
 */
struct evtchn_init_control {
    /* in: frame of the vCPU's control block */
    uint64_t control_gfn;
    /* in: place in it, 8-aligned */
    uint32_t offset;
    uint32_t vcpu; /* in */
    /* out: width of a link */
    uint8_t link_bits;
    uint8_t _pad[7];
};
typedef struct evtchn_init_control evtchn_init_control_t;

struct evtchn_expand_array {
    /* in: the next frame of event words */
    uint64_t array_gfn;
};
typedef struct evtchn_expand_array evtchn_expand_array_t;

struct evtchn_set_priority {
    evtchn_port_t port;
    /* EVTCHN_FIFO_PRIORITY_* */
    uint32_t priority;
};
typedef struct evtchn_set_priority evtchn_set_priority_t;

#define EVTCHN_FIFO_PRIORITY_MAX     0
#define EVTCHN_FIFO_PRIORITY_DEFAULT 7
#define EVTCHN_FIFO_PRIORITY_MIN     15
#define EVTCHN_FIFO_MAX_QUEUES       (EVTCHN_FIFO_PRIORITY_MIN + 1)

typedef uint32_t event_word_t; /* one per port: four bits of state and a link */
#define EVTCHN_FIFO_PENDING     31
#define EVTCHN_FIFO_MASKED      30
#define EVTCHN_FIFO_LINKED      29
#define EVTCHN_FIFO_BUSY        28
#define EVTCHN_FIFO_LINK_BITS   17
#define EVTCHN_FIFO_LINK_MASK   ((1 << EVTCHN_FIFO_LINK_BITS) - 1)
#define EVTCHN_FIFO_NR_CHANNELS (1 << EVTCHN_FIFO_LINK_BITS)

struct evtchn_fifo_control_block {
    uint32_t ready; /* bit per queue */
    uint32_t _rsvd;
    uint32_t head[EVTCHN_FIFO_MAX_QUEUES];
};
typedef struct evtchn_fifo_control_block evtchn_fifo_control_block_t;

#endif /* XEN_EVENT_CHANNEL_H */
