/* SPDX-License-Identifier: MIT */
/*
 * The share of the log that a guest may fill: with what it says by console_io, with why its
 * requests were refused, and with how it ended.
 *
 * All three are as much as a guest wants, and the log is a ring: without a limit one guest would
 * push out what all others and the hypervisor had to say. So each has SHARE_BYTES, which come back
 * little by little, over SHARE_TIME. Beyond these there are END_BYTES for its ends alone, so that
 * one which talks a lot does not hide why it crashed. A guest that is started anew is the same
 * guest, if it has the same handle (its UUID): what it used stays used. One that crashes as often
 * as it is started gets some crashes in full, and from then on a line now and then. The control
 * domain has no limit.
 *
 * Lock: share_lock (RANK_CONSOLE) guards all shares.
 */
#include <core/base/log.h>
#include <core/base/log_share.h>
#include <core/state/domain.h>
#include <port/lock.h>
#include <port/machine.h>

#define SHARE_BYTES 16384u
#define END_BYTES   4096u
#define SHARE_TIME  (SECONDS(86400))
#define TIME_A_BYTE ((uint64_t)SHARE_TIME / SHARE_BYTES)
#define NR_ENDED    64

struct ended {
    xen_domain_handle_t handle;
    struct log_share share;
};

static spinlock_t share_lock = SPINLOCK_INIT(RANK_CONSOLE);
static struct ended ended[NR_ENDED]; /* the last ones, in a ring */
static unsigned int next_ended;

static void refill(struct log_share *s, uint64_t now)
{
    /* Race: another CPU's clock may be ahead of this one's. */
    uint64_t bytes = now > s->since ? (now - s->since) / TIME_A_BYTE : 0;

    s->since += bytes * TIME_A_BYTE;
    s->used -= (uint32_t)MIN(bytes, (uint64_t)s->used);
    if (s->used < SHARE_BYTES / 2)
        s->said = false;
}

bool log_share_take(struct domain *d, bool end, enum log_level level, size_t n)
{
    struct log_share *s = &d->log_share;
    bool fits, say;

    if (d->is_control)
        return true;
    spin_lock(&share_lock);
    refill(s, (uint64_t)clock_now());
    fits = s->used + n <= SHARE_BYTES + (end ? END_BYTES : 0);
    if (fits)
        s->used += (uint32_t)n;
    say = !fits && !s->said;
    if (say)
        s->said = true;
    spin_unlock(&share_lock);
    if (say)
        log_printf(NULL, false, level,
                   "d%u: its share of the log is used up; most of what it says and does wrong from "
                   "here on is not kept",
                   d->domain_id);
    return fits;
}

void log_share_enter(struct domain *d)
{
    static const xen_domain_handle_t none;

    spin_lock(&share_lock);
    d->log_share = (struct log_share){.since = (uint64_t)clock_now()};
    for (unsigned int i = 0; i < NR_ENDED; i++)
        if (memcmp(d->handle, none, sizeof(none)) &&
            !memcmp(d->handle, ended[i].handle, sizeof(none)))
            d->log_share = ended[i].share;
    spin_unlock(&share_lock);
}

void log_share_leave(struct domain *d)
{
    struct ended *e = NULL;

    spin_lock(&share_lock);
    for (unsigned int i = 0; i < NR_ENDED && !e; i++)
        if (!memcmp(d->handle, ended[i].handle, sizeof(d->handle)))
            e = &ended[i];
    if (!e)
        e = &ended[next_ended++ % NR_ENDED];
    memcpy(e->handle, d->handle, sizeof(d->handle));
    e->share = d->log_share;
    spin_unlock(&share_lock);
}
