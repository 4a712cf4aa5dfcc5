/* SPDX-License-Identifier: MIT */
/*
 * Domains that are being taken away: see reaper.h.
 */
#include "reaper.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "client.h"
#include "clock.h"
#include "events.h"
#include "reap.h"
#include "tell_once.h"

struct job {
    struct job *next;
    struct reap r;
    uint64_t due;
};

static struct job *jobs;
static bool left_something; /* could not be taken away */

bool reaper_has_name(const char *name)
{
    for (const struct job *j = jobs; j; j = j->next) {
        if (strcmp(j->r.name, name) == 0)
            return true;
    }
    return false;
}

/* What fails is tried again for as long as we live. */
static void finish(struct host *h, const struct reap *r)
{
    if (r->e.code) {
        tell_once(r->name, r->e.text);
        left_something = true;
    } else {
        tell_again(r->name);
    }
    events_look(h); /* before anybody who has waited makes the next of this name */
    if (!r->devices_alone)
        client_tell_reaped(r->domid, &r->e);
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
        finish(h, &j->r);
        free(j);
    }
}

/* All at once: no back end and no page is waited for. */
static void hurry(struct host *h, struct reap *r)
{
    while (reap_step(h, r, UINT64_MAX) > 0) {
    }
}

static void begin(struct host *h, struct reap *r)
{
    struct job *j = calloc(1, sizeof(*j));

    if (j) {
        *j = (struct job){.next = jobs, .r = *r};
        jobs = j;
        step(h, &jobs);
    } else {
        fprintf(stderr, "parvisd: %s: no memory: it is taken away without waiting for anybody\n",
                r->name);
        hurry(h, r);
        finish(h, r);
    }
}

static bool is_begun(uint32_t domid, const char *name)
{
    for (const struct job *j = jobs; j; j = j->next) {
        if (j->r.domid == domid && strcmp(j->r.name, name) == 0)
            return true;
    }
    return false;
}

void reaper_start(struct host *h, uint32_t domid, const uint8_t uuid[16], const char *name,
                  const char *how)
{
    struct reap r;

    if (is_begun(domid, name))
        return;
    reap_begin(&r, domid, uuid, name, how);
    begin(h, &r);
}

void reaper_start_devices(struct host *h, const struct host_domain *d, const char *name)
{
    struct reap r;

    reap_begin_devices(&r, d->domid, d->uuid, name);
    begin(h, &r);
}

int reaper_run(struct host *h)
{
    struct job **at = &jobs;
    uint64_t next = UINT64_MAX, now = now_ms();

    while (*at) {
        struct job *j = *at;

        if (j->due <= now)
            step(h, at);
        if (*at == j) {
            next = j->due < next ? j->due : next;
            at = &j->next;
        }
    }
    return next == UINT64_MAX ? -1 : next <= now ? 0 : (int)(next - now);
}

bool reaper_left_something(void)
{
    bool left = left_something;

    left_something = false;
    return left;
}

void reaper_close(struct host *h)
{
    while (jobs) {
        struct job *j = jobs;

        jobs = j->next;
        hurry(h, &j->r);
        free(j);
    }
}
