/* SPDX-License-Identifier: MIT */
/*
 * Those who talk to the daemon: see client.h.
 */
#define _GNU_SOURCE
#include "client_internal.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <unistd.h>

#include "cause.h"
#include "daemon.h"
#include "kept.h"
#include "lifecycle.h"
#include "state.h"

struct client clients[MAX_CLIENTS];
unsigned int nr_clients;
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
void client_drop(struct client *cl)
{
    if (cl->console && cl->console->reader == cl)
        cl->console->reader = NULL;
    if (cl->kind == LISTENING)
        cl->console->listeners--;
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
        if (clients[i].fd >= 0 && clients[i].kind == READING)
            clients[i].console->reader = &clients[i];
    }
}

/* There is something to send, or nothing will come any more. */
static bool listener_has_work(const struct client *cl)
{
    const struct console *c = cl->console;

    return !cl->follows || !cl->told || history_behind(&c->history, cl->pos) ||
           cl->cleared != c->history.cleared || (c->ended && !c->restarting);
}

unsigned int client_poll_set(struct pollfd *pfds)
{
    sweep();
    for (unsigned int i = 0; i < nr_clients; i++) {
        const struct client *cl = &clients[i];
        const struct console *c = cl->console;
        short events = POLLIN;

        if (cl->kind == LISTENING) {
            if (listener_has_work(cl))
                events |= POLLOUT;
        } else if (c) {
            events = c->input_len < CONSOLE_INPUT - DAEMON_MAX_MESSAGE / 4 ? POLLIN : 0;
            if (history_behind(&c->history, c->reader_pos) || (c->ended && !c->restarting))
                events |= POLLOUT;
        }
        pfds[i] = (struct pollfd){.fd = cl->fd, .events = events};
    }
    return nr_clients;
}

/* A client that has gone is noticed where its socket is looked at, not here. */
void client_tell(const struct client *cl, enum daemon_message type, const char *text)
{
    if (daemon_send(cl->fd, type, text, strlen(text)))
        return;
}

void client_answer(struct client *cl, int rc, const struct error *e)
{
    if (rc)
        daemon_refuse(cl->fd, e);
    else
        client_tell(cl, D_OK, "");
}

void client_send_end(struct client *cl, const char *how)
{
    client_tell(cl, D_END, how);
    client_drop(cl);
}

/* To one that may be slow to read: when there is no room it is asked again as soon as there is. */
static void send_end_when_room(struct client *cl, const char *how)
{
    if (daemon_send(cl->fd, D_END, how, strlen(how)) != -EAGAIN)
        client_drop(cl);
}

static void readable(struct host *h, struct client *cl, client_request_t request)
{
    char buf[DAEMON_MAX_MESSAGE + 1];
    size_t len;
    int type = daemon_receive(cl->fd, buf, &len);

    if (type == -EAGAIN)
        return;
    if (type <= 0) {
        client_drop(cl);
    } else if (cl->kind == ASKING || (cl->kind == MAKING && type == D_SERVE)) {
        request(h, cl, type, buf);
    } else if (cl->kind == READING && type == D_DATA) {
        struct console *c = cl->console;
        size_t room = CONSOLE_INPUT - c->input_len;

        if (c->domid != CONSOLE_NONE && !c->ring) {
            client_send_end(cl, CONSOLE_TAKEN);
            return;
        }
        len = len < room ? len : room;
        memcpy(c->input + c->input_len, buf, len);
        c->input_len += (uint32_t)len;
        console_pump(h, c);
    }
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
            client_drop(cl);
            return;
        }
        c->reader_pos = pos;
    }
    console_pump(h, c); /* it may have waited for this reader */
    if (c->ended && !c->restarting && history_behind(&c->history, c->reader_pos) == 0)
        send_end_when_room(cl, c->how);
}

/* A piece of the history, or that what follows is new. -ENODATA: there is none. */
static int tell_piece(struct client *cl)
{
    const struct console *c = cl->console;
    uint64_t pos = cl->pos;
    char buf[1024];
    size_t n;
    int rc;

    if (!cl->told && pos >= cl->to) {
        rc = daemon_send(cl->fd, D_NEXT, "", 0);
        cl->told = rc == 0;
        return rc;
    }
    n = cl->told && !cl->follows ? 0 : history_read(&c->history, &pos, buf, sizeof(buf));
    if (n == 0)
        return -ENODATA;
    rc = daemon_send(cl->fd, cl->told ? D_DATA : D_HISTORY, buf, n);
    cl->pos = rc ? cl->pos : pos;
    return rc;
}

/* Up to `to` it is history; then that is said, and who follows gets the rest. */
static void tell_listener(struct client *cl)
{
    const struct console *c = cl->console;
    int rc;

    if (cl->cleared != c->history.cleared) { /* another domain has this console now */
        cl->pos = cl->to = 0;
        cl->cleared = c->history.cleared;
    }
    do {
        rc = tell_piece(cl);
    } while (rc == 0);
    if (rc != -EAGAIN && rc != -ENODATA)
        client_drop(cl);
    else if (rc == -ENODATA && (!cl->follows || (c->ended && !c->restarting)))
        send_end_when_room(cl, cl->follows ? c->how : "");
}

void client_serve(struct host *h, const struct pollfd *pfds, unsigned int nr,
                  client_request_t request)
{
    for (unsigned int i = 0; i < nr; i++) {
        struct client *cl = &clients[i];

        if (cl->fd >= 0 && (pfds[i].revents & (POLLIN | POLLHUP | POLLERR)))
            readable(h, cl, request);
        if (cl->fd >= 0 && cl->kind == READING && (pfds[i].revents & POLLOUT))
            writable(h, cl);
        if (cl->fd >= 0 && cl->kind == LISTENING && (pfds[i].revents & POLLOUT))
            tell_listener(cl);
    }
}

void client_tell_end(uint32_t domid, const char *how, const char *successor)
{
    for (unsigned int i = 0; i < nr_clients; i++) {
        struct client *cl = &clients[i];

        if (cl->fd < 0 || cl->kind != WAITING || cl->domid != domid)
            continue;
        if (successor) {
            client_tell(cl, D_END, how);
            cl->kind = EXPECTING;
            snprintf(cl->name, sizeof(cl->name), "%s", successor);
        } else {
            client_send_end(cl, how);
        }
    }
}

/* Those that nobody watches here: told of as soon as they have shut down, or are gone. */
void client_check_others(struct host *h)
{
    for (unsigned int i = 0; i < nr_clients; i++) {
        struct client *cl = &clients[i];
        char how[256];

        if (cl->fd >= 0 && cl->kind == WAITING && !console_by_domid(cl->domid) &&
            has_ended(h, cl->domid, how, sizeof(how)))
            client_send_end(cl, how);
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
            client_send_end(cl, how);
        } else {
            client_tell(cl, D_NEXT, number);
            client_drop(cl);
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
            client_send_end(cl, cl->how);
        } else if (cl->kind == REAPING) {
            client_answer(cl, e->code, e);
            client_drop(cl);
        }
    }
}

void client_tell_event(const char *text)
{
    for (unsigned int i = 0; i < nr_clients; i++) {
        struct client *cl = &clients[i];

        if (cl->fd >= 0 && cl->kind == WATCHING && daemon_send(cl->fd, D_EVENT, text, strlen(text)))
            client_drop(cl);
    }
}

bool client_wants_events(void)
{
    for (unsigned int i = 0; i < nr_clients; i++) {
        if (clients[i].fd >= 0 && clients[i].kind == WATCHING)
            return true;
    }
    return false;
}

bool client_is_making(const char *name)
{
    for (unsigned int i = 0; i < nr_clients; i++) {
        if (clients[i].fd >= 0 && clients[i].kind == MAKING && strcmp(clients[i].name, name) == 0)
            return true;
    }
    return false;
}

bool client_maker_left(void)
{
    bool left = maker_left;

    maker_left = false;
    return left;
}

void client_close_all(void)
{
    for (unsigned int i = 0; i < nr_clients; i++) {
        if (clients[i].fd >= 0)
            client_drop(&clients[i]);
    }
    sweep();
}
