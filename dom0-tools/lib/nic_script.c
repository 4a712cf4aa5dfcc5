/* SPDX-License-Identifier: MIT */
/*
 * The script of an interface: see nic_script.h.
 */
#define _GNU_SOURCE /* sigabbrev_np, asprintf */
#include "nic_script.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include "device_path.h"
#include "devices.h"
#include "interrupt.h"
#include "plain.h"

#define STEP_MS   20u
#define KILLED_MS 1000u /* of one that the kernel does not let die nobody waits for the end */
#define WHY       256
#define MOST_MIB  16 /* that one prints */

/* "netdev=" and what another tool's configuration calls gatewaydev; NULL: no memory. */
static char *netdev(struct host *h, const struct nic_script *s)
{
    char path[DEVICE_PATH], *dev = NULL, *text;

    device_back_path(path, "vif", s->domid, s->id, "/gatewaydev");
    if (h->ops->store_read(h, 0, path, &dev))
        dev = NULL;
    if (asprintf(&text, "netdev=%s", dev ? dev : "") < 0)
        text = NULL;
    free(dev);
    return text;
}

/* ABI: what libxl gives it. XENBUS_PATH is from the control domain's part of the store on, which is
 * where the programs that read the store begin. */
static int run(struct nic_script *s, const char *verb, char *script, char *net)
{
    char bus[64], vif[32];
    char *argv[] = {s->path, (char *)verb, (char *)"type_if=vif", NULL};
    char *envp[] = {script,
                    (char *)"XENBUS_TYPE=vif",
                    bus,
                    (char *)"XENBUS_BASE_PATH=backend",
                    net,
                    vif,
                    (char *)"PATH=/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin",
                    NULL};

    snprintf(bus, sizeof(bus), "XENBUS_PATH=backend/vif/%u/%u", s->domid, s->id);
    snprintf(vif, sizeof(vif), "vif=vif%u.%u", s->domid, s->id);
    s->pid = device_system->script_start(argv, envp);
    return s->pid < 0 ? s->pid : 0;
}

/* How long the file is that it prints to; none that could become full: 0. */
static off_t printed(const struct nic_script *s)
{
    struct stat st;

    return s->output >= 0 && fstat(s->output, &st) == 0 && S_ISREG(st.st_mode) ? st.st_size : 0;
}

static int start(struct host *h, struct nic_script *s, const char *verb, uint64_t now_ms)
{
    char *script, *net = netdev(h, s);
    int rc = -ENOMEM;

    /* Ours may be another file by the time it ends: parvisd begins a new log. */
    s->output = fcntl(STDERR_FILENO, F_DUPFD_CLOEXEC, STDERR_FILENO + 1);
    s->printed = printed(s);
    if (net && asprintf(&script, "script=%s", s->path) >= 0) {
        rc = run(s, verb, script, net);
        free(script);
    }
    free(net);
    if (rc && s->output >= 0)
        close(s->output);
    s->deadline = now_ms + NIC_SCRIPT_MS;
    return rc;
}

static void stop(struct nic_script *s, int why, uint64_t now_ms)
{
    device_system->script_kill(s->pid);
    s->rc = why;
    s->deadline = now_ms + KILLED_MS;
}

/* The end of time, for who cannot wait, is behind each deadline, those of now among them. */
static bool has_ended(struct nic_script *s, uint64_t now_ms)
{
    int rc = device_system->script_look(s->pid, &s->status);

    if (rc == -EAGAIN && s->rc == 0 && now_ms >= s->deadline)
        stop(s, now_ms == UINT64_MAX ? -EINTR : -ETIMEDOUT, now_ms);
    if (rc == -EAGAIN && s->rc == 0 && printed(s) - s->printed > (off_t)MOST_MIB << 20)
        stop(s, -EFBIG, now_ms);
    if (rc == -EAGAIN && (s->rc == 0 || now_ms < s->deadline))
        return false;
    s->rc = s->rc || rc == -EAGAIN ? s->rc : rc;
    if (s->output >= 0)
        close(s->output);
    return true;
}

/* What it says itself, in the store. */
static bool own_words(struct host *h, const struct nic_script *s, char why[WHY])
{
    char path[DEVICE_PATH], *text = NULL;
    bool any;

    device_back_path(path, "vif", s->domid, s->id, "/hotplug-error");
    any = h->ops->store_read(h, 0, path, &text) == 0 && *text;
    if (any) {
        plain_line(text);
        snprintf(why, WHY, "%s", text);
    }
    free(text);
    return any;
}

/* Real-time signals have no name. */
static void ended_by(int signal, char why[WHY])
{
    const char *name = sigabbrev_np(signal);

    if (name)
        snprintf(why, WHY, "it was ended by SIG%s", name);
    else
        snprintf(why, WHY, "it was ended by signal %d", signal);
}

/* 0: it has done what it should; else why not. */
static int outcome(struct host *h, const struct nic_script *s, char why[WHY])
{
    if (s->rc == 0 && WIFEXITED(s->status) && WEXITSTATUS(s->status) == 0)
        return 0;
    if (s->rc == -ETIMEDOUT)
        snprintf(why, WHY, "it had not ended after %u s, and was killed", NIC_SCRIPT_MS / 1000);
    else if (s->rc == -EFBIG)
        snprintf(why, WHY, "it printed more than %d MiB, and was killed", MOST_MIB);
    else if (s->rc == -EINTR)
        snprintf(why, WHY, "it was killed, as nobody can wait for its end any more");
    else if (s->rc == -ESRCH)
        snprintf(why, WHY, "it was killed, as its domain has gone meanwhile");
    else if (s->rc)
        snprintf(why, WHY, "%s", strerror(-s->rc));
    else if (own_words(h, s, why))
        return -EIO;
    else if (WIFSIGNALED(s->status))
        ended_by(WTERMSIG(s->status), why);
    else
        snprintf(why, WHY, "it ended with status %d", WEXITSTATUS(s->status));
    return s->rc ? s->rc : -EIO;
}

/* Looks at it until it has ended. ask: a signal that comes meanwhile is its end. */
static void wait_for(struct nic_script *s, bool ask)
{
    for (uint64_t ms = 0; !has_ended(s, ms); ms += STEP_MS) {
        if (ask && s->rc == 0 && interrupt_came())
            stop(s, -EINTR, ms);
        device_system->sleep_ms(STEP_MS);
    }
}

/* What has not run has nothing to undo. */
static void forget(struct host *h, const struct nic_script *s)
{
    char path[DEVICE_PATH];

    device_back_path(path, "vif", s->domid, s->id, "/script");
    h->ops->store_write(h, 0, path, "none");
}

int nic_script_online(struct host *h, const char *path, const char *name, uint32_t domid,
                      unsigned int id, struct error *e)
{
    struct nic_script s = {.path = (char *)path, .domid = domid, .id = id};
    char why[WHY];
    int rc = start(h, &s, "online", 0);

    if (rc) {
        forget(h, &s);
        return error_errno(e, rc, "%s: <interface> vif%u.%u: script %s", name, domid, id, path);
    }
    wait_for(&s, true);
    if (s.rc == -EINTR)
        return interrupt_check(name, e);
    rc = outcome(h, &s, why);
    return rc ? error_set(e, rc, "%s: <interface> vif%u.%u: script %s: %s", name, domid, id, path,
                          why)
              : 0;
}

static void complain(const struct nic_script *s, const char *why)
{
    struct error e = {0}; /* one line, whatever its path is */

    error_set(&e, -EIO, "vif%u.%u: script %s offline: %s", s->domid, s->id, s->path, why);
    fprintf(stderr, "%s\n", e.text);
}

static void tell(struct host *h, const struct nic_script *s)
{
    char why[WHY];

    if (outcome(h, s, why))
        complain(s, why);
}

/* Starts that of an interface that goes; false: it has none, or it cannot be started. "none" is
 * what an interface has that we bridge. */
static bool start_offline(struct host *h, uint32_t domid, unsigned int id, uint64_t now_ms,
                          struct nic_script *s)
{
    char path[DEVICE_PATH];
    int rc;

    *s = (struct nic_script){.domid = domid, .id = id};
    device_back_path(path, "vif", domid, id, "/script");
    rc = h->ops->store_read(h, 0, path, &s->path);
    if (rc && rc != -ENOENT)
        fprintf(stderr, "vif%u.%u: which script it has: %s\n", domid, id, strerror(-rc));
    if (rc)
        return false;
    rc = *s->path == '/' ? start(h, s, "offline", now_ms) : -ENOENT;
    if (*s->path == '/' && rc)
        complain(s, strerror(-rc));
    if (rc)
        free(s->path);
    return rc == 0;
}

void nic_script_offline(struct host *h, uint32_t domid, unsigned int id)
{
    struct nic_script s;

    if (!start_offline(h, domid, id, 0, &s))
        return;
    wait_for(&s, false);
    tell(h, &s);
    free(s.path);
}

void nic_scripts_start(struct host *h, uint32_t domid, uint64_t now_ms, struct nic_scripts *s)
{
    char dir[DEVICE_PATH], **ids;
    unsigned int n;
    int rc;

    *s = (struct nic_scripts){0};
    device_backs_path(dir, "vif", domid);
    rc = h->ops->store_list(h, 0, dir, &ids, &n);
    /* That the store is gone, who removes its entries tells. */
    if (rc && rc != -ENOENT && rc != -ENOTCONN && rc != -ETIME)
        fprintf(stderr, "domain %u: the scripts of its interfaces are not run: %s\n", domid,
                strerror(-rc));
    if (rc)
        return;
    s->list = calloc(n + 1, sizeof(*s->list));
    if (!s->list)
        fprintf(stderr, "domain %u: no memory: the scripts of its interfaces are not run\n", domid);
    for (unsigned int i = 0; s->list && i < n; i++)
        s->nr += start_offline(h, domid, (unsigned int)strtoul(ids[i], NULL, 10), now_ms,
                               &s->list[s->nr]);
    free(ids);
}

bool nic_scripts_ended(struct host *h, struct nic_scripts *s, uint64_t now_ms)
{
    for (size_t i = 0; i < s->nr;) {
        if (!has_ended(&s->list[i], now_ms)) {
            i++;
            continue;
        }
        tell(h, &s->list[i]);
        free(s->list[i].path);
        s->list[i] = s->list[--s->nr];
    }
    if (s->nr)
        return false;
    free(s->list);
    *s = (struct nic_scripts){0};
    return true;
}

void nic_scripts_stop(struct nic_scripts *s, uint64_t now_ms)
{
    for (size_t i = 0; i < s->nr; i++)
        stop(&s->list[i], -ESRCH, now_ms);
}
