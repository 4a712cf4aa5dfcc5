/* SPDX-License-Identifier: MIT */
/*
 * Those who talk to the daemon: see client.h.
 */
#define _GNU_SOURCE
#include "client.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "daemon.h"
#include "lifecycle.h"
#include "policy.h"
#include "reaper.h"
#include "state.h"

enum client_kind {
    ASKING,
    READING,
    WAITING,
    PARTING,
    EXPECTING,
    TO_MAKE,
    MAKING,
    REAPING,
    STOPPING
};

struct client {
    int fd; /* -1: free */
    enum client_kind kind;
    pid_t pid;
    struct console *console; /* READING */
    uint32_t domid;          /* WAITING, PARTING, REAPING */
    char name[65];           /* TO_MAKE, MAKING, EXPECTING, STOPPING */
    char how[256];           /* PARTING: what it is told when the domain is gone */
};

static struct client clients[MAX_CLIENTS];
static unsigned int nr_clients; /* slots in use, dense */
static bool maker_left;

int client_listen(const char *path)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);

    if (fd < 0)
        return -errno;
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", path);
    unlink(path);
    if (bind(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 || chmod(path, 0600) < 0 ||
        listen(fd, 64) < 0) {
        int err = errno;

        close(fd);
        return -err;
    }
    return fd;
}

void client_accept(int listener)
{
    int fd = accept4(listener, NULL, NULL, SOCK_CLOEXEC | SOCK_NONBLOCK);
    struct ucred cred = {0};
    socklen_t len = sizeof(cred);

    if (fd < 0)
        return;
    if (nr_clients == MAX_CLIENTS) {
        struct error e = {0};

        error_set(&e, -EBUSY, "parvisd serves as many clients as it can; try again later");
        daemon_refuse(fd, &e);
        close(fd);
        return;
    }
    getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &cred, &len);
    clients[nr_clients++] = (struct client){.fd = fd, .kind = ASKING, .pid = cred.pid};
}

static bool is_unfinished(const char *name)
{
    struct state_entry s;

    return state_get(name, &s) == 0 && s.maker;
}

/* The slot stays until client_serve() is through its array; then sweep() closes the gap. */
static void drop(struct client *cl)
{
    if (cl->console && cl->console->reader == cl)
        cl->console->reader = NULL;
    cl->console = NULL;
    maker_left |= cl->kind == MAKING && is_unfinished(cl->name);
    close(cl->fd);
    cl->fd = -1;
}

static void sweep(void)
{
    for (unsigned int i = 0; i < nr_clients;) {
        if (clients[i].fd >= 0) {
            i++;
            continue;
        }
        clients[i] = clients[--nr_clients];
        /* A reader is known by the address of its slot. */
        if (clients[i].fd >= 0 && clients[i].console)
            clients[i].console->reader = &clients[i];
    }
}

unsigned int client_poll_set(struct pollfd *pfds)
{
    sweep();
    for (unsigned int i = 0; i < nr_clients; i++) {
        const struct client *cl = &clients[i];
        const struct console *c = cl->console;
        short events = POLLIN;

        if (c) {
            events = c->input_len < CONSOLE_INPUT - DAEMON_MAX_MESSAGE / 4 ? POLLIN : 0;
            if (history_behind(&c->history, c->reader_pos) || (c->ended && !c->restarting))
                events |= POLLOUT;
        }
        pfds[i] = (struct pollfd){.fd = cl->fd, .events = events};
    }
    return nr_clients;
}

/* A client that has gone is noticed where its socket is looked at, not here. */
static void tell(const struct client *cl, enum daemon_message type, const char *text)
{
    if (daemon_send(cl->fd, type, text, strlen(text)))
        return;
}

static void answer(struct client *cl, int rc, const struct error *e)
{
    if (rc)
        daemon_refuse(cl->fd, e);
    else
        tell(cl, D_OK, "");
}

/* We know no domain of this name or number. Is there one? Others make some, and so does the
 * hypervisor when it starts. `missing` is said behind "no such domain". */
static void refuse_unwatched(struct host *h, struct client *cl, const char *which,
                             const char *missing)
{
    struct error none = {0}, e = {0};
    struct live_domain l;

    if (lifecycle_find(h, which, &l, &none) == 0)
        error_set(&e, -ENODATA, "%s: parvisd does not watch this domain%s", which,
                  l.ours ? "" : ": it was not created by pvctl");
    else
        error_set(&e, -ESRCH, "%s: no such domain%s", which, missing);
    answer(cl, e.code, &e);
    drop(cl);
}

static void ask_console(struct host *h, struct client *cl, const char *name)
{
    bool number = *name && strspn(name, "0123456789") == strlen(name);
    struct console *c =
        number ? console_by_domid((uint32_t)strtoul(name, NULL, 10)) : console_by_name(name);
    struct error e = {0};

    if (!c) {
        refuse_unwatched(h, cl, name, ", nor a console kept of one");
        return;
    }
    if (c->reader) {
        answer(cl,
               error_set(&e, -EBUSY, "%s: its console is in use already, by process %d", name,
                         (int)c->reader_pid),
               &e);
        drop(cl);
        return;
    }
    cl->kind = READING;
    cl->console = c;
    c->reader = cl;
    c->reader_pid = cl->pid;
    c->reader_pos = 0;
    answer(cl, 0, &e);
}

static void ask_wait(struct host *h, struct client *cl, const char *number)
{
    uint32_t domid = (uint32_t)strtoul(number, NULL, 10);
    const struct console *c = console_by_domid(domid);
    struct error e = {0};

    if (!c) {
        refuse_unwatched(h, cl, number, "");
        return;
    }
    if (c->handled) {
        answer(cl, error_set(&e, -ESRCH, "domain %u has ended", domid), &e);
        drop(cl);
        return;
    }
    cl->kind = WAITING;
    cl->domid = domid;
    answer(cl, 0, &e);
}

/* A domain made just now: the file of a former one of its name is not its history. */
static int serve_new(struct host *h, uint32_t domid, const char *name, pid_t maker, struct error *e)
{
    const struct console *c = console_by_name(name);
    bool goes_on = c && c->restarting;
    int rc = console_serve(h, domid, name, e);

    if (rc)
        return rc;
    if (!goes_on)
        unlink(state_path("console/%s.log", name));
    policy_served(h, console_by_name(name), maker);
    return 0;
}

/* Its maker gives it up: it does not end, it never was. */
static bool is_given_up(const char *name, uint32_t domid)
{
    struct state_entry s;

    return state_get(name, &s) == 0 && s.maker && s.domid == domid;
}

/* "NAME HOW"; the name of a domain that others made may be anything but has no blank. */
static void ask_reap(struct host *h, struct client *cl, uint32_t domid, char *text)
{
    char *how = strchr(text, ' ');
    struct state_entry s = {0};
    struct host_domain d;
    unsigned int n = 0;

    if (!how || domid == 0 || domid == CONSOLE_NONE) {
        struct error e = {0};

        answer(cl, error_set(&e, -EPROTO, "parvisd does not understand what to take away"), &e);
        drop(cl);
        return;
    }
    *how++ = '\0';
    if (h->ops->domain_list(h, domid, &d, 1, &n) == 0 && n == 1 && d.domid == domid)
        memcpy(s.uuid, d.uuid, 16);
    else if (state_get(text, &s))
        memset(s.uuid, 0, sizeof(s.uuid)); /* no record of it: only what nobody else has goes */
    cl->kind = REAPING;
    cl->domid = domid;
    if (!console_by_domid(domid))
        policy_give_up(text); /* it has ended by itself meanwhile */
    policy_release(h, domid, how);
    reaper_start(h, domid, s.uuid, text, is_given_up(text, domid) ? "" : how);
}

static void request(struct host *h, struct client *cl, int type, char *text)
{
    struct state_entry former;
    struct error e = {0};
    char *rest;
    uint32_t domid = (uint32_t)strtoul(text, &rest, 10);

    rest += *rest == ' ';
    switch (type) {
    case D_SERVE:
        answer(cl, serve_new(h, domid, rest, cl->pid, &e), &e);
        drop(cl);
        break;
    case D_MAKE:
        snprintf(cl->name, sizeof(cl->name), "%.64s", text);
        cl->kind = TO_MAKE; /* answered by client_go_on() */
        if (state_get(cl->name, &former) == 0)
            reaper_collect(h);
        break;
    case D_REAP:
        ask_reap(h, cl, domid, rest);
        break;
    case D_STOP:
        snprintf(cl->name, sizeof(cl->name), "%.64s", text);
        cl->kind = STOPPING; /* answered by client_go_on() */
        policy_give_up(cl->name);
        break;
    case D_CONSOLE:
        ask_console(h, cl, text);
        break;
    case D_WAIT:
        ask_wait(h, cl, text);
        break;
    default:
        answer(cl, error_set(&e, -EPROTO, "parvisd does not know this request"), &e);
        drop(cl);
    }
}

static void readable(struct host *h, struct client *cl)
{
    char buf[DAEMON_MAX_MESSAGE + 1];
    size_t len;
    int type = daemon_receive(cl->fd, buf, &len);

    if (type == -EAGAIN)
        return;
    if (type <= 0) {
        drop(cl);
    } else if (cl->kind == ASKING) {
        request(h, cl, type, buf);
    } else if (cl->kind == READING && type == D_DATA) {
        struct console *c = cl->console;
        size_t room = CONSOLE_INPUT - c->input_len;

        len = len < room ? len : room;
        memcpy(c->input + c->input_len, buf, len);
        c->input_len += (uint32_t)len;
        console_pump(h, c);
    }
}

static void send_end(struct client *cl, const char *how)
{
    tell(cl, D_END, how);
    drop(cl);
}

static void writable(struct host *h, struct client *cl)
{
    struct console *c = cl->console;
    char buf[1024];
    uint64_t pos = c->reader_pos;
    size_t n;

    while ((n = history_read(&c->history, &pos, buf, sizeof(buf))) > 0) {
        int rc = daemon_send(cl->fd, c->ended && !c->restarting ? D_HISTORY : D_DATA, buf, n);

        if (rc == -EAGAIN)
            break;
        if (rc) {
            drop(cl);
            return;
        }
        c->reader_pos = pos;
    }
    console_pump(h, c); /* it may have waited for this reader */
    if (c->ended && !c->restarting && history_behind(&c->history, c->reader_pos) == 0)
        send_end(cl, c->how);
}

void client_serve(struct host *h, const struct pollfd *pfds, unsigned int nr)
{
    for (unsigned int i = 0; i < nr; i++) {
        struct client *cl = &clients[i];

        if (cl->fd >= 0 && (pfds[i].revents & (POLLIN | POLLHUP | POLLERR)))
            readable(h, cl);
        if (cl->fd >= 0 && cl->kind == READING && (pfds[i].revents & POLLOUT))
            writable(h, cl);
    }
}

void client_tell_end(uint32_t domid, const char *how, const char *successor)
{
    for (unsigned int i = 0; i < nr_clients; i++) {
        struct client *cl = &clients[i];

        if (cl->fd < 0 || cl->kind != WAITING || cl->domid != domid)
            continue;
        if (successor) {
            tell(cl, D_END, how);
            cl->kind = EXPECTING;
            snprintf(cl->name, sizeof(cl->name), "%s", successor);
        } else {
            send_end(cl, how);
        }
    }
}

void client_tell_end_when_reaped(uint32_t domid, const char *how)
{
    for (unsigned int i = 0; i < nr_clients; i++) {
        struct client *cl = &clients[i];

        if (cl->fd < 0 || cl->kind != WAITING || cl->domid != domid)
            continue;
        cl->kind = PARTING;
        snprintf(cl->how, sizeof(cl->how), "%s", how);
    }
}

void client_tell_next(const char *name, uint32_t domid, const char *how)
{
    char number[16];

    snprintf(number, sizeof(number), "%u", domid);
    for (unsigned int i = 0; i < nr_clients; i++) {
        struct client *cl = &clients[i];

        if (cl->fd < 0 || cl->kind != EXPECTING || strcmp(cl->name, name) != 0)
            continue;
        if (how) {
            send_end(cl, how);
        } else {
            tell(cl, D_NEXT, number);
            drop(cl);
        }
    }
}

void client_tell_reaped(uint32_t domid, const struct error *e)
{
    for (unsigned int i = 0; i < nr_clients; i++) {
        struct client *cl = &clients[i];

        if (cl->fd < 0 || cl->domid != domid)
            continue;
        if (cl->kind == PARTING) {
            send_end(cl, cl->how);
        } else if (cl->kind == REAPING) {
            answer(cl, e->code, e);
            drop(cl);
        }
    }
}

bool client_is_making(const char *name)
{
    for (unsigned int i = 0; i < nr_clients; i++) {
        if (clients[i].fd >= 0 && clients[i].kind == MAKING && strcmp(clients[i].name, name) == 0)
            return true;
    }
    return false;
}

void client_go_on(struct host *h)
{
    struct error none = {0};

    if (maker_left) {
        maker_left = false;
        reaper_collect(h);
    }
    for (unsigned int i = 0; i < nr_clients; i++) {
        struct client *cl = &clients[i];

        if (cl->fd >= 0 && cl->kind == TO_MAKE && !reaper_has_name(cl->name)) {
            cl->kind = MAKING;
            answer(cl, 0, &none);
        }
        if (cl->fd >= 0 && cl->kind == STOPPING && !policy_is_making(cl->name) &&
            !reaper_has_name(cl->name)) {
            answer(cl, 0, &none);
            drop(cl);
        }
    }
}

void client_close_all(void)
{
    for (unsigned int i = 0; i < nr_clients; i++) {
        if (clients[i].fd >= 0)
            drop(&clients[i]);
    }
    sweep();
}
