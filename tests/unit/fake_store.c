/* SPDX-License-Identifier: MIT */
/*
 * The store of the machine that is not there: see fake_parts.h.
 */
#include "fake_parts.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

static void clear(struct fake_entry *list)
{
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        free(list[i].path);
        free(list[i].value);
        memset(&list[i], 0, sizeof(list[i]));
    }
}

static void copy(struct fake_entry *to, const struct fake_entry *from)
{
    clear(to);
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        if (from[i].path) {
            to[i] = from[i];
            to[i].path = strdup(from[i].path);
            to[i].value = strdup(from[i].value);
        }
    }
}

void fake_store_free(struct fake_host *f)
{
    clear(f->entries);
    clear(f->saved);
}

static struct fake_entry *find(struct fake_host *f, const char *path)
{
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        if (f->entries[i].path && strcmp(f->entries[i].path, path) == 0)
            return &f->entries[i];
    }
    return NULL;
}

const char *fake_read(struct fake_host *f, const char *path)
{
    const struct fake_entry *e = find(f, path);

    return e ? e->value : NULL;
}

const char *fake_perms(struct fake_host *f, const char *path)
{
    const struct fake_entry *e = find(f, path);

    return e ? e->perms : NULL;
}

static int no_answer(struct host *h)
{
    return fake(h)->store_slow ? -ETIME : -ENOTCONN;
}

int fake_store_begin(struct host *h, host_txn_t *t)
{
    if (fake(h)->store_dead)
        return no_answer(h);
    MAY_FAIL(h);
    if (fake(h)->transactions)
        return -EBUSY;
    copy(fake(h)->saved, fake(h)->entries);
    fake(h)->transactions = 1;
    *t = 1;
    return 0;
}

int fake_store_end(struct host *h, host_txn_t t, bool abort)
{
    struct fake_host *f = fake(h);
    bool refused = !abort && fake_fails(f, __func__);
    bool conflict = !abort && !refused && f->conflicts > 0;

    if (t != 1 || !f->transactions)
        return -EINVAL;
    f->transactions = 0;
    if (abort || refused || conflict)
        copy(f->entries, f->saved);
    if (conflict) {
        f->conflicts--;
        return -EAGAIN;
    }
    return refused ? f->fail_with : 0;
}

int fake_store_read(struct host *h, host_txn_t t, const char *path, char **value)
{
    const struct fake_entry *e = find(fake(h), path);

    if (fake(h)->store_dead)
        return no_answer(h);
    (void)t;
    MAY_FAIL(h);
    if (!e)
        return -ENOENT;
    *value = strdup(e->value);
    return 0;
}

/* As the real one: what lies above comes into being too, and permissions are inherited. */
static int put(struct fake_host *f, const char *path, const char *value)
{
    struct fake_entry *e = find(f, path);
    char parent[256];
    char *slash;

    if (e) {
        free(e->value);
        e->value = strdup(value);
        return 0;
    }
    snprintf(parent, sizeof(parent), "%s", path);
    slash = strrchr(parent, '/');
    if (slash && slash != parent) {
        *slash = '\0';
        if (!find(f, parent))
            put(f, parent, "");
    }
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        if (!f->entries[i].path) {
            const char *perms = fake_perms(f, parent);

            f->entries[i] = (struct fake_entry){.path = strdup(path), .value = strdup(value)};
            snprintf(f->entries[i].perms, sizeof(f->entries[i].perms), "%s", perms ? perms : "n0");
            return 0;
        }
    }
    return -ENOSPC;
}

int fake_store_write(struct host *h, host_txn_t t, const char *path, const char *value)
{
    if (fake(h)->store_dead)
        return no_answer(h);
    (void)t;
    MAY_FAIL(h);
    return put(fake(h), path, value);
}

int fake_store_put(struct host *h, host_txn_t t, const struct host_entry *list, unsigned int nr)
{
    int first = 0;

    for (unsigned int i = 0; i < nr; i++) {
        int rc = list[i].value ? fake_store_write(h, t, list[i].path, list[i].value) : 0;

        first = first ? first : rc;
        rc = list[i].perms ? fake_store_perms(h, t, list[i].path, list[i].perms) : 0;
        first = first ? first : rc;
    }
    return first;
}

int fake_store_mkdir(struct host *h, host_txn_t t, const char *path)
{
    (void)t;
    MAY_FAIL(h);
    return find(fake(h), path) ? 0 : put(fake(h), path, "");
}

int fake_store_rm(struct host *h, host_txn_t t, const char *path)
{
    struct fake_entry *list = fake(h)->entries;
    size_t len = strlen(path);

    fake_gives_back(fake(h), __func__);
    if (fake(h)->store_dead)
        return no_answer(h);
    (void)t;
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        if (list[i].path && strncmp(list[i].path, path, len) == 0 &&
            (list[i].path[len] == '\0' || list[i].path[len] == '/')) {
            free(list[i].path);
            free(list[i].value);
            memset(&list[i], 0, sizeof(list[i]));
        }
    }
    return 0;
}

int fake_store_list(struct host *h, host_txn_t t, const char *path, char ***names, unsigned int *nr)
{
    size_t len = strlen(path), room = sizeof(char *) * FAKE_ENTRIES;
    char **out = malloc(room + 65536), *text = (char *)out + room;
    unsigned int n = 0;

    (void)t;
    if (fake(h)->store_dead) {
        free(out);
        return no_answer(h);
    }
    if (!find(fake(h), path) || fake_fails(fake(h), __func__)) {
        free(out);
        return find(fake(h), path) ? fake(h)->fail_with : -ENOENT;
    }
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        const char *p = fake(h)->entries[i].path;

        if (p && strncmp(p, path, len) == 0 && p[len] == '/' && !strchr(p + len + 1, '/')) {
            out[n++] = text;
            text = stpcpy(text, p + len + 1) + 1;
        }
    }
    *names = out;
    *nr = n;
    return 0;
}

int fake_store_perms(struct host *h, host_txn_t t, const char *path, const char *perms)
{
    struct fake_entry *e = find(fake(h), path);

    (void)t;
    MAY_FAIL(h);
    if (!e)
        return -ENOENT;
    snprintf(e->perms, sizeof(e->perms), "%s", perms);
    return 0;
}

int fake_store_watch(struct host *h, const char *path, const char *token)
{
    MAY_FAIL(h);
    (void)path, (void)token;
    return fake(h)->store_dead ? no_answer(h) : 0;
}

int fake_store_fd(struct host *h)
{
    return fake(h)->events;
}

int fake_store_link(struct host *h)
{
    return fake(h)->link;
}

int fake_store_event(struct host *h, char **path, char **token)
{
    char byte;

    if (!fake(h)->store_event || read(fake(h)->events, &byte, 1) != 1)
        return -EAGAIN;
    fake(h)->store_event(fake(h));
    *path = strdup("@releaseDomain");
    *token = strdup("end");
    return 0;
}

int fake_store_introduce(struct host *h, uint32_t domid, uint64_t mfn, uint32_t port)
{
    struct fake_domain *d = fake_domain(fake(h), domid);

    if (fake(h)->store_dead)
        return no_answer(h);
    MAY_FAIL(h);
    if (!d || !mfn || !port)
        return -EINVAL;
    d->introduced = true;
    return 0;
}

int fake_store_release(struct host *h, uint32_t domid)
{
    struct fake_domain *d = fake_domain(fake(h), domid);

    fake_gives_back(fake(h), __func__);
    if (fake(h)->store_dead)
        return no_answer(h);
    if (!d || !d->introduced)
        return -ENOENT;
    d->introduced = false;
    return 0;
}

void fake_backends_take_up(struct fake_host *f, const char *state)
{
    for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
        struct fake_entry *e = &f->entries[i];

        if (e->path && strstr(e->path, "/backend/") && strstr(e->path, "/state")) {
            free(e->value);
            e->value = strdup(state);
        }
    }
}
