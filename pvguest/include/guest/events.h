/* SPDX-License-Identifier: MIT */
/*
 * Event channels: the interrupts of a PV guest.
 *
 * An event channel ("port") is a bit. The sender sets it in shared_info->evtchn_pending; when
 * the port is not masked, its word is marked in vcpu_info->evtchn_pending_sel, the vCPU's
 * upcall_pending byte is set, and, unless evtchn_upcall_mask is set, the hypervisor calls the
 * event callback. The kernel walks the two levels and calls the handler of each port.
 *
 * Handlers run with events masked, on the stack that was interrupted. They may set flags and
 * send events; they may not wait.
 *
 * A port is bound to a vCPU (0 unless said otherwise), which alone serves it: handlers of one port
 * never run at once. It starts masked here: event_bind_* installs the handler first and unmasks
 * then.
 */
#ifndef GUEST_EVENTS_H
#define GUEST_EVENTS_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/event_channel.h>
#include <xen/xen.h>

typedef void (*event_handler_t)(evtchn_port_t port, void *ctx);

#define EVENT_PORTS 4096u /* ports that the two-level layout has on x86-64 */

void events_init(void);

/* The callback's body: dispatches all that is pending on this vCPU. */
void events_dispatch(void);

/* Each returns 0 or -XEN_E*; the new port goes to *port. */
int event_bind_virq(unsigned int virq, unsigned int vcpu, event_handler_t fn, void *ctx,
                    evtchn_port_t *port);
int event_bind_ipi(unsigned int vcpu, event_handler_t fn, void *ctx, evtchn_port_t *port);
int event_bind_interdomain(domid_t remote, evtchn_port_t remote_port, event_handler_t fn, void *ctx,
                           evtchn_port_t *port);
int event_alloc_unbound(domid_t remote, event_handler_t fn, void *ctx, evtchn_port_t *port);
/* For ports that the builder made: console, xenstore. */
void event_set_handler(evtchn_port_t port, event_handler_t fn, void *ctx);
int event_close(evtchn_port_t port);

int event_send(evtchn_port_t port);
void event_mask(evtchn_port_t port);
void event_unmask(evtchn_port_t port);
bool event_is_pending(evtchn_port_t port);
bool event_clear_pending(evtchn_port_t port);

/* The virtual interrupt flag. events_disable() returns what to give to events_restore(). */
bool events_disable(void);
void events_enable(void);
void events_restore(bool were_enabled);

/*
 * Waits until cond is true. The order matters: events are masked while cond is looked at, and
 * SCHEDOP_block unmasks and sleeps in one step, so a wake-up between the two is not lost.
 */
#define event_wait(cond)                                                                           \
    do {                                                                                           \
        bool enabled_ = events_disable();                                                          \
        while (!(cond)) {                                                                          \
            sched_block();                                                                         \
            events_disable();                                                                      \
        }                                                                                          \
        events_restore(enabled_);                                                                  \
    } while (0)

void sched_block(void);

#endif
