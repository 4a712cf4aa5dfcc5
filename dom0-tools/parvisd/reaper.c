/* SPDX-License-Identifier: MIT */
/*
 * Domains that are being taken away: see reaper.h.
 */
#include "reaper.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "clock.h"
#include "console.h"
#include "events.h"
#include "lifecycle.h"
#include "policy.h"
#include "reap.h"
#include "restart.h"
#include "state.h"

struct job {
    struct job *next;
    struct reap r;
    uint64_t due;
};

static struct job *jobs;
static uint64_t collect_at; /* 0 = nothing is left that we know of */

bool reaper_has_domain(uint32_t domid)
{
    for (const struct job *j = jobs; j; j = j->next) {
        if (j->r.domid == domid)
            return true;
    }
    return false;
}

bool reaper_has_name(const char *name)
{
    for (const struct job *j = jobs; j; j = j->next) {
        if (strcmp(j->r.name, name) == 0)
            return true;
    }
    return false;
}

/* What fails is tried again for as long as we live, and told once. */
static void finish(struct host *h, struct job *j)
{
    static bool told;

    if (j->r.e.code) {
        if (!told)
            fprintf(stderr, "parvisd: %s\n", j->r.e.text);
        collect_at = now_ms() + COLLECT_AGAIN_MS;
    }
    told = j->r.e.code != 0;
    events_look(h); /* before anybody who has waited makes the next of this name */
    if (!j->r.devices_alone)
        client_tell_reaped(j->r.domid, &j->r.e);
    free(j);
}

/* One step; when it was the last, the job is off the list and freed. */
static void step(struct host *h, struct job **at)
{
    struct job *j = *at;
    unsigned int ms = reap_step(h, &j->r, now_ms());

    if (ms) {
        j->due = now_ms() + ms;
    } else {
        *at = j->next;
        finish(h, j);
    }
}

static void begin(struct host *h, struct job *j)
{
    j->next = jobs;
    jobs = j;
    step(h, &jobs);
}

void reaper_start(struct host *h, uint32_t domid, const uint8_t uuid[16], const char *name,
                  const char *how)
{
    struct job *j =
        reaper_has_domain(domid) && reaper_has_name(name) ? NULL : calloc(1, sizeof(*j));

    if (j) {
        reap_begin(&j->r, domid, uuid, name, how);
        begin(h, j);
    }
}

void reaper_start_devices(struct host *h, const struct host_domain *d, const char *name)
{
    struct job *j = calloc(1, sizeof(*j));

    if (j) {
        reap_begin_devices(&j->r, d->domid, d->uuid, name);
        begin(h, j);
    }
}

int reaper_run(struct host *h)
{
    struct job **at = &jobs;
    uint64_t next = UINT64_MAX, now = now_ms();

    if (collect_at && now >= collect_at) {
        collect_at = 0;
        reaper_collect(h);
    }
    while (*at) {
        struct job *j = *at;

        if (j->due <= now)
            step(h, at);
        if (*at == j) {
            next = j->due < next ? j->due : next;
            at = &j->next;
        }
    }
    if (collect_at && collect_at < next)
        next = collect_at;
    return next == UINT64_MAX ? -1 : next <= now ? 0 : (int)(next - now);
}

/* The domain that an entry stands for, or NULL. */
static const struct live_domain *find_domain(const struct state_entry *s,
                                             const struct live_domain *all, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (state_matches(s, &all[i].d))
            return &all[i];
    }
    return NULL;
}

static void take_away(struct host *h, const struct state_entry *s, uint32_t domid, const char *how)
{
    const struct console *c = console_by_domid(domid);
    char *ended = state_read_ended(s->name);

    /* The console of this number may be that of another domain by now. */
    if (domid != UINT32_MAX && (!c || strcmp(c->name, s->name) == 0))
        policy_release(h, domid, how);
    reaper_start(h, domid, s->uuid, s->name,
                 ended || s->maker || restart_intended(s->name) ? "" : how);
    free(ended);
}

static void collect_one(struct host *h, const struct state_entry *s, const struct live_domain *all,
                        size_t n)
{
    const struct live_domain *l = find_domain(s, all, n);
    uint32_t domid = l ? l->d.domid : s->domid;

    if (s->maker && !s->abandoned) {
        collect_at = now_ms() + COLLECT_MAKERS_MS;
    } else if (s->maker) {
        fprintf(stderr, "parvisd: %s: process %d ended before it had made it: what is there goes\n",
                s->name, (int)s->maker);
        take_away(h, s, domid, "its maker was killed");
    } else if (!l || l->d.dying || s->ending) {
        take_away(h, s, domid, "destroyed");
    } else if (!console_by_domid(domid)) {
        policy_adopt(h, domid, s->name);
    }
}

/* What there is, as the collector has seen it. */
struct sight {
    const struct state_entry *names;
    size_t nr;
    const struct live_domain *all;
    size_t n;
};

/* A name of which a domain was to be started again, by a daemon that was killed or by us. */
static void take_up(void *ctx, const char *name)
{
    const struct sight *s = ctx;
    const struct live_domain *l = NULL;

    for (size_t i = 0; i < s->nr; i++) {
        if (strcmp(s->names[i].name, name) == 0 && !s->names[i].maker && !s->names[i].ending)
            l = find_domain(&s->names[i], s->all, s->n);
    }
    if (l && l->d.shutdown && !l->d.dying)
        return; /* the former life: its end is yet to be acted upon */
    if (l && !l->d.dying)
        restart_forget(name); /* it lives */
    else if (console_expect(name))
        fprintf(stderr, "parvisd: %s: its console: %s\n", name, strerror(ENOMEM));
}

void reaper_collect(struct host *h)
{
    struct sight sight;
    struct state_entry *names;
    struct live_domain *all;
    struct error e = {0};
    size_t n = 0, nr = 0;

    state_sweep();
    device_system->sweep_limits();
    /* The names first: a domain that is made after this look has no name in it. */
    if (state_list(&names, &nr))
        return;
    if (lifecycle_list(h, &all, &n, &e)) {
        fprintf(stderr, "parvisd: %s\n", e.text);
        free(names);
        collect_at = now_ms() + COLLECT_AGAIN_MS;
        return;
    }
    sight = (struct sight){names, nr, all, n};
    restart_each(take_up, &sight);
    for (size_t i = 0; i < nr; i++) {
        if (!reaper_has_name(names[i].name))
            collect_one(h, &names[i], all, n);
    }
    free(all);
    free(names);
}

void reaper_close(struct host *h)
{
    while (jobs) {
        struct job *j = jobs;

        jobs = j->next;
        while (reap_step(h, &j->r, UINT64_MAX) > 0) {
        }
        free(j);
    }
}
