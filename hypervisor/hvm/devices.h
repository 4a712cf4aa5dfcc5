/* SPDX-License-Identifier: MIT */
/*
 * The few devices of a fully virtualized domain, behind its I/O ports: ports.c is the way to them.
 *
 * One lock (RANK_DEVICE) guards all of a domain's. Each device has a file and reads or writes one
 * byte of a port; a wider access is split, as the bus of a PC does for such devices. What must not
 * be done under the lock (to send an event, to end the domain) a device notes here, and who lets go
 * of the lock does it.
 */
#ifndef HVM_DEVICES_H
#define HVM_DEVICES_H

#include <hv/types.h>
#include <hvm/pic.h>
#include <hvm/pit.h>
#include <hvm/pm.h>
#include <hvm/uart.h>
#include <port/lock.h>
#include <xen/event_channel.h>

struct domain;
struct vcpu;

struct hvm_devices {
    spinlock_t lock; /* guards all of it, but for pic.out */
    struct domain *domain;
    s_time_t now;      /* when the lock was taken: one moment for all bytes of an access */
    bool notify;       /* when it is let go: the console's other end is told */
    bool ends;         /* and the domain ends, */
    uint32_t end_code; /* so: SHUTDOWN_* */
    struct pic pic;
    struct pit pit;
    struct uart uart;
    struct pm pm;
    uint8_t cmos_index;
    uint8_t cmos_b; /* status register B: how the time is shown */
};

/* --- for the rest of hvm/: with no lock held --- */
void hvm_devices_init(struct domain *d);
/* Before the domain goes, when none of its vCPUs runs: no timer comes any more, and the console's
 * ring is forgotten. */
void hvm_devices_kill(struct domain *d);
/* bytes: 1, 2 or 4. Where there is no device: all ones; dropped. A write may end the domain. */
uint32_t hvm_port_read(struct vcpu *v, unsigned int port, unsigned int bytes);
void hvm_port_write(struct vcpu *v, unsigned int port, unsigned int bytes, uint32_t value);
/* The PIC has an interrupt for the CPU, vCPU 0: without the lock. When this becomes true, vCPU 0 is
 * woken and kicked. */
bool hvm_extint_pending(const struct domain *d);
/* The CPU takes it (INTA): its vector. */
int hvm_extint_ack(struct domain *d);
/* The UART's line ends in this page (NULL: nowhere), whose other end is told by d's port. The page
 * stays until it is detached: by this, or hvm_devices_kill(). */
void hvm_uart_attach(struct domain *d, struct xencons_interface *ring, evtchn_port_t port);
/* The other end notified: there are bytes, or there is room. (Not from where the event is raised,
 * which holds a lock.) */
void hvm_uart_ring_moved(struct domain *d);

/* As long as it takes to be seen: the guest finds it pressed until it has said that it did. */
void hvm_press_power_button(struct domain *d);

/* --- between the devices --- */
void devices_lock(struct hvm_devices *h);
void devices_unlock(struct hvm_devices *h);

/* How often something of so many Hz ticks in ns, and the first ns at which it has ticked so often.
 */
static inline uint64_t ns_to_ticks(uint64_t ns, uint64_t hz)
{
    return ns / 1000000000u * hz + ns % 1000000000u * hz / 1000000000u;
}

static inline uint64_t ticks_to_ns(uint64_t ticks, uint64_t hz)
{
    return ticks / hz * 1000000000u + DIV_ROUND_UP(ticks % hz * 1000000000u, hz);
}

#endif
