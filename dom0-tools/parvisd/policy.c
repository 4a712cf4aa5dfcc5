/* SPDX-License-Identifier: MIT */
/*
 * What happens when a domain ends: see policy.h.
 */
#define _GNU_SOURCE /* memfd_create */
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cause.h"
#include "client.h"
#include "lifecycle.h"
#include "reaper.h"
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
    client_tell_end(domid, c && c->ended ? c->how : how, c && c->restarting ? c->name : NULL);
}

static bool read_config(uint32_t domid, struct domain_config *cfg, char **xml)
{
    struct error e = {0};

    if (state_read_xml(domid, xml) < 0)
        return false;
    if (domain_config_parse(*xml, strlen(*xml), "kept configuration", NULL, cfg, &e)) {
        fprintf(stderr, "parvisd: domain %u: %s\n", domid, e.text);
        free(*xml);
        return false;
    }
    return true;
}

/* The kept configuration as a file that takes no room on any disk. */
static int file_of(const char *xml)
{
    size_t len = strlen(xml);
    int fd = memfd_create("restart", 0); /* the child inherits it */

    if (fd >= 0 && write(fd, xml, len) == (ssize_t)len)
        return fd;
    if (fd >= 0)
        close(fd);
    return -1;
}

/* The child: `pvctl create` of that file, its messages into the pipe. */
static void create(int xml, int messages)
{
    char file[32];
    sigset_t none;

    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    signal(SIGPIPE, SIG_DFL);
    dup2(messages, STDERR_FILENO);
    snprintf(file, sizeof(file), "/proc/self/fd/%d", xml);
    execlp(pvctl, "pvctl", "create", file, (char *)NULL);
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
    int xml = file_of(c->successor), messages[2] = {-1, -1};

    free(c->successor);
    c->successor = NULL;
    if (xml < 0 || pipe2(messages, O_CLOEXEC | O_NONBLOCK) < 0 || (c->restarter = fork()) < 0) {
        c->restarter = 0;
        restart_failed(c, strerror(errno));
    } else if (c->restarter == 0) {
        create(xml, messages[1]);
    }
    if (xml >= 0)
        close(xml);
    if (messages[1] >= 0)
        close(messages[1]);
    if (c->restarter)
        c->messages = messages[0];
    else if (messages[0] >= 0)
        close(messages[0]);
}

/* One life at a time: the one who makes a domain may not have finished when it has ended. */
void policy_go_on(void)
{
    for (struct console *c = consoles; c; c = c->next) {
        if (c->successor && !reaper_has_name(c->name) && !client_is_making(c->name))
            restart(c);
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
            else if (c->domid == CONSOLE_NONE)
                restart_failed(c, why);
        }
    }
}

/* The domain has shut down by itself. */
static void act(struct host *h, const struct host_domain *d, struct console *c)
{
    struct domain_config cfg = {
        .on_poweroff = END_PRESERVE, .on_reboot = END_PRESERVE, .on_crash = END_PRESERVE};
    enum end_action action;
    char how[256], *xml = NULL;
    bool known = read_config(d->domid, &cfg, &xml);

    c->handled = true;
    end_cause(h, d, how, sizeof(how));
    action = lifecycle_action(&cfg, d->shutdown_reason);
    fprintf(stderr, "parvisd: %s (domain %u) %s: %s\n", c->name, d->domid, how,
            end_action_name(action));
    console_pump(h, c);
    c->quick = now_ms() - c->started_ms < RESTART_MIN_MS ? c->quick + 1 : 0;
    if (action == END_RESTART && c->quick == RESTART_MAX_QUICK) {
        size_t n = strlen(how);

        snprintf(how + n, sizeof(how) - n, "; not restarted: %u times in a row within %u s",
                 RESTART_MAX_QUICK, RESTART_MIN_MS / 1000);
        action = END_DESTROY;
    }
    if (action == END_PRESERVE) {
        size_t n = strlen(how);

        snprintf(how + n, sizeof(how) - n, " (preserved)");
        console_set_ended(c, how);
        client_tell_end(d->domid, how, NULL);
    } else {
        if (action == END_RESTART) {
            c->restarting = true; /* before its end is told: the reader stays */
            c->successor = xml;
            xml = NULL;
        }
        policy_release(h, d->domid, how);
        reaper_start(h, d->domid, d->uuid, c->name, action == END_RESTART ? "" : how);
    }
    if (known) {
        domain_config_free(&cfg);
        free(xml);
    }
}

/* Somebody destroyed it without a word to us. */
static void tidy(struct host *h, struct console *c)
{
    struct state_entry s = {0};
    uint32_t domid = c->domid;

    policy_release(h, domid, "destroyed");
    state_get(c->name, &s);
    reaper_start(h, domid, s.uuid, c->name, "");
}

void policy_check(struct host *h)
{
    struct console *c, *next;

    for (c = consoles; c; c = next) {
        struct host_domain d;
        unsigned int n = 0;

        next = c->next;
        if (c->domid == CONSOLE_NONE || h->ops->domain_list(h, c->domid, &d, 1, &n))
            continue;
        if (n == 0 || d.domid != c->domid || d.dying)
            tidy(h, c);
        else if (d.shutdown && !c->handled)
            act(h, &d, c);
    }
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
