/* SPDX-License-Identifier: MIT */
/*
 * Talking with parvisd: see daemon.h.
 */
#include "daemon.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/uio.h>
#include <sys/un.h>
#include <unistd.h>

#include "state.h"

int daemon_connect(struct error *e)
{
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    int fd = socket(AF_UNIX, SOCK_SEQPACKET | SOCK_CLOEXEC, 0);
    int err;

    if (fd < 0) {
        return error_errno(e, -errno, "socket");
    }
    snprintf(a.sun_path, sizeof(a.sun_path), "%s", state_path("parvisd.sock"));
    if (connect(fd, (const struct sockaddr *)&a, sizeof(a)) == 0) {
        return fd;
    }
    err = errno;
    close(fd);
    return error_set(e, -ECONNREFUSED, "parvisd does not answer at %s: %s: is it running?",
                     a.sun_path, strerror(err));
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

int daemon_ask(enum daemon_message type, const char *text, struct error *e)
{
    char buf[DAEMON_MAX_MESSAGE + 1];
    int fd = daemon_connect(e), rc;
    size_t len;

    if (fd < 0) {
        return fd;
    }
    rc = daemon_send(fd, type, text, strlen(text));
    rc = rc ? rc : daemon_receive(fd, buf, &len);
    if (rc == D_OK) {
        return fd;
    }
    close(fd);
    if (rc == D_REFUSED) {
        return error_set(e, -EBUSY, "%s", buf);
    }
    return error_set(e, -EPIPE, "parvisd ended the connection without an answer");
}
