/* SPDX-License-Identifier: MIT */
/*
 * pvctl shutdown --all --destroy: all guests end, for the machine does. They are asked to power
 * off. Who has not ended when the time is over is destroyed; so is, when all others have been
 * asked, who cannot be asked, and who has been asked and lives again, as its <on_poweroff> wants
 * it. A store that only does not answer in time is no reason: a machine whose guests all end at
 * once is a busy one. It is asked again at each look.
 *
 * Nothing is relied upon but the hypervisor's list, which is looked at again and again: parvisd may
 * be killed meanwhile, xenstored be dead, a domain be xl's. If this command is killed, the next one
 * goes on.
 */
#include "end_all.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>

#include "clock.h"
#include "devices.h"
#include "state.h"
#include "wish.h"

#define LOOK_MS     200u
#define TELL_MS     10000u /* so often it is said who is waited for; and they are asked again */
#define GRACE_MS    5000u  /* who has ended is taken away by whoever keeps it */
#define PATIENCE_MS 5000u  /* for a store that does not answer */
/* So long those who are destroyed may take; then the hypervisor alone is asked. */
#define FORCE_MS 30000u
#define BLIND_MS 60000u /* nobody goes on for ever with domains that cannot be listed */

enum standing {
    UNASKED, /* the store did not answer */
    ASKED,
    DOOMED, /* it is to be destroyed */
    LEFT,   /* its end was told, or it was destroyed, which was told */
};

struct guest {
    struct live_domain l;
    enum standing standing;
    bool there;       /* in the list just now, and not ended */
    struct error why; /* it is not asked */
};

struct guests {
    struct guest *list;
    size_t n;
    bool by_force;        /* somebody had to be destroyed */
    bool unseen;          /* the domains could not be listed, which was told, */
    uint64_t unseen_ms;   /* since then */
    uint64_t force_until; /* 0: nobody has been destroyed yet */
};

static void say(const char *name, const char *how)
{
    printf("%s: %s\n", name, how);
    fflush(stdout);
}

static struct guest *find(struct guests *g, const struct live_domain *l)
{
    for (size_t i = 0; i < g->n; i++) {
        if (g->list[i].l.d.domid == l->d.domid && memcmp(g->list[i].l.d.uuid, l->d.uuid, 16) == 0)
            return &g->list[i];
    }
    return NULL;
}

static bool was_asked(const struct guests *g, const char *name)
{
    for (size_t i = 0; i < g->n; i++) {
        if (g->list[i].standing != UNASKED && strcmp(g->list[i].l.name, name) == 0)
            return true;
    }
    return false;
}

/* The machine goes down: what the others have taken of the time is not waited for again. */
static void destroy_now(const struct call *c, const struct live_domain *l)
{
    struct error e = {0};
    int rc = c->h->ops->domain_destroy(c->h, l->d.domid);

    if (rc && rc != -ESRCH) {
        error_errno(&e, rc, "%s: destroying it", l->name);
        fail(&e);
    }
}

static void destroy(const struct call *c, struct guests *g, const struct live_domain *l,
                    const char *why)
{
    struct call one = *c;
    char number[16], text[sizeof(((struct error *)0)->text) + 32];
    struct error none = {0};
    struct live_domain now;

    snprintf(text, sizeof(text), "%s: it is destroyed", why);
    say(l->name, text);
    snprintf(number, sizeof(number), "%u", l->d.domid);
    one.arg = number;
    g->by_force = true;
    g->force_until = g->force_until ? g->force_until : now_ms() + FORCE_MS;
    if (l->maker)
        kill(l->maker, SIGTERM); /* which undoes what it has made */
    else if (now_ms() >= g->force_until)
        destroy_now(c, l);
    else if (lifecycle_find(c->h, number, &now, &none) != -ESRCH &&
             verb_destroy.run(&one) == EXIT_NO_DOMAIN)
        say(l->name, "it has ended meanwhile");
}

/* "web: so" -> "so" */
static const char *without_name(const char *text, const char *name)
{
    size_t len = strlen(name);

    return strncmp(text, name, len) == 0 && strncmp(text + len, ": ", 2) == 0 ? text + len + 2
                                                                              : text;
}

/* Its standing after that. */
static enum standing ask(const struct call *c, struct guest *one)
{
    const struct live_domain *l = &one->l;
    struct error e = {0};

    if (wish_for(c, l, "poweroff", &e)) {
        if (one->why.code != e.code && e.code == -ETIME)
            say(l->name, without_name(e.text, l->name));
        one->why = e;
        return e.code == -ETIME ? UNASKED : DOOMED;
    }
    if (l->d.paused && c->h->ops->domain_unpause(c->h, l->d.domid)) {
        error_set(&one->why, -EINVAL, "it is paused");
        return DOOMED;
    }
    say(l->name, l->d.paused ? "it was paused: it goes on, asked to end" : "asked to end");
    return ASKED;
}

/* One that is seen for the first time. */
static enum standing meet(const struct call *c, const struct guests *g, struct guest *one)
{
    const struct live_domain *l = &one->l;

    if (l->maker)
        error_set(&one->why, -EBUSY, "it is being created");
    else if (was_asked(g, l->name))
        error_set(&one->why, -EEXIST, "it was asked to end and lives again");
    else if (l->d.paused && l->d.cpu_time_ns == 0)
        error_set(&one->why, -EINVAL, "it is paused and has never run");
    return one->why.code ? DOOMED : ask(c, one);
}

static void take_in(const struct call *c, struct guests *g, const struct live_domain *l)
{
    struct guest *more = realloc(g->list, (g->n + 1) * sizeof(*more)), new = {.l = *l};

    if (!more)
        return; /* the next look tries again */
    g->list = more;
    new.standing = meet(c, g, &new);
    new.there = true;
    more[g->n++] = new;
}

static bool is_awaited(const struct guest *g)
{
    return g->standing == ASKED || g->standing == UNASKED;
}

/* Shut down and not taken away yet, or as parvisd has written it, or as nobody knows. */
static void tell_end(const struct guest *g)
{
    char *how = g->l.d.shutdown ? NULL : state_read_ended(g->l.name);

    say(g->l.name, g->l.d.shutdown ? shutdown_reason_text(g->l.d.shutdown_reason)
                   : how           ? how
                                   : "ended");
    free(how);
}

/* What cannot be listed now may be at the next look. */
static int cannot_look(struct guests *g, const struct error *e)
{
    if (!g->unseen) {
        fail(e);
        g->unseen_ms = now_ms();
    }
    g->unseen = true;
    return -1;
}

/* What has become of each. How many are waited for. */
static int settle(const struct call *c, struct guests *g)
{
    int waiting = 0;

    for (size_t i = 0; i < g->n; i++) {
        struct guest *one = &g->list[i];

        if (is_awaited(one) && !one->there) {
            tell_end(one);
            one->standing = LEFT;
        } else if (one->standing == DOOMED) {
            destroy(c, g, &one->l, without_name(one->why.text, one->l.name));
            one->standing = LEFT;
        }
        waiting += is_awaited(one);
    }
    return waiting;
}

/* Looks at what there is. How many are waited for; or negative, told. */
static int look(const struct call *c, struct guests *g)
{
    struct live_domain *l;
    struct error e = {0};
    size_t n;

    if (lifecycle_list(c->h, &l, &n, &e))
        return cannot_look(g, &e);
    g->unseen = false;
    for (size_t i = 0; i < g->n; i++)
        g->list[i].there = false;
    for (size_t i = 0; i < n; i++) {
        struct guest *known = find(g, &l[i]);

        if (known)
            known->l.d = l[i].d;
        if (l[i].d.domid == 0 || l[i].d.dying || l[i].d.shutdown)
            continue;
        if (known)
            known->there = true;
        else
            take_in(c, g, &l[i]);
        if (known && known->standing == UNASKED)
            known->standing = ask(c, known);
    }
    free(l);
    return settle(c, g);
}

static void tell_waiting(const struct call *c, const struct guests *g, uint64_t left_s)
{
    bool any = false;

    for (size_t i = 0; i < g->n; i++) {
        if (!is_awaited(&g->list[i]))
            continue;
        printf("%s%s", any ? ", " : "still waiting for ", g->list[i].l.name);
        any = true;
        if (g->list[i].standing == ASKED)
            wish_again(c, &g->list[i].l, "poweroff");
    }
    if (!any)
        return; /* nobody is known yet */
    if (left_s)
        printf(", at most %llu s more", (unsigned long long)left_s);
    puts("");
    fflush(stdout);
}

/* Those that have ended and are there still: whoever keeps them takes them away, or nobody does. */
static void take_away(const struct call *c, struct guests *g)
{
    uint64_t limit = now_ms() + GRACE_MS;
    struct live_domain *l;
    struct error e = {0};
    size_t n, left;
    bool last;

    do {
        last = now_ms() >= limit;
        left = 0;
        e.code = 0;
        if (lifecycle_list(c->h, &l, &n, &e)) {
            left = 1; /* for all we know */
            n = 0;
            l = NULL;
            cannot_look(g, &e);
        } else {
            g->unseen = false;
        }
        for (size_t i = 0; i < n; i++) {
            if (l[i].d.domid == 0 || l[i].d.dying)
                continue;
            left++;
            if (last)
                destroy(c, g, &l[i], "it is still there");
        }
        free(l);
        if (left && !last)
            device_system->sleep_ms(LOOK_MS);
    } while (left && !last);
}

/* Parvisd is told of all that are to be destroyed, and waited for one after the other: their back
 * ends let go meanwhile. Without it each is destroyed in its turn. */
static void all_at_once(const struct guests *g)
{
    for (size_t i = 0; i < g->n; i++) {
        const struct live_domain *l = &g->list[i].l;
        struct error e = {0};

        if (!is_awaited(&g->list[i]) || !l->ours || l->maker)
            continue;
        if (lifecycle_reap_begin(&l->d, l->name, "destroyed", &e))
            return;
    }
}

/* Until the time is over; without one, for as long as something is to be seen. */
static bool may_wait(const struct guests *g, unsigned int seconds, uint64_t now, uint64_t limit)
{
    return seconds ? now < limit : !g->unseen || now - g->unseen_ms < BLIND_MS;
}

/* How many are waited for; or negative: nobody knows. */
static int wait_for_all(const struct call *c, struct guests *g, unsigned int seconds)
{
    uint64_t now = now_ms(), limit = now + (uint64_t)seconds * 1000, tell = now + TELL_MS;
    int waiting;

    while ((waiting = look(c, g)) != 0 && may_wait(g, seconds, now, limit)) {
        device_system->sleep_ms(LOOK_MS);
        now = now_ms();
        if (now >= tell && may_wait(g, seconds, now, limit)) {
            tell_waiting(c, g, seconds ? (limit - now) / 1000 : 0);
            tell = now + TELL_MS;
        }
    }
    return waiting;
}

int end_all(const struct call *c, unsigned int seconds)
{
    struct guests g = {0};
    char text[64];

    c->h->store_patience_ms = PATIENCE_MS;
    if (wait_for_all(c, &g, seconds) && !seconds) { /* nobody is to be destroyed */
        free(g.list);
        return EXIT_REFUSED;
    }
    snprintf(text, sizeof(text), "not ended within %u s", seconds);
    all_at_once(&g);
    for (size_t i = 0; i < g.n; i++) {
        if (is_awaited(&g.list[i]))
            destroy(c, &g, &g.list[i].l, text);
    }
    take_away(c, &g);
    free(g.list);
    return g.unseen || g.by_force ? EXIT_REFUSED : EXIT_OK;
}
