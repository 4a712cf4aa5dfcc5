/* SPDX-License-Identifier: MIT */
/*
 * What happens to domains: see events.h.
 */
#include "events.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "client.h"
#include "clock.h"
#include "config.h"
#include "console.h"
#include "lifecycle.h"

/* A domain as it was at the last look. */
struct seen {
    struct live_domain l;
    bool told;  /* that it was created; one without a name is not yet whole */
    bool begun; /* it has been let go */
};

static struct seen *seen;
static size_t nr_seen;
static bool looks;
static bool has_begun; /* what there was is known: what is new is told */
static uint64_t next_look;

/* ABI of the daemon: the fields are separated by tabs, which a name has not. */
static void tell(const char *event, const struct live_domain *l, const char *reason,
                 const char *former)
{
    char text[512], uuid[37];
    struct timespec t;

    clock_gettime(CLOCK_REALTIME, &t);
    uuid_format(l->d.uuid, uuid);
    snprintf(text, sizeof(text), "%lld.%03ld\t%s\t%u\t%s\t%s\t%s\t%s", (long long)t.tv_sec,
             t.tv_nsec / 1000000, event, l->d.domid, uuid, l->name, reason, former);
    client_tell_event(text);
}

static bool is_same(const struct host_domain *a, const struct host_domain *b)
{
    return a->domid == b->domid && memcmp(a->uuid, b->uuid, sizeof(a->uuid)) == 0;
}

/* find.c's name of one that has none. */
static bool has_name(const struct live_domain *l)
{
    return strncmp(l->name, "(domain-", 8) != 0;
}

static void tell_end(const struct live_domain *l)
{
    const char *reason = shutdown_reason_word(l->d.shutdown_reason);

    tell(strcmp(reason, "crash") == 0 ? "crashed" : "shutdown", l, reason, "");
}

/* What is new of a domain that was there, or (was NULL) is new itself. */
static void compare(struct seen *is, const struct seen *was)
{
    const struct host_domain *d = &is->l.d;
    bool over = d->shutdown || d->dying, was_over = was && (was->l.d.shutdown || was->l.d.dying);

    is->told = (was && was->told) || has_name(&is->l) || over;
    is->begun = (was && was->begun) || !d->paused;
    if (!is->told)
        return;
    if (!was || !was->told)
        tell("created", &is->l, "", "");
    else if (strcmp(is->l.name, was->l.name) != 0 && has_name(&is->l))
        tell("renamed", &is->l, "", was->l.name);
    if (is->begun && !(was && was->told && was->begun))
        tell("started", &is->l, "", "");
    else if (was && d->paused != was->l.d.paused && !over && !was_over)
        tell(d->paused ? "paused" : "unpaused", &is->l, "", "");
    if (d->shutdown && !(was && was->told && was->l.d.shutdown))
        tell_end(&is->l);
}

/* Those that there are now; -1: it cannot be told, the next look does that. */
static int list(struct host *h, struct seen **out, size_t *nr)
{
    struct live_domain *l;
    struct error e = {0};
    size_t n = 0;

    if (lifecycle_list(h, &l, &n, &e))
        return -1;
    *out = calloc(n + 1, sizeof(**out));
    for (size_t i = 0; i < n && *out; i++)
        (*out)[i].l = l[i];
    free(l);
    *nr = n;
    return *out ? 0 : -1;
}

static struct seen *find(struct seen *all, size_t n, const struct host_domain *d)
{
    for (size_t i = 0; i < n; i++)
        if (is_same(&all[i].l.d, d))
            return &all[i];
    return NULL;
}

/* What is there is no news; where that cannot be told, the next look finds out what there is. */
static void begin(struct host *h)
{
    has_begun = list(h, &seen, &nr_seen) == 0;
    for (size_t i = 0; has_begun && i < nr_seen; i++) {
        seen[i].told = has_name(&seen[i].l);
        seen[i].begun = !seen[i].l.d.paused || seen[i].l.d.cpu_time_ns > 0;
    }
}

void events_look(struct host *h)
{
    struct seen *now;
    size_t n;

    if (!looks)
        return;
    next_look = now_ms() + EVENTS_LOOK_MS;
    if (!has_begun) {
        begin(h);
        return;
    }
    if (list(h, &now, &n))
        return;
    for (size_t i = 0; i < nr_seen; i++)
        if (!find(now, n, &seen[i].l.d) && seen[i].told)
            tell("destroyed", &seen[i].l, "", "");
    for (size_t i = 0; i < n; i++) {
        const struct seen *was = find(seen, nr_seen, &now[i].l.d);

        /* On its way out it has no name any more, with other tools long before its end. */
        if (was && (now[i].l.d.dying || !has_name(&now[i].l)))
            snprintf(now[i].l.name, sizeof(now[i].l.name), "%s", was->l.name);
        compare(&now[i], was);
    }
    free(seen);
    seen = now;
    nr_seen = n;
}

void events_new_uuid(const struct host_domain *d, const uint8_t uuid[16])
{
    struct seen *s = find(seen, nr_seen, d);

    if (s)
        memcpy(s->l.d.uuid, uuid, sizeof(s->l.d.uuid));
}

void events_begin(struct host *h)
{
    if (looks)
        return;
    events_close();
    begin(h);
    next_look = now_ms() + EVENTS_LOOK_MS;
    looks = true;
}

int events_go_on(struct host *h)
{
    uint64_t now = now_ms();

    looks = looks && client_wants_events();
    if (!looks)
        return -1;
    if (now >= next_look)
        events_look(h);
    return next_look > now ? (int)(next_look - now) : 0;
}

void events_close(void)
{
    free(seen);
    seen = NULL;
    nr_seen = 0;
    looks = false;
}
