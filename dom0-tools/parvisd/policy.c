/* SPDX-License-Identifier: MIT */
/*
 * What happens when a domain ends: see policy.h.
 */
#include "policy.h"

#include <errno.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aside.h"
#include "cause.h"
#include "child.h"
#include "client.h"
#include "clock.h"
#include "console_file.h"
#include "events.h"
#include "kept.h"
#include "lifecycle.h"
#include "reaper.h"
#include "restart.h"
#include "state.h"
#include "tell_once.h"

/* Race: it may end when the next domain of this name lives, which is not the one that it dumped. */
static void stop_dumper(struct console *c)
{
    kill(c->dumper, SIGTERM); /* which removes what it has written */
    c->dumper = 0;
    close(c->messages);
    c->messages = -1;
}

void policy_release(struct host *h, uint32_t domid, const char *how)
{
    struct console *c = console_by_domid(domid);

    if (c && c->dumper)
        stop_dumper(c);
    if (c)
        console_release(h, c, how);
    if (c && c->ended)
        how = c->how;
    if (c && c->restarting)
        client_tell_end(domid, how, c->name);
    else
        client_tell_end_when_reaped(domid, how);
}

/* A daemon before this one may have moved it, and been killed before the domain was gone. */
static bool read_config(const struct console *c, struct domain_config *cfg)
{
    struct error e = {0};
    char *xml;
    int rc = state_read_xml(c->domid, &xml);

    rc = rc == -ENOENT ? state_read_file(restart_path(c->name), &xml) : rc;
    if (rc && rc != -ENOENT)
        fprintf(stderr, "parvisd: domain %u: what is to follow its end: %s\n", c->domid,
                strerror(-rc));
    if (rc)
        return false;
    rc = domain_config_parse(xml, strlen(xml), "kept configuration", cfg, &e);
    if (rc)
        fprintf(stderr, "parvisd: domain %u: %s\n", c->domid, e.text);
    free(xml);
    return rc == 0;
}

static void restart_failed(struct console *c, const char *why)
{
    char how[sizeof(c->how)];

    snprintf(how, sizeof(how), "%.60s; not created again: %.160s", c->how, why);
    fprintf(stderr, "parvisd: %s: %s\n", c->name, how);
    c->restarting = false;
    console_set_ended(c, how);
    client_tell_next(c->name, CONSOLE_NONE, how);
}

/* `pvctl create`; it undoes what it has done if the daemon ends, so that the next one does not
 * start the same domain beside it. */
static void restart(struct console *c)
{
    pid_t pid = child_start("create", restart_path(c->name), NULL, &c->messages);

    c->successor = false;
    if (pid < 0)
        restart_failed(c, strerror(-pid));
    else
        c->restarter = pid;
}

/* Whoever makes the next life is told to stop, and undoes what it has made. */
void policy_give_up(const char *name)
{
    struct console *c = console_by_name(name);

    if (!c)
        return;
    c->successor = false;
    if (c->restarter) {
        c->given_up = true;
        kill(c->restarter, SIGTERM);
    }
    restart_forget(name);
    if (c->restarting)
        restart_failed(c, "destroyed");
}

bool policy_is_making(const char *name)
{
    const struct console *c = console_by_name(name);

    return c && c->restarter;
}

/* By a client of this daemon, or of one before it. */
static bool is_being_made(const char *name)
{
    struct state_entry s;

    return client_is_making(name) || (state_get(name, &s) == 0 && s.maker && !s.abandoned);
}

/* One life at a time: the one who makes a domain may not have finished when it has ended. */
void policy_go_on(void)
{
    for (struct console *c = consoles; c; c = c->next) {
        if (!c->successor || reaper_has_name(c->name) || is_being_made(c->name))
            continue;
        if (restart_intended(c->name))
            restart(c);
        else
            c->successor = c->restarting = false; /* somebody else has made it */
    }
}

void policy_served(struct host *h, struct console *c, pid_t maker)
{
    if (c->restarter && c->restarter == maker)
        carried_give(h, c->domid, c->name, &c->carried);
    else
        client_tell_next(c->name, c->domid, NULL); /* somebody was faster */
}

/* What is done when a restart is asked for; why it is not done goes behind `how`. */
static enum end_action plan_restart(struct host *h, const struct host_domain *d, struct console *c,
                                    char *how, size_t size)
{
    size_t n = strlen(how);
    int rc;

    if (c->quick == RESTART_MAX_QUICK) {
        snprintf(how + n, size - n, "; not restarted: %u times in a row within %u s",
                 RESTART_MAX_QUICK, RESTART_MIN_MS / 1000);
        return END_DESTROY;
    }
    carried_take(h, d, c->name, &c->carried);
    rc = restart_intend(c->name, d->domid);
    if (rc) {
        snprintf(how + n, size - n, "; not restarted: %s: %s", restart_path(c->name),
                 strerror(-rc));
        return END_DESTROY;
    }
    c->restarting = c->successor = true; /* before its end is told: the reader stays */
    return END_RESTART;
}

/* Writes its core before all else; what follows is kept for then. Where that cannot be begun, it
 * follows now. */
static enum end_action dump_first(const struct host_domain *d, struct console *c,
                                  enum end_action action, char *how, size_t size)
{
    enum end_action then = action == END_COREDUMP_RESTART ? END_RESTART : END_DESTROY;
    char number[16];
    struct error e = {0};
    pid_t pid = aside_path(c->name, c->core, sizeof(c->core), &e);
    size_t n = strlen(how);

    snprintf(number, sizeof(number), "%u", d->domid);
    if (pid == 0) {
        pid = child_start("dump-core", number, c->core, &c->messages);
        if (pid < 0)
            error_errno(&e, pid, "%.60s", c->core);
    }
    if (pid < 0) {
        snprintf(how + n, size - n, "; no core: %.140s", e.text);
        return then;
    }
    c->dumper = pid;
    c->then = then;
    snprintf(c->how, sizeof(c->how), "%s", how);
    return then;
}

/* A guest that crashes again and again takes no more memory than that of the few that are kept; of
 * the others nothing is left, neither what they printed nor how they ended. */
static void drop_surplus(struct host *h, const char *name)
{
    size_t n;
    struct state_entry *s = aside_surplus(h, name, &n);

    for (size_t i = 0; i < n; i++) {
        fprintf(stderr, "parvisd: %s (domain %u): it goes: later ones are preserved\n", s[i].name,
                s[i].domid);
        policy_release(h, s[i].domid, "destroyed: later ones are preserved");
        reaper_start(h, s[i].domid, s[i].uuid, s[i].name, "");
        unlink(state_path("ended/%s", s[i].name));
        unlink(state_path("console/%s.log", s[i].name));
    }
    free(s);
}

/* Another one lives on by its name: it is preserved by another name, without its devices. */
static bool set_aside(struct host *h, const struct host_domain *d, struct console *c, char *how,
                      size_t size)
{
    struct host_domain aside = *d;
    struct error e = {0};
    char name[sizeof(c->name)], other[sizeof(c->name)];
    size_t n = strlen(how);
    unsigned int quick = c->quick;

    snprintf(name, sizeof(name), "%s", c->name);
    if (quick == RESTART_MAX_QUICK) {
        snprintf(how + n, size - n, "; not restarted: %u times in a row within %u s",
                 RESTART_MAX_QUICK, RESTART_MIN_MS / 1000);
        return false;
    }
    carried_take(h, d, name, &c->carried);
    if (aside_domain(h, &aside, c, other, &e)) {
        restart_forget(name);
        snprintf(how + n, size - n, "; not restarted: %.100s", e.text);
        return false;
    }
    snprintf(how + n, size - n, " (preserved as %s)", other);
    events_new_uuid(d, aside.uuid);
    console_set_ended(c, how);
    client_tell_end(d->domid, how, name);
    reaper_start_devices(h, &aside, name);
    drop_surplus(h, name);
    if (console_expect(name) == 0)
        console_by_name(name)->quick = quick;
    else
        client_tell_next(name, CONSOLE_NONE, "not created again: no memory for its console");
    return true;
}

/* It stays as it is, by this name. */
static void preserve(const struct host_domain *d, struct console *c, char *how, size_t size)
{
    size_t n = strlen(how);

    snprintf(how + n, size - n, " (preserved)");
    console_set_ended(c, how);
    client_tell_end(d->domid, how, NULL);
}

/* What follows an end, when its core is written, if it is to be. */
static void follow(struct host *h, const struct host_domain *d, struct console *c,
                   enum end_action action, char *how, size_t size)
{
    if (action == END_RESTART)
        action = plan_restart(h, d, c, how, size);
    if (action == END_RENAME_RESTART)
        action = set_aside(h, d, c, how, size) ? END_RENAME_RESTART : END_PRESERVE;
    if (action == END_PRESERVE) {
        preserve(d, c, how, size);
    } else if (action != END_RENAME_RESTART) {
        policy_release(h, d->domid, how);
        reaper_start(h, d->domid, d->uuid, c->name, action == END_RESTART ? "" : how);
    }
}

/* The domain has shut down by itself. */
static void act(struct host *h, const struct host_domain *d, struct console *c)
{
    struct domain_config cfg = {
        .on_poweroff = END_PRESERVE, .on_reboot = END_PRESERVE, .on_crash = END_PRESERVE};
    enum end_action action;
    char how[256];
    bool known = read_config(c, &cfg);

    c->handled = true;
    end_cause(h, d, how, sizeof(how));
    action = *c->aside_of ? END_PRESERVE : lifecycle_action(&cfg, d->shutdown_reason);
    fprintf(stderr, "parvisd: %s (domain %u) %s: %s\n", c->name, d->domid, how,
            end_action_name(action));
    console_pump(h, c);
    c->quick = now_ms() - c->started_ms < RESTART_MIN_MS ? c->quick + 1 : 0;
    if (action == END_COREDUMP_DESTROY || action == END_COREDUMP_RESTART)
        action = dump_first(d, c, action, how, sizeof(how));
    if (!c->dumper)
        follow(h, d, c, action, how, sizeof(how));
    if (known)
        domain_config_free(&cfg);
}

/* Those that are kept are why there may have been no room. */
static void no_core(const struct console *c, const char *why, char *how, size_t size)
{
    unsigned int kept = aside_cores(c->core);
    size_t n = (size_t)snprintf(how, size, "%.80s; no core: %.120s", c->how, why);

    if (kept)
        snprintf(how + n, size - n, "; %u earlier one%s kept", kept, kept == 1 ? " is" : "s are");
}

/* Its core is written, or is not; what follows is done, if it has not gone without a word to us. */
static void dumper_ended(struct host *h, struct console *c, int status)
{
    char why[200], how[sizeof(c->how)];
    struct host_domain d;
    unsigned int n = 0;

    child_last_message(&c->messages, why, sizeof(why));
    c->dumper = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0) {
        snprintf(how, sizeof(how), "%.80s; its core is in %.150s", c->how, c->core);
        aside_drop_cores(c->core);
    } else {
        no_core(c, why, how, sizeof(how));
    }
    fprintf(stderr, "parvisd: %s: %s\n", c->name, how);
    if (c->domid == CONSOLE_NONE || h->ops->domain_list(h, c->domid, &d, 1, &n) || n == 0 ||
        d.domid != c->domid || d.dying)
        return; /* policy_check() tidies up */
    follow(h, &d, c, c->then, how, sizeof(how));
}

static void restarter_ended(struct console *c, int status)
{
    char why[200];

    child_last_message(&c->messages, why, sizeof(why));
    c->restarter = 0;
    if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
        client_tell_next(c->name, c->domid, NULL);
    else if (c->domid == CONSOLE_NONE && !c->given_up)
        restart_failed(c, why);
    c->given_up = false;
}

void policy_child(struct host *h, pid_t pid, int status)
{
    struct console *c, *next;

    for (c = consoles; c; c = next) {
        next = c->next;
        if (c->dumper == pid)
            dumper_ended(h, c, status);
        else if (c->restarter == pid)
            restarter_ended(c, status);
    }
}

/* Somebody destroyed it without a word to us. */
static void tidy(struct host *h, struct console *c, const struct host_domain *d)
{
    struct state_entry s = {0};
    uint32_t domid = c->domid;

    policy_release(h, domid, "destroyed");
    if (state_get(c->name, &s) || (s.domid != domid && s.domid != UINT32_MAX))
        memset(s.uuid, 0, sizeof(s.uuid)); /* no record of it: only what nobody else has goes */
    if (d)
        memcpy(s.uuid, d->uuid, sizeof(s.uuid));
    reaper_start(h, domid, s.uuid, c->name, "");
}

/* All are looked at by one hypercall, however many there are. */
int policy_check(struct host *h)
{
    struct console *c, *next;
    struct host_domain *all;
    size_t n;
    int rc;

    events_look(h);
    rc = lifecycle_domains(h, &all, &n);
    if (rc)
        return rc;
    for (c = consoles; c; c = next) {
        const struct host_domain *d = lifecycle_domain(all, n, c->domid);

        next = c->next;
        if (c->domid == CONSOLE_NONE)
            continue;
        if (!d || d->dying)
            tidy(h, c, d);
        else if (d->shutdown && !c->handled)
            act(h, d, c);
    }
    free(all);
    client_check_others(h);
    return 0;
}

/* Of one that was put aside its devices go as well, where its next life is still to come. */
static int settle_found(struct host *h, const struct console *c, const struct live_domain *l,
                        struct error *e)
{
    if (*c->aside_of) {
        aside_settle(h, &l->d, c->name);
        if (restart_intended(c->aside_of))
            reaper_start_devices(h, &l->d, c->aside_of);
    }
    return kept_settle_name(h, l, e);
}

/* Tried again and again: why it cannot be done is told once, as others may hinder it in turn. */
static bool settle(struct host *h, struct console *c)
{
    struct live_domain l;
    struct error e = {0};
    bool told = c->unsettled;

    c->unsettled =
        lifecycle_find(h, c->name, &l, &e) || (l.d.domid == c->domid && settle_found(h, c, &l, &e));
    if (c->unsettled && !told)
        fprintf(stderr, "parvisd: %s\n", e.text);
    return !c->unsettled;
}

bool policy_adopt(struct host *h, uint32_t domid, const struct state_entry *s)
{
    struct console *c = console_by_domid(domid);
    struct error e = {0};

    if (c) {
        console_try_again(h, c);
        return !c->unsettled || settle(h, c);
    }
    if (console_adopt(h, domid, s->name, &e)) {
        tell_once(s->name, e.text);
        return false;
    }
    tell_again(s->name);
    c = console_by_name(s->name);
    console_resume(c);
    snprintf(c->aside_of, sizeof(c->aside_of), "%s", s->former);
    c->unsettled = false;
    return settle(h, c);
}
