/* SPDX-License-Identifier: MIT */
/*
 * What happens when a domain ends: see policy.h.
 */
#define _GNU_SOURCE /* pipe2 */
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cause.h"
#include "client.h"
#include "events.h"
#include "lifecycle.h"
#include "reaper.h"
#include "restart.h"
#include "state.h"

static char pvctl[256] = "pvctl";

void policy_set_pvctl(const char *path)
{
    snprintf(pvctl, sizeof(pvctl), "%s", path);
}

void policy_release(struct host *h, uint32_t domid, const char *how)
{
    struct console *c = console_by_domid(domid);

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
    int rc;

    if (state_read_xml(c->domid, &xml) < 0 && state_read_file(restart_path(c->name), &xml) < 0)
        return false;
    rc = domain_config_parse(xml, strlen(xml), "kept configuration", cfg, &e);
    if (rc)
        fprintf(stderr, "parvisd: domain %u: %s\n", c->domid, e.text);
    free(xml);
    return rc == 0;
}

/* The child: `pvctl create`, its messages into the pipe. It undoes what it has done if the daemon
 * ends, so that the next one does not start the same domain beside it. */
static void create(const char *name, int messages, pid_t daemon)
{
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    prctl(PR_SET_PDEATHSIG, SIGTERM);
    if (getppid() != daemon)
        _exit(1);
    dup2(messages, STDERR_FILENO);
    execlp(pvctl, "pvctl", "create", restart_path(name), (char *)NULL);
    fprintf(stderr, "%s: %s\n", pvctl, strerror(errno));
    _exit(127);
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

static void restart(struct console *c)
{
    int messages[2] = {-1, -1};
    pid_t daemon = getpid();

    c->successor = false;
    if (pipe2(messages, O_CLOEXEC | O_NONBLOCK) < 0 || (c->restarter = fork()) < 0) {
        c->restarter = 0;
        restart_failed(c, strerror(errno));
    } else if (c->restarter == 0) {
        create(c->name, messages[1], daemon);
    }
    if (messages[1] >= 0)
        close(messages[1]);
    if (c->restarter)
        c->messages = messages[0];
    else if (messages[0] >= 0)
        close(messages[0]);
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

/* The last line that it said, without its name. */
static void last_message(int fd, char *out, size_t size)
{
    char text[1024], *save = NULL, *line;
    ssize_t n = read(fd, text, sizeof(text) - 1);

    snprintf(out, size, "it ended without a message");
    text[n > 0 ? n : 0] = '\0';
    for (line = strtok_r(text, "\n", &save); line; line = strtok_r(NULL, "\n", &save))
        snprintf(out, size, "%s", strncmp(line, "pvctl: ", 7) == 0 ? line + 7 : line);
}

void policy_served(struct host *h, struct console *c, pid_t maker)
{
    if (c->restarter && c->restarter == maker)
        carried_give(h, c->domid, c->name, &c->carried);
}

void policy_child(pid_t pid, int status)
{
    for (struct console *c = consoles; c; c = c->next) {
        if (c->restarter == pid) {
            char why[200];

            last_message(c->messages, why, sizeof(why));
            close(c->messages);
            c->restarter = 0;
            if (WIFEXITED(status) && WEXITSTATUS(status) == 0)
                client_tell_next(c->name, c->domid, NULL);
            else if (c->domid == CONSOLE_NONE && !c->given_up)
                restart_failed(c, why);
            c->given_up = false;
        }
    }
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
    action = lifecycle_action(&cfg, d->shutdown_reason);
    fprintf(stderr, "parvisd: %s (domain %u) %s: %s\n", c->name, d->domid, how,
            end_action_name(action));
    console_pump(h, c);
    c->quick = now_ms() - c->started_ms < RESTART_MIN_MS ? c->quick + 1 : 0;
    if (action == END_RESTART)
        action = plan_restart(h, d, c, how, sizeof(how));
    if (action == END_PRESERVE) {
        size_t n = strlen(how);

        snprintf(how + n, sizeof(how) - n, " (preserved)");
        console_set_ended(c, how);
        client_tell_end(d->domid, how, NULL);
    } else {
        policy_release(h, d->domid, how);
        reaper_start(h, d->domid, d->uuid, c->name, action == END_RESTART ? "" : how);
    }
    if (known)
        domain_config_free(&cfg);
}

/* Somebody destroyed it without a word to us. */
static void tidy(struct host *h, struct console *c)
{
    struct state_entry s = {0};
    uint32_t domid = c->domid;

    policy_release(h, domid, "destroyed");
    if (state_get(c->name, &s))
        memset(s.uuid, 0, sizeof(s.uuid)); /* no record of it: only what nobody else has goes */
    reaper_start(h, domid, s.uuid, c->name, "");
}

/* All are looked at by one hypercall, however many there are. */
void policy_check(struct host *h)
{
    struct console *c, *next;
    struct host_domain *all;
    size_t n;

    events_look(h);
    if (lifecycle_domains(h, &all, &n))
        return;
    for (c = consoles; c; c = next) {
        const struct host_domain *d = lifecycle_domain(all, n, c->domid);

        next = c->next;
        if (c->domid == CONSOLE_NONE)
            continue;
        if (!d || d->dying)
            tidy(h, c);
        else if (d->shutdown && !c->handled)
            act(h, d, c);
    }
    free(all);
    client_check_others(h);
}

void policy_adopt(struct host *h, uint32_t domid, const char *name)
{
    struct error e = {0};

    if (console_serve(h, domid, name, &e)) {
        fprintf(stderr, "parvisd: %s\n", e.text);
        return;
    }
    console_resume(console_by_name(name));
}
