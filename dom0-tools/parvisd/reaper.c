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

struct job {
    struct job *next;
    struct reap r;
    uint64_t due;
};

static struct job *jobs;
static bool left_something; /* could not be taken away */

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
        left_something = true;
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
        while (reap_step(h, &j->r, UINT64_MAX) > 0) {
        }
        free(j);
    }
}
