/* SPDX-License-Identifier: MIT */
/*
 * Talking with parvisd: see daemon.h.
 */
#include "daemon.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "devices.h"
#include "interrupt.h"
#include "progress.h"
#include "state.h"

#define START_STEP_MS 50u
#define DAEMON_RUNS   "it runs: the machine is busy, or it is stopped"

/* Never waits: -EAGAIN if the daemon has so many callers waiting that no more may. */
static int connect_once(const struct sockaddr_un *a)
{
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC | SOCK_NONBLOCK, 0), rc;

    if (fd < 0)
        return -errno;
    if (connect(fd, (const struct sockaddr *)a, sizeof(*a)) < 0 || fcntl(fd, F_SETFL, 0) < 0) {
        rc = -errno;
        close(fd);
        return rc;
    }
    return fd;
}

/* Why there is no connection. Nobody listens at the socket of a daemon that has ended. */
static int no_daemon(int rc, const char *path, struct error *e)
{
    if (rc == -EAGAIN)
        return error_set(e, -ECONNREFUSED, "parvisd does not answer in time (" DAEMON_RUNS ")");
    if (rc == -ECONNREFUSED || rc == -ENOENT)
        return error_set(e, -ECONNREFUSED,
                         "parvisd does not run, and was not started again in time (%s: %s)", path,
                         strerror(-rc));
    return error_set(e, -ECONNREFUSED, "parvisd at %s: %s", path, strerror(-rc));
}

int daemon_connect(struct error *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = -ECONNREFUSED;

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", state_path("parvisd.sock"));
    for (unsigned int ms = 0; ms < DAEMON_START_MS && !interrupt_came(); ms += START_STEP_MS) {
        fd = connect_once(&a);
        if (fd != -ECONNREFUSED && fd != -ENOENT && fd != -EAGAIN)
            break;
        device_system->sleep_ms(START_STEP_MS);
    }
    return fd >= 0 ? fd : no_daemon(fd, a.sun_path, e);
}

int daemon_send(int fd, enum daemon_message type, const void *data, size_t len)
{
    uint8_t head = (uint8_t)type;
    struct iovec v[2] = {{&head, 1}, {(void *)(uintptr_t)data, len}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};

    return sendmsg(fd, &m, MSG_NOSIGNAL) < 0 ? -errno : 0;
}

int daemon_receive(int fd, char buf[DAEMON_MAX_MESSAGE + 1], size_t *len)
{
    uint8_t head = 0;
    struct iovec v[2] = {{&head, 1}, {buf, DAEMON_MAX_MESSAGE}};
    struct msghdr m = {.msg_iov = v, .msg_iovlen = 2};
    ssize_t n;

    do {
        n = recvmsg(fd, &m, 0);
    } while (n < 0 && errno == EINTR);
    if (n <= 0) {
        *len = 0;
        buf[0] = '\0';
        return n < 0 ? -errno : 0;
    }
    *len = (size_t)n - 1;
    buf[*len] = '\0';
    return head;
}

void daemon_refuse(int fd, const struct error *e)
{
    char text[sizeof(e->text) + 16];
    size_t n = (size_t)snprintf(text, sizeof(text), "%d %s", e->code, e->text);

    if (daemon_send(fd, D_REFUSED, text, n))
        return; /* nobody hears it any more */
}

static int refused(const char *answer, struct error *e)
{
    char *text;
    int code = (int)strtol(answer, &text, 10);

    return error_set(e, code < 0 ? code : -EBUSY, "%s", text + (*text == ' '));
}

/* What takes long is that a domain goes: the one that is meant, or a former one of the name. */
static void wait_for_answer(int fd, enum daemon_message type, const char *text)
{
    int before = type == D_REAP ? 2 : 0; /* so many words */
    const char *name = text;
    struct pollfd p = {.fd = fd, .events = POLLIN};
    char first[65];

    for (int i = 0; i < before; i++) {
        name += strcspn(name, " ");
        name += *name == ' ';
    }
    snprintf(first, sizeof(first), "%.*s", (int)strcspn(name, " "), name);
    if (type == D_REAP || type == D_MAKE || type == D_STOP)
        progress_poll(&p, 1, DAEMON_ANSWER_MS, first,
                      type == D_REAP ? "freeing what it had"
                                     : "waiting for the end of its last life");
}

int daemon_ask_on(int fd, enum daemon_message type, const char *text, struct error *e)
{
    struct timeval limit = {.tv_sec = DAEMON_ANSWER_MS / 1000}, none = {0};
    char buf[DAEMON_MAX_MESSAGE + 1];
    size_t len;
    int rc;

    setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    rc = daemon_send(fd, type, text, strlen(text));
    if (rc == 0)
        wait_for_answer(fd, type, text);
    rc = rc ? rc : daemon_receive(fd, buf, &len);
    if (rc == D_OK) {
        setsockopt(fd, SOL_SOCKET, SO_RCVTIMEO, &none, sizeof(none));
        setsockopt(fd, SOL_SOCKET, SO_SNDTIMEO, &none, sizeof(none));
        return 0;
    }
    if (rc == D_REFUSED)
        return refused(buf, e);
    return error_set(e, -ECONNREFUSED, "parvisd %s",
                     rc == -EAGAIN ? "does not answer in time (" DAEMON_RUNS ")"
                                   : "ended without an answer");
}

int daemon_ask(enum daemon_message type, const char *text, struct error *e)
{
    int fd = daemon_connect(e), rc;

    if (fd < 0)
        return fd;
    rc = daemon_ask_on(fd, type, text, e);
    if (rc == 0)
        return fd;
    close(fd);
    return rc;
}

bool daemon_has_gone(int fd)
{
    struct pollfd p = {.fd = fd}; /* that it has hung up is told without being asked for */

    return poll(&p, 1, 0) > 0;
}
