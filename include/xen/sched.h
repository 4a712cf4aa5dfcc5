/* SPDX-License-Identifier: MIT */
/*
 * A vCPU tells the scheduler: sched_op, set_timer_op.
 *
 * sched_op(cmd, arg): any domain, about itself; remote_shutdown is the control domain's.
 * sched_op_compat is the oldest form: yield, block, and shutdown with the reason in arg itself.
 *
 *   yield            lets others run first. Returns 0.
 *   block            unmasks events and sleeps until one is pending: atomically, so that no
 *                    wake-up is lost. Returns 0.
 *   shutdown         ends the domain: all vCPUs stop, the reason is kept, the control domain gets
 *                    VIRQ_DOM_EXC. Comes back only after `suspend`, when the domain was resumed: 0
 *                    in a restored domain, 1 in one whose suspend was cancelled. For suspend,
 *                    the third argument is the mfn of start_info, to be filled anew.
 *   poll             sleeps until one of the ports is pending (masked or not) or system time
 *                    `timeout` is reached (0: none). At most 128 ports, else -XEN_EINVAL, as for
 *                    a bad port. Events stay masked or not, as they were.
 *   remote_shutdown  as if domain_id had called shutdown.
 *   shutdown_code    keeps a reason for later: for a kernel that will stop its vCPUs one by one.
 *   watchdog         starts (id 0), feeds (id > 0) or stops (timeout 0) one of two timers; when
 *                    one runs out the domain is shut down, reason watchdog. Returns the id, or
 *                    0. -XEN_EINVAL for a timer not running, -XEN_ENOSPC when none is left.
 *   pin_override     the control domain's vCPU asks to be on a given physical CPU for some
 *                    firmware call; -1 ends that. Not offered: -XEN_ENOSYS.
 *
 * set_timer_op(uint64_t timeout): one VIRQ_TIMER when system time reaches timeout; a time that
 * has passed fires at once; 0 stops the timer. It is the same timer as VCPUOP_set_singleshot_timer
 * of the calling vCPU. Returns 0.
 *
 * The idle loop of a kernel, without losing a wake-up:
 *
 *     mask events;
 *     if (nothing to do)
 *         sched_op(SCHEDOP_block, NULL);      (unmasks: a pending event returns at once)
 *     unmask events;
 *
 * A spinning kernel that waits for another vCPU polls an ipi port of its own instead
 * of burning its share: SCHEDOP_poll on that port, which the holder of the lock sends
 * on when it lets go.
 *
 * Orders that a toolstack gives to a guest (shut down, reboot, suspend) do not come by
 * this header but by the key control/shutdown in the guest's home in xenstore:
 * "poweroff", "reboot", "suspend". The guest answers by writing "" to it, does what is
 * asked, and ends with SCHEDOP_shutdown.
 *
 * Ending well: flush disks, close devices, mask events on the other vCPUs, then
 *
 *     struct sched_shutdown s = {.reason = SHUTDOWN_poweroff};
 *     sched_op(SCHEDOP_shutdown, &s);      (does not come back)
 *
 * and for a kernel that finds itself broken, SHUTDOWN_crash: the tools destroy, restart
 * or preserve the domain as its configuration says, and keep its last console lines.
 *
 * The clock for all timeouts is system time, ns since the machine started, the same
 * for all domains (shared_info.h). A timer may fire late, when the vCPU must first get
 * a CPU, and never early by more than the clock's own error.
 */
#ifndef XEN_SCHED_H
#define XEN_SCHED_H

#include <xen/event_channel.h>

#define SCHEDOP_yield           0 /* no argument */
#define SCHEDOP_block           1 /* no argument */
#define SCHEDOP_shutdown        2 /* struct sched_shutdown */
#define SCHEDOP_poll            3 /* struct sched_poll */
#define SCHEDOP_remote_shutdown 4 /* struct sched_remote_shutdown */
#define SCHEDOP_shutdown_code   5 /* struct sched_shutdown */
#define SCHEDOP_watchdog        6 /* struct sched_watchdog */
#define SCHEDOP_pin_override    7 /* struct sched_pin_override */

struct sched_shutdown {
    unsigned int reason; /* SHUTDOWN_* */
};
typedef struct sched_shutdown sched_shutdown_t;

/*
 * Waiting for one answer from another domain, at most a second, with events masked all
 * the while (so no handler runs in between), as a kernel does before it has handlers:
 *
 *     evtchn_port_t port = the channel to the other;
 *     struct sched_poll p = {.nr_ports = 1, .timeout = now + 1000000000};
 *     set_xen_guest_handle(p.ports, &port);
 *     while (the answer is not there && now < p.timeout) {
 *         clear bit `port` of evtchn_pending;
 *         if (the answer is still not there)
 *             sched_op(SCHEDOP_poll, &p);
 *     }
 *
 * The bit is cleared before the last look: an answer that comes between the look and
 * the call has set it again, and the call returns at once.
 */
struct sched_poll {
    /* evtchn_port_t[nr_ports] */
    xen_guest_handle_t ports;
    unsigned int nr_ports;
    uint64_t timeout; /* system time in ns */
};
typedef struct sched_poll sched_poll_t;

struct sched_remote_shutdown {
    domid_t domain_id;
    unsigned int reason;
};
typedef struct sched_remote_shutdown sched_remote_shutdown_t;

/*
 * A kernel that wants to be ended when it hangs:
 *
 *     struct sched_watchdog w = {.id = 0, .timeout = 30};
 *     id = sched_op(SCHEDOP_watchdog, &w);             1 or 2: starts it
 *     every ten seconds: w.id = id; sched_op(...);     feeds it: thirty seconds from now
 *     w.timeout = 0; sched_op(...);                    stops it
 */
struct sched_watchdog {
    uint32_t id;      /* 0: a new one */
    uint32_t timeout; /* seconds */
};
typedef struct sched_watchdog sched_watchdog_t;

struct sched_pin_override {
    int32_t pcpu; /* -1: no more */
};
typedef struct sched_pin_override sched_pin_override_t;

/*
 * What the tools do for each is in the domain's configuration (on_poweroff, on_reboot,
 * on_crash); these are the defaults:
 *
 *     poweroff    the domain is destroyed
 *     reboot      it is destroyed, and made anew from the same configuration
 *     suspend     it stays as it is, for whoever saves it, until it is resumed or destroyed
 *     crash       it is destroyed; how it ended is kept and shown, with what it printed
 *     watchdog, soft_reset   as crash: rebuilding in place is not offered
 */
#define SHUTDOWN_poweroff   0 /* done; destroy me */
#define SHUTDOWN_reboot     1 /* start me again */
#define SHUTDOWN_suspend    2 /* saved: can be resumed or restored */
#define SHUTDOWN_crash      3 /* look at me, then destroy */
#define SHUTDOWN_watchdog   4 /* stopped by its watchdog */
#define SHUTDOWN_soft_reset 5 /* build me anew in the same domain */
#define SHUTDOWN_MAX        5 /* greater ones are refused by crashing the domain */

#endif /* XEN_SCHED_H */
