/* SPDX-License-Identifier: MIT */
/*
 * The real machine: the store (xenstored, by libxenstore).
 *
 * libxenstore reports by bool and errno; here it becomes 0 or -errno. Values are strings.
 * Waiting for a watch is done by poll() on store_fd(), so store_event() never waits.
 *
 * xenstored may be dead, or stopped, and then nobody may hang with it. It is reached by its
 * socket alone: the other way, the kernel's device, waits for ever for an answer that nobody
 * gives. Each wait for the socket has a limit, after which libxenstore closes it; so a
 * failed call after which our descriptor is closed is the sign that the daemon does not
 * answer. It is asked again after STORE_RETRY_MS at the earliest. Whether it has ended the kernel
 * knows, and is asked: nobody listens at the socket of one that has (-ENOTCONN), while one that is
 * stopped, or slow on a busy machine, listens still (-ETIME). The former cannot be started again.
 *
 * Watches have a connection of their own. libxenstore makes a thread for it that waits
 * without limit, which is right for watches and wrong for everything else.
 */
#include "host_xen.h"

#include <ctype.h>
#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/time.h>
#include <sys/un.h>
#include <unistd.h>

#include "clock.h"
#include "limit.h"

#define MAX_PERMS         8u
#define STORE_PATIENCE_MS 15000u
#define STORE_RETRY_MS    10000u

/* libxenstore does not tell its descriptor; the socket's other end has a name. parvisd may have
 * hundreds of others before it, when it connects again. */
static int find_link(int other)
{
    const long end = sysconf(_SC_OPEN_MAX);

    for (int fd = 0; fd < end; fd++) {
        struct sockaddr_un a = {0};
        socklen_t len = sizeof(a);

        if (fd != other && getpeername(fd, (struct sockaddr *)&a, &len) == 0 &&
            a.sun_family == AF_UNIX && strcmp(a.sun_path, xs_daemon_socket()) == 0)
            return fd;
    }
    return -1;
}

static unsigned int patience_ms(const struct host_xen *x)
{
    return x->host.store_patience_ms ? x->host.store_patience_ms : STORE_PATIENCE_MS;
}

/* A daemon that is stopped takes no more connections when a few are waiting, and connect() would
 * wait with them. libxenstore tries two ways, and both are limited. */
static struct xs_handle *connect_store(const struct host_xen *x)
{
    struct xs_handle *got;

    /* Otherwise it would fall back on the kernel's device. */
    setenv("XENSTORED_PATH", xs_daemon_socket(), 0);
    limit_set(patience_ms(x));
    got = xs_open(0);
    limit_clear();
    return got;
}

/* Why there is no answer: -ETIME, there is somebody at its socket who does not give one, or
 * -ENOTCONN, nobody. Never waits, and takes no place among those who wait: a socket of another type
 * is refused, and by that alone where there is one. */
static int why_silent(void)
{
    int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC, 0);
    struct sockaddr_un a = {.sun_family = AF_UNIX};
    bool listens;

    snprintf(a.sun_path, sizeof(a.sun_path), "%s", xs_daemon_socket());
    listens =
        fd >= 0 && connect(fd, (const struct sockaddr *)&a, sizeof(a)) < 0 && errno == EPROTOTYPE;
    if (fd >= 0)
        close(fd);
    return listens ? -ETIME : -ENOTCONN;
}

int host_store_lost(struct host_xen *x)
{
    xs_close(x->xs);
    x->xs = NULL;
    x->store_lost_ms = now_ms();
    x->store_lost = why_silent();
    return x->store_lost;
}

int host_need_store(struct host_xen *x)
{
    const unsigned int ms = patience_ms(x);
    const struct timeval limit = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};

    if (x->xs)
        return 0;
    if (x->store_lost_ms && now_ms() - x->store_lost_ms < STORE_RETRY_MS)
        return x->store_lost;
    x->xs = connect_store(x);
    x->store_link = x->xs ? find_link(x->watches ? x->watches_link : -1) : -1;
    /* ENOENT for a missing socket is not "no such entry"; and without limit we do not ask. */
    if (x->store_link < 0)
        return host_store_lost(x);
    setsockopt(x->store_link, SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit));
    setsockopt(x->store_link, SOL_SOCKET, SO_SNDTIMEO, &limit, sizeof(limit));
    x->store_lost_ms = 0;
    return 0;
}

/* What a call that failed means: an answer of the store, or that there was none. */
static int failed(struct host_xen *x)
{
    int err = errno;

    if (fcntl(x->store_link, F_GETFD) >= 0)
        return -err;
    return host_store_lost(x);
}

int hx_store_begin(struct host *h, host_txn_t *t)
{
    int rc = host_need_store(to_xen(h));
    xs_transaction_t got;

    if (rc)
        return rc;
    got = xs_transaction_start(to_xen(h)->xs);
    if (got == XBT_NULL)
        return failed(to_xen(h));
    *t = got;
    return 0;
}

int hx_store_end(struct host *h, host_txn_t t, bool abort)
{
    int rc = host_need_store(to_xen(h)); /* of a transaction that its connection did not outlive */

    if (rc)
        return rc;
    return xs_transaction_end(to_xen(h)->xs, t, abort) ? 0 : failed(to_xen(h));
}

int hx_store_read(struct host *h, host_txn_t t, const char *path, char **value)
{
    int rc = host_need_store(to_xen(h));
    unsigned int len;
    char *got;

    if (rc)
        return rc;
    got = xs_read(to_xen(h)->xs, t, path, &len);
    if (!got)
        return failed(to_xen(h));
    *value = got;
    return 0;
}

int hx_store_write(struct host *h, host_txn_t t, const char *path, const char *value)
{
    int rc = host_need_store(to_xen(h));

    if (rc)
        return rc;
    return xs_write(to_xen(h)->xs, t, path, value, (unsigned int)strlen(value)) ? 0
                                                                                : failed(to_xen(h));
}

int hx_store_mkdir(struct host *h, host_txn_t t, const char *path)
{
    int rc = host_need_store(to_xen(h));

    if (rc)
        return rc;
    return xs_mkdir(to_xen(h)->xs, t, path) ? 0 : failed(to_xen(h));
}

int hx_store_rm(struct host *h, host_txn_t t, const char *path)
{
    int rc = host_need_store(to_xen(h));

    if (rc)
        return rc;
    return xs_rm(to_xen(h)->xs, t, path) || errno == ENOENT ? 0 : failed(to_xen(h));
}

int hx_store_list(struct host *h, host_txn_t t, const char *path, char ***names, unsigned int *nr)
{
    int rc = host_need_store(to_xen(h));
    unsigned int n;
    char **got;

    if (rc)
        return rc;
    got = xs_directory(to_xen(h)->xs, t, path, &n);
    if (!got)
        return failed(to_xen(h));
    *names = got;
    *nr = n;
    return 0;
}

static int parse_perm(const char *s, char **end, struct xs_permissions *p)
{
    switch (*s) {
    case 'n':
        p->perms = XS_PERM_NONE;
        break;
    case 'r':
        p->perms = XS_PERM_READ;
        break;
    case 'w':
        p->perms = XS_PERM_WRITE;
        break;
    case 'b':
        p->perms = XS_PERM_READ | XS_PERM_WRITE;
        break;
    default:
        return -EINVAL;
    }
    if (!isdigit((unsigned char)s[1]))
        return -EINVAL;
    p->id = (unsigned int)strtoul(s + 1, end, 10);
    return 0;
}

int hx_store_perms(struct host *h, host_txn_t t, const char *path, const char *perms)
{
    struct xs_permissions list[MAX_PERMS] = {0};
    unsigned int n = 0;
    int rc = host_need_store(to_xen(h));

    while (rc == 0 && *perms) {
        char *end = NULL;

        if (n == MAX_PERMS)
            return -E2BIG;
        rc = parse_perm(perms, &end, &list[n++]);
        if (rc)
            break;
        while (*end == ' ')
            end++;
        perms = end;
    }
    if (rc)
        return rc;
    return xs_set_permissions(to_xen(h)->xs, t, path, list, n) ? 0 : failed(to_xen(h));
}

/* Race: the store may be stopped between our question and the watch, which has no limit. */
static int need_watches(struct host *h)
{
    struct host_xen *x = to_xen(h);
    char *domid = NULL;
    int rc;

    if (x->watches)
        return 0;
    rc = hx_store_read(h, 0, "/local/domain/0/domid", &domid);
    free(domid);
    if (rc && rc != -ENOENT)
        return rc;
    x->watches = connect_store(x);
    x->watches_link = x->watches ? find_link(x->store_link) : -1;
    return x->watches ? 0 : why_silent();
}

int hx_store_watch(struct host *h, const char *path, const char *token)
{
    int rc = need_watches(h);

    if (rc)
        return rc;
    return xs_watch(to_xen(h)->watches, path, token) ? 0 : -errno;
}

int hx_store_fd(struct host *h)
{
    return to_xen(h)->watches ? xs_fileno(to_xen(h)->watches) : -ENOTCONN;
}

int hx_store_link(struct host *h)
{
    int rc = host_need_store(to_xen(h));

    return rc ? rc : to_xen(h)->store_link;
}

int hx_store_event(struct host *h, char **path, char **token)
{
    char **got = to_xen(h)->watches ? xs_check_watch(to_xen(h)->watches) : NULL;
    int rc = 0;

    if (!got)
        return -EAGAIN;
    *path = strdup(got[XS_WATCH_PATH]);
    *token = strdup(got[XS_WATCH_TOKEN]);
    if (!*path || !*token) {
        free(*path);
        free(*token);
        rc = -ENOMEM;
    }
    free(got);
    return rc;
}

int hx_store_introduce(struct host *h, uint32_t domid, uint64_t mfn, uint32_t port)
{
    int rc = host_need_store(to_xen(h));

    if (rc)
        return rc;
    return xs_introduce_domain(to_xen(h)->xs, domid, mfn, port) ? 0 : failed(to_xen(h));
}

int hx_store_release(struct host *h, uint32_t domid)
{
    int rc = host_need_store(to_xen(h));

    if (rc)
        return rc;
    return xs_release_domain(to_xen(h)->xs, domid) ? 0 : failed(to_xen(h));
}
