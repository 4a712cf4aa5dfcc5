/* SPDX-License-Identifier: MIT */
/*
 * parvisd: keeps the consoles of all domains, and acts when a domain ends.
 *
 * One process, one loop, no threads: it waits for the store (a domain ended), event
 * channels (a console has bytes), clients, and signals, and never for anything else. What
 * it keeps in memory dies with it; on SIGTERM histories are written to files. A new daemon
 * takes up the domains that live and those that were to live again.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <signal.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/signalfd.h>
#include <sys/wait.h>
#include <unistd.h>

#include "aside.h"
#include "child.h"
#include "client.h"
#include "client_ask.h"
#include "collector.h"
#include "console.h"
#include "events.h"
#include "former.h"
#include "lifecycle.h"
#include "log.h"
#include "policy.h"
#include "reaper.h"
#include "state.h"
#include "version.h"

enum { FD_STORE, FD_LINK, FD_EVENTS, FD_LISTEN, FD_SIGNALS, FD_TTYS, FD_FIXED };

/* Without xenstored nobody says when a domain ends, nor twice of one that we could not see: then we
 * look. */
#define LOOK_MS 1000
/* Who waits for the store serves nobody meanwhile. */
#define STORE_PATIENCE_MS 5000u

static int listener = -1, ttys = -1;
static int store_lost; /* 0, or why */
static bool unseen;    /* the domains could not be looked at */

static int open_signals(void)
{
    sigset_t set;

    sigemptyset(&set);
    sigaddset(&set, SIGTERM);
    sigaddset(&set, SIGINT);
    sigaddset(&set, SIGCHLD);
    sigprocmask(SIG_BLOCK, &set, NULL);
    signal(SIGPIPE, SIG_IGN);
    /* Who started us may have ignored it: then there would be none to wait for. */
    signal(SIGCHLD, SIG_DFL);
    return signalfd(-1, &set, SFD_CLOEXEC | SFD_NONBLOCK);
}

/* Returns false when the daemon is to end. Scripts of interfaces are groups of their own: who
 * started them looks at them (lib/script_process.h). */
static bool take_signal(struct host *h, int fd)
{
    struct signalfd_siginfo si;
    int status;
    pid_t pid;

    if (read(fd, &si, sizeof(si)) != sizeof(si))
        return true;
    if (si.ssi_signo != SIGCHLD)
        return false;
    while ((pid = waitpid(0, &status, WNOHANG)) > 0)
        policy_child(h, pid, status);
    return true;
}

static void look(struct host *h)
{
    unseen = policy_check(h) != 0;
}

static void take_store_events(struct host *h)
{
    char *path, *token;
    bool any = false;

    while (h->ops->store_event(h, &path, &token) == 0) {
        free(path);
        free(token);
        any = true;
    }
    if (any)
        look(h);
}

static void take_port_events(struct host *h)
{
    uint32_t port;

    /* Bounded: a flood of events must not keep the clients waiting. */
    for (int i = 0; i < 64 && h->ops->evtchn_pending(h, &port) == 0; i++)
        console_event(h, port);
}

/* The shorter of two waits; -1 = for ever. */
static int sooner(int a, int b)
{
    return a < 0 ? b : b < 0 || a < b ? a : b;
}

/* From now on it is looked, now and then, whether a domain has ended: nobody tells. */
static void lose_store(int why)
{
    store_lost = why;
    if (why == -ETIME)
        fputs("parvisd: xenstored does not answer in time: whether a domain has ended is looked "
              "at every second\n",
              stderr);
    else
        fputs("parvisd: xenstored has ended. Domains run on and can be destroyed, none can be "
              "created or asked to shut down; xenstored cannot be started again, restart the "
              "machine\n",
              stderr);
}

/* One that was only slow when we started: it was never told that we want to know. */
static void ask_store_again(struct host *h)
{
    int rc = store_lost == -ETIME ? h->ops->store_watch(h, "@releaseDomain", "end") : store_lost;

    if (rc == 0) {
        store_lost = 0;
        fputs("parvisd: xenstored answers, and says from now on when a domain has ended\n", stderr);
    } else if (rc != store_lost && rc == -ENOTCONN) {
        lose_store(rc);
    }
}

/* What need not be waited for; returns how long the loop may sleep. */
static int go_on(struct host *h)
{
    int wait = collector_run(h);

    policy_go_on();
    client_go_on(h);
    if (store_lost)
        ask_store_again(h);
    if (store_lost || unseen)
        look(h);
    if (store_lost || unseen)
        wait = sooner(wait, LOOK_MS);
    wait = sooner(wait, events_go_on(h));
    return sooner(sooner(wait, console_pump_waiting(h)), tty_go_on());
}

/* Until a signal ends it; returns the exit status. */
static int loop(struct host *h, int signals)
{
    struct pollfd p[FD_FIXED + MAX_CLIENTS];

    for (;;) {
        int wait = go_on(h);
        unsigned int n;

        log_turn();
        p[FD_STORE] = (struct pollfd){.fd = h->ops->store_fd(h), .events = POLLIN};
        p[FD_LINK] = (struct pollfd){.fd = store_lost ? -1 : h->ops->store_link(h)};
        p[FD_EVENTS] = (struct pollfd){.fd = h->ops->evtchn_fd(h), .events = POLLIN};
        p[FD_LISTEN] = (struct pollfd){.fd = listener, .events = POLLIN};
        p[FD_SIGNALS] = (struct pollfd){.fd = signals, .events = POLLIN};
        p[FD_TTYS] = (struct pollfd){.fd = ttys, .events = POLLIN};
        n = client_poll_set(p + FD_FIXED);
        if (poll(p, FD_FIXED + n, wait) < 0 && errno != EINTR) {
            fprintf(stderr, "parvisd: poll: %s\n", strerror(errno));
            return 1;
        }
        if (p[FD_EVENTS].revents)
            take_port_events(h);
        if (p[FD_TTYS].revents)
            tty_events(h);
        client_serve(h, p + FD_FIXED, n, client_request);
        if (p[FD_LISTEN].revents)
            client_accept(listener);
        if (p[FD_STORE].revents)
            take_store_events(h);
        if (p[FD_LINK].revents)
            lose_store(-ENOTCONN);
        if (p[FD_SIGNALS].revents && !take_signal(h, signals))
            return 0;
    }
}

/* Opens all that the loop waits for. */
static int start(struct host **h, struct error *e)
{
    int rc = state_prepare(e), lock;

    if (rc)
        return rc;
    lock = open(state_path("parvisd.lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (lock < 0)
        return error_errno(e, -errno, "%s", state_path("parvisd.lock"));
    if (flock(lock, LOCK_EX | LOCK_NB) < 0)
        return error_set(e, -EBUSY, "another parvisd is running (%s)", state_path("parvisd.lock"));
    rc = host_open_xen(h, e);
    if (rc)
        return rc;
    (*h)->store_patience_ms = STORE_PATIENCE_MS;
    rc = (*h)->ops->evtchn_fd(*h);
    if (rc < 0)
        return error_errno(e, rc, "/dev/xen/evtchn");
    rc = (*h)->ops->store_watch(*h, "@releaseDomain", "end");
    if (rc == -ENOTCONN || rc == -ETIME) {
        lose_store(rc); /* there may be domains to serve all the same */
    } else if (rc) {
        return error_errno(e, rc, "watching @releaseDomain");
    }
    ttys = tty_start();
    if (ttys < 0)
        fprintf(stderr, "parvisd: no terminals for `xl console`: %s\n", strerror(-ttys));
    aside_sweep();
    former_sweep();
    collector_look(*h);
    look(*h);
    listener = client_listen(state_path("parvisd.sock"));
    if (listener < 0)
        return error_errno(e, listener, "%s", state_path("parvisd.sock"));
    return 0;
}

/* The parent returns only when the daemon serves, so a script may go on at once. */
static int to_background(void)
{
    int pipefd[2];
    char byte;
    pid_t pid;

    if (pipe2(pipefd, O_CLOEXEC) < 0 || (pid = fork()) < 0)
        return -errno;
    if (pid > 0) {
        close(pipefd[1]);
        _exit(read(pipefd[0], &byte, 1) == 1 ? 0 : 1);
    }
    close(pipefd[0]);
    setsid();
    return pipefd[1];
}

/* Messages go to the log from here on; then the parent may go. */
static bool detach(int ready, const char *log)
{
    bool ok = log_open(log ? log : state_path("parvisd.log")) && freopen("/dev/null", "r", stdin) &&
              freopen("/dev/null", "w", stdout) && write(ready, "k", 1) == 1;

    close(ready);
    return ok;
}

static int usage_error(const char *text, const char *what)
{
    fprintf(stderr, "parvisd: %s%s; `parvisd --help` explains\n", text, what);
    return 2;
}

static bool is_flag(const char *arg)
{
    return strcmp(arg, "--foreground") == 0 || strcmp(arg, "--version") == 0 ||
           strcmp(arg, "--help") == 0;
}

static bool has_value(const char *arg)
{
    return strcmp(arg, "--log") == 0 || strcmp(arg, "--pvctl") == 0;
}

/* -1: go on; else an exit status. */
static int parse(int argc, char **argv, bool *foreground, const char **log)
{
    for (int i = 1; i < argc; i++) {
        if (!is_flag(argv[i]) && !has_value(argv[i]))
            return usage_error("unknown argument ", argv[i]);
        if (has_value(argv[i]) && i + 1 == argc)
            return usage_error("missing value of ", argv[i]);
        if (strcmp(argv[i], "--version") == 0)
            return puts("parvisd " PARVIS_VERSION) < 0;
        if (strcmp(argv[i], "--help") == 0)
            return puts("usage: parvisd [--foreground] [--log FILE] [--pvctl PATH] [--version] "
                        "[--help]; parvisd(8) explains") < 0;
        if (strcmp(argv[i], "--foreground") == 0)
            *foreground = true;
        else if (strcmp(argv[i], "--log") == 0)
            *log = argv[++i];
        else
            child_set_pvctl(argv[++i]);
    }
    return -1;
}

int main(int argc, char **argv)
{
    bool foreground = false;
    const char *log = NULL;
    struct error e = {0};
    struct host *h = NULL;
    int ready = -1, signals, rc = parse(argc, argv, &foreground, &log);

    if (rc >= 0)
        return rc;
    if (foreground && log && !log_open(log))
        return 1;
    if (!foreground && (ready = to_background()) < 0) {
        fprintf(stderr, "parvisd: going to the background: %s\n", strerror(-ready));
        return 1;
    }
    signals = open_signals();
    if (signals < 0 || start(&h, &e)) {
        fprintf(stderr, "parvisd: %s\n", e.code ? e.text : "signalfd");
        host_close(h);
        return 1;
    }
    if (ready >= 0 && !detach(ready, log))
        return 1;
    rc = loop(h, signals);
    client_close_all();
    reaper_close(h);
    console_close_all(h);
    tty_stop();
    unlink(state_path("parvisd.sock"));
    /* The kernel closes the host. libxenstore would cancel its thread for that, which takes a
     * library (libgcc_s) that is loaded only then and need not be there. */
    return rc;
}
