/* SPDX-License-Identifier: MIT */
/*
 * A device's entries in the store: see device_entry.h.
 */
#include "device_entry.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "device_path.h"
#include "devices.h"
#include "interrupt.h"

static int put_fields(struct host *h, host_txn_t t, const char *dir, const struct device_field *f,
                      size_t nr)
{
    int rc = 0;

    for (size_t i = 0; i < nr && rc == 0; i++) {
        char path[DEVICE_PATH + 32];

        snprintf(path, sizeof(path), "%s/%s", dir, f[i].key);
        rc = f[i].value ? h->ops->store_write(h, t, path, f[i].value) : 0;
    }
    return rc;
}

/* Others' tools give devices to our domains, too. */
static int refuse_taken(struct host *h, host_txn_t t, const char *back)
{
    char **keys;
    unsigned int n;
    int rc = h->ops->store_list(h, t, back, &keys, &n);

    if (rc)
        return rc == -ENOENT ? 0 : rc;
    free(keys);
    return -EEXIST;
}

/* Both directories in one transaction; "state" comes last in each, it starts the driver. */
int device_entry_put(struct host *h, host_txn_t t, const struct device_entry *d)
{
    char front[DEVICE_PATH], back[DEVICE_PATH], perms[32], domid[16];
    const struct device_field front_fields[] = {
        {"backend", back}, {"backend-id", "0"}, {"state", XENBUS_INITIALISING}};
    const struct device_field back_fields[] = {{"frontend", front},
                                               {"frontend-id", domid},
                                               {"online", "1"},
                                               {"state", XENBUS_INITIALISING}};
    int rc;

    device_front_path(front, d->kind, d->domid, d->id, "");
    device_back_path(back, d->kind, d->domid, d->id, "");
    snprintf(domid, sizeof(domid), "%u", d->domid);
    snprintf(perms, sizeof(perms), "n%u r0", d->domid);
    rc = refuse_taken(h, t, back);
    rc = rc ? rc : h->ops->store_mkdir(h, t, front);
    rc = rc ? rc : h->ops->store_perms(h, t, front, perms);
    rc = rc ? rc : put_fields(h, t, front, d->front, d->nr_front);
    rc = rc ? rc : put_fields(h, t, front, front_fields, 3);
    snprintf(perms, sizeof(perms), "n0 r%u", d->domid);
    rc = rc ? rc : h->ops->store_mkdir(h, t, back);
    rc = rc ? rc : h->ops->store_perms(h, t, back, perms);
    rc = rc ? rc : put_fields(h, t, back, d->back, d->nr_back);
    return rc ? rc : put_fields(h, t, back, back_fields, 4);
}

/* 0, -EAGAIN: not yet, or the error that the driver met. */
static int look_at_backend(struct host *h, const char *kind, uint32_t domid, unsigned int id)
{
    char path[DEVICE_PATH], name[DEVICE_NAME];
    char *state = NULL;
    int rc;

    device_back_path(path, kind, domid, id, "/state");
    rc = h->ops->store_read(h, 0, path, &state);
    if (rc)
        return rc;
    if (strcmp(state, XENBUS_INITIALISING) == 0) {
        rc = -EAGAIN;
    } else if (strcmp(state, XENBUS_CLOSING) == 0 || strcmp(state, XENBUS_CLOSED) == 0) {
        rc = -EIO; /* the driver gave up; its reason is in the kernel's log */
    } else if (strcmp(kind, "vbd") == 0) {
        snprintf(name, sizeof(name), "vbd-%u-%u", domid, id);
        rc = device_system->backend_serves(name) ? 0 : -EAGAIN;
    }
    free(state);
    return rc;
}

int device_entry_wait(struct host *h, const struct device_entry *d)
{
    for (unsigned int ms = 0; ms < DEVICE_WAIT_MS; ms += DEVICE_STEP_MS) {
        int rc = look_at_backend(h, d->kind, d->domid, d->id);

        if (rc != -EAGAIN)
            return rc;
        if (interrupt_came())
            return -EINTR;
        device_system->sleep_ms(DEVICE_STEP_MS);
    }
    return -ETIMEDOUT;
}
