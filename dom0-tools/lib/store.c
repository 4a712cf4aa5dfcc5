/* SPDX-License-Identifier: MIT */
/*
 * A domain's entries in the store: see store.h.
 *
 * "n0 rN" = owned by the control domain, readable by guest N. "nN" = the guest's own.
 */
#include "store.h"

#include <errno.h>
#include <inttypes.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "lock.h"
#include "state.h"

#define MAX_TRIES 64
#define PATH_LEN  256
#define REQUEST   "control/shutdown"

static int try_transaction(struct host *h, int (*body)(struct host *h, host_txn_t t, void *arg),
                           void *arg)
{
    host_txn_t t;
    int rc = h->ops->store_begin(h, &t);

    if (rc)
        return rc;
    rc = body(h, t, arg);
    if (rc) {
        h->ops->store_end(h, t, true);
        return rc;
    }
    return h->ops->store_end(h, t, false);
}

/* Two transactions that touch one directory, and all do, disturb each other: the later begins anew,
 * so of many at once each would be written many times. They wait for each other instead. Nobody
 * relies on that: without the lock, or with one that is not given back, it is slower, that is all.
 */
static int in_turn(struct host *h, int (*body)(struct host *h, host_txn_t t, void *arg), void *arg,
                   unsigned int limit_ms)
{
    static bool held_up; /* once is enough: whoever has had it for so long keeps it */
    int lock = lock_take(state_path("store.lock"), held_up ? 0 : limit_ms), rc = -EAGAIN;
    struct error e = {0};

    if (lock == -EBUSY && limit_ms && !held_up) {
        held_up = lock_refused(&e, lock, state_path("store.lock")) != 0;
        fprintf(stderr, "pvctl: %s: going on without it\n", e.text);
    }
    for (int i = 0; i < MAX_TRIES && rc == -EAGAIN; i++)
        rc = try_transaction(h, body, arg);
    if (lock >= 0)
        close(lock);
    return rc;
}

int store_transaction(struct host *h, int (*body)(struct host *h, host_txn_t t, void *arg),
                      void *arg)
{
    return in_turn(h, body, arg, LOCK_LIMIT_MS);
}

/* What is to be written, in this order. Each is a message to the store's daemon, for which it goes
 * through all connections of domains, and these are the most of what a small domain's start takes
 * there: nothing is written that nobody reads. Permissions are set twice, no more: for each domain
 * that may not read what has new ones the daemon reads what lies above, which takes as long as four
 * new entries. (A transaction would be worse: at its end both are read, of each entry.) */
struct entries {
    struct host_entry *list;
    unsigned int nr;
    uint32_t domid;
};

#define MOST_ENTRIES (20 + CONFIG_MAX_VCPUS)

static struct host_entry *add(struct entries *s, const char *value, const char *perms)
{
    struct host_entry *e = &s->list[s->nr++];

    e->value = value;
    e->perms = perms;
    return e;
}

/* Below the domain's path; "" is that itself. */
static void add_below(struct entries *s, const char *key, const char *value, const char *perms)
{
    struct host_entry *e = add(s, value, perms);

    snprintf(e->path, sizeof(e->path), "/local/domain/%u%s%s", s->domid, *key ? "/" : "", key);
}

/* What is made below a node has its permissions: the places where the guest may write are made
 * first, while all is the guest's; it does not run yet. In control/ it says what it can do
 * (feature-poweroff and the like), and answers what it is asked for; what it is asked for first is
 * the guest's, too. */
static void add_guest_places(struct entries *s, const char *own, const char *readable)
{
    static const char *const keys[] = {"data", "attr", "error", REQUEST};

    add_below(s, "", "", own);
    for (size_t i = 0; i < sizeof(keys) / sizeof(keys[0]); i++)
        add_below(s, keys[i], "", NULL);
    add_below(s, "", NULL, readable);
}

static void add_cpus(struct entries *s, const struct domain_config *c)
{
    char key[64];

    for (unsigned int i = 0; i < c->max_vcpus; i++) {
        snprintf(key, sizeof(key), "cpu/%u/availability", i);
        add_below(s, key, i < c->vcpus ? "online" : "offline", NULL);
    }
}

static void add_start(struct entries *s, const char *vm, const char *start)
{
    struct host_entry *e = add(s, start, NULL);

    snprintf(e->path, sizeof(e->path), "%s/start_time", vm); /* as libxl writes it */
}

void store_vm_path(char path[STORE_VM_LEN], uint32_t domid, const uint8_t uuid[16])
{
    char text[37];

    uuid_format(uuid, text);
    snprintf(path, STORE_VM_LEN, "/local/domain/%u/vm/%s", domid, text);
}

static int put_domain(struct host *h, const struct domain_config *c, const struct store_domain *d)
{
    char vm[STORE_VM_LEN], ro[32], own[16], start[40];
    char domid[16], max[24], target[24], port[16];
    const struct {
        const char *key, *value;
    } values[] = {
        {"name", c->name},
        {"domid", domid},
        {"vm", vm},
        {"memory/static-max", max},
        {"memory/target", target},
        /* Without ring-ref, so that xenconsoled lets it be: it is served by ours. */
        {"console/port", port},
        {"device", ""},
    };
    struct entries s = {.list = malloc(MOST_ENTRIES * sizeof(*s.list)), .domid = d->domid};
    struct timespec now;
    int rc;

    if (!s.list)
        return -ENOMEM;
    clock_gettime(CLOCK_REALTIME, &now);
    snprintf(start, sizeof(start), "%lld.%02ld", (long long)now.tv_sec, now.tv_nsec / 10000000);
    store_vm_path(vm, d->domid, c->uuid);
    snprintf(ro, sizeof(ro), "n0 r%u", d->domid);
    snprintf(own, sizeof(own), "n%u", d->domid);
    snprintf(domid, sizeof(domid), "%u", d->domid);
    snprintf(max, sizeof(max), "%" PRIu64, c->memory_kib);
    snprintf(target, sizeof(target), "%" PRIu64, c->current_kib);
    snprintf(port, sizeof(port), "%u", d->console_port);
    add_guest_places(&s, own, ro);
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        add_below(&s, values[i].key, values[i].value, NULL);
    add_cpus(&s, c);
    add_start(&s, vm, start);
    rc = h->ops->store_put(h, 0, s.list, s.nr);
    free(s.list);
    return rc;
}

/* Not in a transaction: creates at once would disturb each other, as each changes the list of
 * domains. Nobody reads the entries yet, and what is left of one that fails is removed whole. */
int store_domain_create(struct host *h, const struct domain_config *c, const struct store_domain *d,
                        struct error *e)
{
    int rc = put_domain(h, c, d);

    return rc ? error_errno(e, rc, "%s: writing its store entries", c->name) : 0;
}

int store_domain_introduce(struct host *h, const struct store_domain *d, struct error *e)
{
    int rc = h->ops->store_introduce(h, d->domid, d->store_mfn, d->store_port);

    return rc ? error_errno(e, rc, "domain %u: introducing it to xenstored", d->domid) : 0;
}

int store_domain_remove(struct host *h, uint32_t domid, const uint8_t uuid[16])
{
    char path[PATH_LEN], text[37];
    int rc, first;

    snprintf(path, sizeof(path), "/local/domain/%u", domid);
    first = h->ops->store_rm(h, 0, path);
    uuid_format(uuid, text);
    snprintf(path, sizeof(path), "/vm/%s", text);
    rc = h->ops->store_rm(h, 0, path);
    return first ? first : rc;
}

/* 1, 0, or a negative errno. */
static int entries_are_left(struct host *h, uint32_t domid, const uint8_t uuid[16])
{
    char vm[STORE_VM_LEN], *text = NULL;
    int rc = store_domain_get(h, domid, "vm", &text);

    if (rc)
        return rc == -ENOENT ? 0 : rc;
    store_vm_path(vm, domid, uuid);
    rc = strcmp(text, vm) == 0; /* else the number is another's by now */
    free(text);
    return rc;
}

int store_refuse_left(struct host *h, uint32_t domid, const uint8_t uuid[16], const char *name,
                      struct error *e)
{
    int rc = entries_are_left(h, domid, uuid);

    if (rc > 0)
        return error_set(
            e, -EBUSY, "%s: domain %u is gone, its entries in the store are left: try again later",
            name, domid);
    return rc ? error_errno(e, rc, "%s: what is left of domain %u in the store", name, domid) : 0;
}

int store_domain_release(struct host *h, uint32_t domid)
{
    int rc = h->ops->store_release(h, domid);

    /* xenstored lets a dead domain go by itself, and then says that it knows none. */
    return rc == -ENOENT || rc == -EINVAL ? 0 : rc;
}

bool store_request_taken(struct host *h, uint32_t domid)
{
    char *wish = NULL;
    int rc = store_domain_get(h, domid, REQUEST, &wish);
    bool taken = rc == -ENOENT || (rc == 0 && wish[0] == '\0');

    free(wish);
    return taken;
}

/* Not by what it is asked in: control/ is the guest's, which may remove that. */
int store_serves(struct host *h, uint32_t domid)
{
    char *vm = NULL;
    int rc = store_domain_get(h, domid, "vm", &vm);

    free(vm);
    return rc;
}

int store_request_shutdown(struct host *h, uint32_t domid, const char *wish, struct error *e)
{
    int rc = store_serves(h, domid);

    if (rc == -ENOENT)
        return error_set(e, -ENODATA,
                         "domain %u: it cannot be asked, for the store has no entries of it (it "
                         "has none of those of parvis.cfg); `pvctl destroy` does not ask",
                         domid);
    rc = rc ? rc : store_domain_set(h, domid, REQUEST, wish);
    return rc ? error_errno(e, rc, "domain %u: asking it to shut down", domid) : 0;
}

int store_domain_get(struct host *h, uint32_t domid, const char *key, char **value)
{
    char path[PATH_LEN];

    snprintf(path, sizeof(path), "/local/domain/%u/%s", domid, key);
    return h->ops->store_read(h, 0, path, value);
}

int store_domain_set(struct host *h, uint32_t domid, const char *key, const char *value)
{
    char path[PATH_LEN];

    snprintf(path, sizeof(path), "/local/domain/%u/%s", domid, key);
    return h->ops->store_write(h, 0, path, value);
}

int store_domain_name(struct host *h, uint32_t domid, char **name)
{
    return store_domain_get(h, domid, "name", name);
}

struct renaming {
    uint32_t domid;
    const uint8_t *uuid;
    const char *name;
};

static int put_name(struct host *h, host_txn_t t, void *arg)
{
    const struct renaming *r = arg;
    char path[PATH_LEN], vm[STORE_VM_LEN];
    int rc;

    snprintf(path, sizeof(path), "/local/domain/%u/name", r->domid);
    rc = h->ops->store_write(h, t, path, r->name);
    store_vm_path(vm, r->domid, r->uuid);
    snprintf(path, sizeof(path), "%s/name", vm);
    return rc ? rc : h->ops->store_write(h, t, path, r->name);
}

int store_domain_rename(struct host *h, uint32_t domid, const uint8_t uuid[16], const char *name)
{
    struct renaming r = {.domid = domid, .uuid = uuid, .name = name};

    return in_turn(h, put_name, &r, 0); /* the daemon calls it, too */
}
