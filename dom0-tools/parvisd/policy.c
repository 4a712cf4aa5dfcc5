/* SPDX-License-Identifier: MIT */
/*
 * What happens when a domain ends: see policy.h.
 */
#include "policy.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "cause.h"
#include "client.h"
#include "devices.h"
#include "lifecycle.h"
#include "state.h"
#include "store.h"

static char pvctl[256] = "pvctl";

void policy_set_pvctl(const char *path)
{
    snprintf(pvctl, sizeof(pvctl), "%s", path);
}

void policy_release(struct host *h, uint32_t domid, const char *how)
{
    struct console *c = console_by_domid(domid);

    if (c) {
        console_release(h, c, how);
    }
    client_tell_end(domid, c && c->ended ? c->how : how);
}

static int own_serve(void *ctx, uint32_t domid, const char *name, struct error *e)
{
    return console_serve(ctx, domid, name, e);
}

static int own_release(void *ctx, uint32_t domid, const char *how, struct error *e)
{
    (void)e;
    policy_release(ctx, domid, how);
    return 0;
}

static bool read_config(uint32_t domid, struct domain_config *cfg, char **xml)
{
    struct error e = {0};

    if (state_read_xml(domid, xml) < 0) {
        return false;
    }
    if (domain_config_parse(*xml, strlen(*xml), "kept configuration", NULL, cfg, &e)) {
        fprintf(stderr, "parvisd: domain %u: %s\n", domid, e.text);
        free(*xml);
        return false;
    }
    return true;
}

/* Starts `pvctl create FILE` for the successor. */
static void restart(struct console *c, const char *xml)
{
    char file[512];
    FILE *f;
    pid_t pid;

    snprintf(file, sizeof(file), "%s", state_path("domains/restart-%s.xml", c->name));
    f = fopen(file, "we");
    if (!f) {
        return;
    }
    fputs(xml, f);
    fclose(f);
    pid = fork();
    if (pid == 0) {
        sigset_t none;

        sigemptyset(&none);
        sigprocmask(SIG_SETMASK, &none, NULL);
        execlp(pvctl, "pvctl", "create", file, (char *)NULL);
        fprintf(stderr, "parvisd: %s: %s\n", pvctl, strerror(errno));
        _exit(127);
    }
    c->restarter = pid > 0 ? pid : 0;
    c->restarting = pid > 0;
}

void policy_child(pid_t pid, int status)
{
    for (struct console *c = consoles; c; c = c->next) {
        if (c->restarter == pid) {
            c->restarter = 0;
            unlink(state_path("domains/restart-%s.xml", c->name));
            if (c->restarting && !(WIFEXITED(status) && WEXITSTATUS(status) == 0)) {
                c->restarting = false;
                console_set_ended(c, "restarted without success: see the log of parvisd");
            }
        }
    }
}

static void reap(struct host *h, const struct host_domain *d, struct console *c, const char *how)
{
    const struct console_service own = {own_serve, own_release, h};
    struct error e = {0};
    char name[65];

    snprintf(name, sizeof(name), "%s", c->name);
    if (lifecycle_reap(h, d, name, how, &own, &e)) {
        fprintf(stderr, "parvisd: %s\n", e.text);
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
        client_tell_end(d->domid, how);
    } else {
        if (action == END_RESTART) {
            c->restarting = true; /* before its end is told: the reader stays */
        }
        reap(h, d, c, how);
        if (action == END_RESTART) {
            restart(c, xml);
        }
    }
    if (known) {
        domain_config_free(&cfg);
        free(xml);
    }
}

/* Somebody destroyed it without a word to us. */
static void tidy(struct host *h, struct console *c)
{
    struct state_entry s;
    uint32_t domid = c->domid;

    policy_release(h, domid, "destroyed");
    devices_detach(h, domid);
    if (state_get(c->name, &s) == 0 && s.domid == domid) {
        store_domain_remove(h, domid, s.uuid);
        state_release(c->name, domid);
    }
}

void policy_check(struct host *h)
{
    struct console *c, *next;

    for (c = consoles; c; c = next) {
        struct host_domain d;
        unsigned int n = 0;

        next = c->next;
        if (c->domid == CONSOLE_NONE || h->ops->domain_list(h, c->domid, &d, 1, &n)) {
            continue;
        }
        if (n == 0 || d.domid != c->domid || d.dying) {
            tidy(h, c);
        } else if (d.shutdown && !c->handled) {
            act(h, &d, c);
        }
    }
}

void policy_adopt(struct host *h)
{
    struct live_domain *all;
    struct error e = {0};
    size_t n;

    if (lifecycle_list(h, &all, &n, &e)) {
        fprintf(stderr, "parvisd: %s\n", e.text);
        return;
    }
    for (size_t i = 0; i < n; i++) {
        struct state_entry s;

        if (state_get(all[i].name, &s) || !state_matches(&s, &all[i].d) || all[i].d.dying) {
            continue;
        }
        if (console_serve(h, all[i].d.domid, all[i].name, &e)) {
            fprintf(stderr, "parvisd: %s\n", e.text);
            e.code = 0;
            continue;
        }
        console_resume(console_by_name(all[i].name));
    }
    free(all);
}
