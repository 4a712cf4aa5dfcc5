/* SPDX-License-Identifier: MIT */
/*
 * What others left: see collector.h.
 */
#include "collector.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "console.h"
#include "devices.h"
#include "lifecycle.h"
#include "policy.h"
#include "reaper.h"
#include "restart.h"
#include "state.h"
#include "tell_once.h"

static uint64_t look_at; /* 0 = nothing is left that we know of */

static void look_within(unsigned int ms)
{
    uint64_t at = now_ms() + ms;

    look_at = look_at && look_at < at ? look_at : at;
}

void collector_again(void)
{
    look_within(COLLECT_AGAIN_MS);
}

/* The domain that an entry stands for, or NULL. -errno: that cannot be told now. */
static int find_domain(struct host *h, const struct state_entry *s, const struct live_domain *all,
                       size_t n, const struct live_domain **out)
{
    int rc = 0;

    *out = NULL;
    for (size_t i = 0; i < n && rc == 0; i++) {
        rc = lifecycle_stands_for(h, s, &all[i].d);
        if (rc > 0)
            *out = &all[i];
    }
    return rc < 0 ? rc : 0;
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

/* What it left may not go at once. */
static void tell_of_maker(const struct state_entry *s)
{
    char text[256];

    if (s->former[0])
        snprintf(text, sizeof(text), "%s: process %d ended before it had given %s this name",
                 s->name, (int)s->maker, s->former);
    else
        snprintf(text, sizeof(text),
                 "%s: process %d ended before it had made it: what is there goes", s->name,
                 (int)s->maker);
    tell_once(s->name, text);
}

static void collect_one(struct host *h, const struct state_entry *s, const struct live_domain *all,
                        size_t n)
{
    const struct live_domain *l;
    int rc = find_domain(h, s, all, n, &l);
    uint32_t domid = l ? l->d.domid : s->domid;

    if (rc) {
        collector_again();
    } else if (s->maker && !s->abandoned) {
        look_within(COLLECT_MAKERS_MS);
    } else if (s->maker) {
        tell_of_maker(s);
        take_away(h, s, domid, "its maker was killed");
    } else if (!l || l->d.dying || s->ending) {
        take_away(h, s, domid, "destroyed");
    } else if (!policy_adopt(h, domid, s)) {
        collector_again();
    }
}

/* What there is, as the collector has seen it. */
struct sight {
    struct host *h;
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
    int found = 0;

    for (size_t i = 0; i < s->nr; i++) {
        if (strcmp(s->names[i].name, name) == 0 && !s->names[i].maker && !s->names[i].ending)
            found = find_domain(s->h, &s->names[i], s->all, s->n, &l);
    }
    if (found)
        return; /* it is looked at again */
    if (l && l->d.shutdown && !l->d.dying)
        return; /* the former life: its end is yet to be acted upon */
    if (l && !l->d.dying)
        restart_forget(name); /* it lives */
    else if (console_expect(name))
        tell_once(name, "no memory for the console of a domain that is to live again");
}

/* Nothing, or not all, could be looked at: that is done once more. */
static void not_seen(const struct error *e)
{
    tell_once("", e->text);
    collector_again();
}

void collector_look(struct host *h)
{
    struct sight sight;
    struct state_entry *names;
    struct live_domain *all;
    struct error e = {0};
    size_t n = 0, nr = 0;
    int rc;

    state_sweep();
    device_system->sweep_limits();
    /* The names first: a domain that is made after this look has no name in it. */
    rc = state_list(&names, &nr);
    if (rc) {
        error_errno(&e, rc, "%s", state_path("names"));
        not_seen(&e);
        return;
    }
    if (lifecycle_list(h, &all, &n, &e)) {
        not_seen(&e);
        free(names);
        return;
    }
    sight = (struct sight){h, names, nr, all, n};
    rc = restart_each(take_up, &sight);
    if (rc)
        error_errno(&e, rc, "%s", state_path("restart"));
    if (rc)
        not_seen(&e);
    else
        tell_again("");
    for (size_t i = 0; i < nr; i++) {
        if (!reaper_has_name(names[i].name))
            collect_one(h, &names[i], all, n);
    }
    free(all);
    free(names);
}

int collector_run(struct host *h)
{
    uint64_t now = now_ms();
    int wait;

    if (look_at && now >= look_at) {
        look_at = 0;
        collector_look(h);
    }
    wait = reaper_run(h);
    if (reaper_left_something())
        collector_again();
    if (look_at && (wait < 0 || look_at < now + (uint64_t)wait))
        wait = look_at > now ? (int)(look_at - now) : 0;
    return wait;
}
