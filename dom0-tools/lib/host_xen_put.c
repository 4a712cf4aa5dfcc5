/* SPDX-License-Identifier: MIT */
/*
 * The real machine: many entries of the store in one go.
 *
 * A new domain has some thirty entries. libxenstore waits for each answer before it sends the next
 * request, and most of what an entry costs is that this process and the store's wait for each
 * other. Here all requests are sent, then all answers are read, on the same connection: nobody else
 * uses it meanwhile. The protocol is xen/io/xs_wire.h.
 */
#define _GNU_SOURCE /* names of errors */
#include "host_xen.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <unistd.h>

#include <xen/io/xs_wire.h>

struct batch {
    FILE *f;
    char *bytes;
    size_t len;
    host_txn_t t;
    uint32_t requests;
};

/* A path, its end, and what follows. */
static void add(struct batch *b, enum xsd_sockmsg_type type, const char *path, const char *rest,
                size_t len)
{
    const struct xsd_sockmsg head = {.type = type,
                                     .req_id = b->requests++,
                                     .tx_id = b->t,
                                     .len = (uint32_t)(strlen(path) + 1 + len)};

    fwrite(&head, sizeof(head), 1, b->f);
    fwrite(path, strlen(path) + 1, 1, b->f);
    fwrite(rest, 1, len, b->f);
}

/* ABI: permissions are strings behind each other, each with its end. */
static void add_perms(struct batch *b, const char *path, const char *perms)
{
    size_t len = strlen(perms) + 1;
    char *list = strdup(perms);

    for (size_t i = 0; list && i < len; i++)
        list[i] = list[i] == ' ' ? '\0' : list[i];
    if (list)
        add(b, XS_SET_PERMS, path, list, len);
    free(list);
}

static int fill(struct batch *b, const struct host_entry *list, unsigned int nr)
{
    unsigned int wanted = 0;

    b->f = open_memstream(&b->bytes, &b->len);
    if (!b->f)
        return -ENOMEM;
    for (unsigned int i = 0; i < nr; i++) {
        wanted += (list[i].value != NULL) + (list[i].perms != NULL);
        if (list[i].value)
            add(b, XS_WRITE, list[i].path, list[i].value, strlen(list[i].value));
        if (list[i].perms)
            add_perms(b, list[i].path, list[i].perms);
    }
    return fclose(b->f) == 0 && b->requests == wanted ? 0 : -ENOMEM;
}

static int send_all(int fd, const char *bytes, size_t len)
{
    while (len) {
        ssize_t n = send(fd, bytes, len, MSG_NOSIGNAL);

        if (n <= 0 && errno != EINTR)
            return -ENOTCONN;
        if (n > 0) {
            bytes += n;
            len -= (size_t)n;
        }
    }
    return 0;
}

/* Answers as they came, as many as there were; none is of anything else. */
struct answers {
    int fd;
    size_t used, have;
    char bytes[XENSTORE_PAYLOAD_MAX];
};

/* Some more, when all that came is used. */
static bool receive(struct answers *a)
{
    ssize_t n;

    do {
        n = recv(a->fd, a->bytes, sizeof(a->bytes), 0);
    } while (n < 0 && errno == EINTR);
    a->used = 0;
    a->have = n > 0 ? (size_t)n : 0;
    return n > 0;
}

static int take(struct answers *a, void *to, size_t len)
{
    char *at = to;

    while (len) {
        size_t left = a->have - a->used, n = left < len ? left : len;

        memcpy(at, a->bytes + a->used, n);
        a->used += n;
        at += n;
        len -= n;
        if (len && !receive(a))
            return -ENOTCONN;
    }
    return 0;
}

static int error_named(const char *name)
{
    for (int i = 1; i <= EHWPOISON; i++) { /* the last of Linux */
        const char *known = strerrorname_np(i);

        if (known && strcmp(known, name) == 0)
            return -i;
    }
    return -EINVAL;
}

/* -ENOTCONN: there is none. *refused becomes the first refusal. */
static int take_answer(struct answers *a, int *refused)
{
    char text[XENSTORE_PAYLOAD_MAX + 1];
    struct xsd_sockmsg head;
    int rc = take(a, &head, sizeof(head));

    if (rc || head.len > XENSTORE_PAYLOAD_MAX)
        return -ENOTCONN;
    rc = take(a, text, head.len);
    text[head.len] = '\0';
    if (rc == 0 && head.type == XS_ERROR && *refused == 0)
        *refused = error_named(text);
    return rc;
}

int hx_store_put(struct host *h, host_txn_t t, const struct host_entry *list, unsigned int nr)
{
    struct host_xen *x = to_xen(h);
    struct batch b = {.t = t};
    struct answers a;
    int refused = 0, rc = host_need_store(x);

    if (rc)
        return rc;
    a = (struct answers){.fd = x->store_link};
    rc = fill(&b, list, nr);
    if (rc == 0) {
        rc = send_all(x->store_link, b.bytes, b.len);
        for (uint32_t i = 0; i < b.requests && rc == 0; i++)
            rc = take_answer(&a, &refused);
        if (rc)
            rc = host_store_lost(x);
    }
    free(b.bytes);
    return rc ? rc : refused;
}
