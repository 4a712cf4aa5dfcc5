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

static int receive_all(int fd, void *to, size_t len)
{
    char *at = to;

    while (len) {
        ssize_t n = recv(fd, at, len, MSG_WAITALL);

        if (n == 0 || (n < 0 && errno != EINTR))
            return -ENOTCONN;
        if (n > 0) {
            at += n;
            len -= (size_t)n;
        }
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
static int take_answer(int fd, int *refused)
{
    char text[XENSTORE_PAYLOAD_MAX + 1];
    struct xsd_sockmsg head;
    int rc = receive_all(fd, &head, sizeof(head));

    if (rc || head.len > XENSTORE_PAYLOAD_MAX)
        return -ENOTCONN;
    rc = receive_all(fd, text, head.len);
    text[head.len] = '\0';
    if (rc == 0 && head.type == XS_ERROR && *refused == 0)
        *refused = error_named(text);
    return rc;
}

int hx_store_put(struct host *h, host_txn_t t, const struct host_entry *list, unsigned int nr)
{
    struct host_xen *x = to_xen(h);
    struct batch b = {.t = t};
    int refused = 0, rc = host_need_store(x);

    if (rc)
        return rc;
    rc = fill(&b, list, nr);
    if (rc == 0) {
        rc = send_all(x->store_link, b.bytes, b.len);
        for (uint32_t i = 0; i < b.requests && rc == 0; i++)
            rc = take_answer(x->store_link, &refused);
        if (rc)
            host_store_lost(x);
    }
    free(b.bytes);
    return rc ? rc : refused;
}
