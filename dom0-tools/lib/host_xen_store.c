/* SPDX-License-Identifier: MIT */
/*
 * The real machine: the store (xenstored, by libxenstore).
 *
 * libxenstore reports by bool and errno; here it becomes 0 or -errno. Values are strings.
 * Waiting for a watch is done by poll() on store_fd(), so store_event() never waits.
 */
#include "host_xen.h"

#include <ctype.h>
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#define MAX_PERMS 8u

static int need_store(struct host_xen *x)
{
    if (!x->xs) {
        x->xs = xs_open(0);
    }
    /* xs_open says ENOENT for a missing socket; that is not "no such entry". */
    return x->xs ? 0 : -ENOTCONN;
}

int hx_store_begin(struct host *h, host_txn_t *t)
{
    int rc = need_store(to_xen(h));
    xs_transaction_t got;

    if (rc) {
        return rc;
    }
    got = xs_transaction_start(to_xen(h)->xs);
    if (got == XBT_NULL) {
        return -errno;
    }
    *t = got;
    return 0;
}

int hx_store_end(struct host *h, host_txn_t t, bool abort)
{
    return xs_transaction_end(to_xen(h)->xs, t, abort) ? 0 : -errno;
}

int hx_store_read(struct host *h, host_txn_t t, const char *path, char **value)
{
    int rc = need_store(to_xen(h));
    unsigned int len;
    char *got;

    if (rc) {
        return rc;
    }
    got = xs_read(to_xen(h)->xs, t, path, &len);
    if (!got) {
        return -errno;
    }
    *value = got;
    return 0;
}

int hx_store_write(struct host *h, host_txn_t t, const char *path, const char *value)
{
    int rc = need_store(to_xen(h));

    if (rc) {
        return rc;
    }
    return xs_write(to_xen(h)->xs, t, path, value, (unsigned int)strlen(value)) ? 0 : -errno;
}

int hx_store_mkdir(struct host *h, host_txn_t t, const char *path)
{
    int rc = need_store(to_xen(h));

    if (rc) {
        return rc;
    }
    return xs_mkdir(to_xen(h)->xs, t, path) ? 0 : -errno;
}

int hx_store_rm(struct host *h, host_txn_t t, const char *path)
{
    int rc = need_store(to_xen(h));

    if (rc) {
        return rc;
    }
    return xs_rm(to_xen(h)->xs, t, path) || errno == ENOENT ? 0 : -errno;
}

int hx_store_list(struct host *h, host_txn_t t, const char *path, char ***names, unsigned int *nr)
{
    int rc = need_store(to_xen(h));
    unsigned int n;
    char **got;

    if (rc) {
        return rc;
    }
    got = xs_directory(to_xen(h)->xs, t, path, &n);
    if (!got) {
        return -errno;
    }
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
    if (!isdigit((unsigned char)s[1])) {
        return -EINVAL;
    }
    p->id = (unsigned int)strtoul(s + 1, end, 10);
    return 0;
}

int hx_store_perms(struct host *h, host_txn_t t, const char *path, const char *perms)
{
    struct xs_permissions list[MAX_PERMS] = {0};
    unsigned int n = 0;
    int rc = need_store(to_xen(h));

    while (rc == 0 && *perms) {
        char *end = NULL;

        if (n == MAX_PERMS) {
            return -E2BIG;
        }
        rc = parse_perm(perms, &end, &list[n++]);
        if (rc) {
            break;
        }
        while (*end == ' ') {
            end++;
        }
        perms = end;
    }
    if (rc) {
        return rc;
    }
    return xs_set_permissions(to_xen(h)->xs, t, path, list, n) ? 0 : -errno;
}

int hx_store_watch(struct host *h, const char *path, const char *token)
{
    int rc = need_store(to_xen(h));

    if (rc) {
        return rc;
    }
    return xs_watch(to_xen(h)->xs, path, token) ? 0 : -errno;
}

int hx_store_unwatch(struct host *h, const char *path, const char *token)
{
    return xs_unwatch(to_xen(h)->xs, path, token) ? 0 : -errno;
}

int hx_store_fd(struct host *h)
{
    int rc = need_store(to_xen(h));

    return rc ? rc : xs_fileno(to_xen(h)->xs);
}

int hx_store_event(struct host *h, char **path, char **token)
{
    char **got = xs_check_watch(to_xen(h)->xs);
    int rc = 0;

    if (!got) {
        return errno ? -errno : -EAGAIN;
    }
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
    int rc = need_store(to_xen(h));

    if (rc) {
        return rc;
    }
    return xs_introduce_domain(to_xen(h)->xs, domid, mfn, port) ? 0 : -errno;
}

int hx_store_release(struct host *h, uint32_t domid)
{
    int rc = need_store(to_xen(h));

    if (rc) {
        return rc;
    }
    return xs_release_domain(to_xen(h)->xs, domid) ? 0 : -errno;
}
