/* SPDX-License-Identifier: MIT */
/*
 * A domain ends itself: SCHEDOP_shutdown, a crash, the watchdog.
 *
 * The domain stays, paused, with the reason kept, until it is destroyed or resumed; the control
 * domain hears of it by VIRQ_DOM_EXC. When the control domain itself ends, the machine does.
 * Without a control domain, the machine ends when the last boot-time domain has: powered off when
 * all did, else with a sign that a test can see (machine_stop()).
 *
 * Lock: d->lock for the state. The end of the machine is decided with no lock held.
 */
#include <core/base/hypercall.h>
#include <core/base/console_out.h>
#include <core/base/log.h>
#include <core/console/console.h>
#include <core/domain/domain_table.h>
#include <core/life/life.h>
#include <core/sched/pause.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <parvis/boot_info.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>
#include <xen/sched.h>

static bool halt_on_end;

void machine_end_init(const struct boot_info *bi)
{
    halt_on_end = bi->halt_on_end;
}

static const char *reason_name(uint32_t reason)
{
    static const char *const name[] = {"poweroff", "reboot",   "suspend",
                                       "crash",    "watchdog", "soft reset"};

    return reason < ARRAY_SIZE(name) ? name[reason] : "unknown reason";
}

static bool is_failure(uint32_t reason)
{
    return reason == SHUTDOWN_crash || reason == SHUTDOWN_watchdog;
}

/* Nobody is held up any more: all that was said goes out. */
static void last_words(void)
{
    console_queue(false);
    (void)console_drain_rings(~0u);
}

static void __noreturn end_of_control_domain(uint32_t reason)
{
    log_info("the control domain has ended: %s", reason_name(reason));
    last_words();
    if (is_failure(reason)) {
        if (!control_domain->console.spoke)
            log_error("it said nothing before that: put earlyprintk=xen on its command line in "
                      "parvis.cfg to see how "
                      "far it comes");
        machine_stop(STOP_CRASHED);
    }
    machine_stop(reason == SHUTDOWN_reboot ? STOP_REBOOT : STOP_POWEROFF);
}

/* Is any domain left that may still do something, or say why it ended? Else *worst is how they did.
 * Race: each says under its lock that it has, and how, before it looks here; the last sees what all
 * said. */
static bool anyone_alive(enum stop_kind *worst)
{
    struct domain *d = NULL;
    bool alive = false;

    *worst = STOP_POWEROFF;
    spin_lock(&domlist_lock);
    while ((d = next_domain(d)) != NULL) {
        spin_lock(&d->lock);
        alive |= !d->ended && !d->dying;
        if (is_failure(d->shutdown_code))
            *worst = STOP_CRASHED;
        else if (d->shutdown_code == SHUTDOWN_reboot && *worst == STOP_POWEROFF)
            *worst = STOP_ASKED_REBOOT;
        spin_unlock(&d->lock);
    }
    spin_unlock(&domlist_lock);
    return alive;
}

static void boot_domain_ended(void)
{
    enum stop_kind worst;

    if (control_domain || anyone_alive(&worst))
        return;
    last_words();
    if (halt_on_end) {
        log_info("the last domain has ended; the machine stays up (on_end = halt)");
        return;
    }
    machine_stop(worst);
}

/* Is this the first who ends d? Then it does not run any more, and *reason is what it had said.
 * Race: who comes second must not go back to its guest either, and the first may not have told its
 * CPU yet; the pause it finds, for that came with the mark. */
static bool begin_end(struct domain *d, uint32_t *reason)
{
    struct vcpu *v;
    bool first;

    spin_lock(&d->lock);
    first = !d->shutting_down;
    if (first) {
        WRITE_ONCE(d->shutting_down, true);
        if (d->shutdown_code == ~0u) /* else SCHEDOP_shutdown_code said it before */
            d->shutdown_code = *reason;
        *reason = d->shutdown_code;
        /* Race: with the mark, or who resumes it at once would undo a pause that is still to come
         */
        (void)atomic_add_return(&d->pause_count, 1);
    }
    spin_unlock(&d->lock);
    for_each_vcpu (d, v)
        if (first || v == current)
            vcpu_sleep(v);
    return first;
}

/* begin_end() was true. */
static void end(struct domain *d, uint32_t reason)
{
    if (d->is_control)
        end_of_control_domain(reason);
    domain_console_end(d);
    (void)console_drain_rings(~0u); /* what it said comes before what is said of it */
    /* Where a control domain has the console its tools tell this; a line would fall into its
     * prompt. */
    log_end(d, control_domain ? LOG_DEBUG : LOG_INFO, "%s (domain %u) has ended: %s", d->name,
            d->domain_id, reason_name(reason));
    spin_lock(&d->lock);
    d->ended = d->shutting_down; /* else it was resumed */
    spin_unlock(&d->lock);
    send_global_virq(VIRQ_DOM_EXC);
    boot_domain_ended();
}

void domain_shutdown(struct domain *d, uint32_t reason)
{
    if (begin_end(d, &reason))
        end(d, reason);
}

void domain_resume(struct domain *d)
{
    bool was;

    spin_lock(&d->lock);
    was = d->shutting_down;
    WRITE_ONCE(d->shutting_down, false);
    d->ended = false;
    d->shutdown_code = ~0u;
    spin_unlock(&d->lock);
    if (was)
        domain_unpause(d);
}

void domain_crash(struct domain *d, const char *fmt, ...)
{
    uint32_t reason = SHUTDOWN_crash;
    char why[256];
    va_list ap;

    if (!begin_end(d, &reason)) /* all its vCPUs may crash at once: one tells why */
        return;
    va_start(ap, fmt);
    vsnprintf(why, sizeof(why), fmt, ap);
    va_end(ap);
    log_end(d, LOG_ERROR, "%s (domain %u) crashed: %s", d->name, d->domain_id, why);
    if (d == current->domain)
        d->ops->show_vcpu(current);
    end(d, reason);
}
