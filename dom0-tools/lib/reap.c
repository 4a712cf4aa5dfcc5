/* SPDX-License-Identifier: MIT */
/*
 * Taking a domain away: see reap.h.
 */
#include "reap.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "state.h"
#include "store.h"

#define STEP_MS     20u
#define BACKENDS_MS 15000u
#define GONE_MS     1000u
#define LIST_STEP   32u

void reap_begin(struct reap *r, uint32_t domid, const uint8_t uuid[16], const char *name,
                const char *how)
{
    memset(r, 0, sizeof(*r));
    r->domid = domid;
    memcpy(r->uuid, uuid, 16);
    snprintf(r->name, sizeof(r->name), "%s", name);
    snprintf(r->how, sizeof(r->how), "%s", how);
    r->stage = domid == UINT32_MAX ? REAP_GONE : REAP_OFFLINE;
}

void reap_begin_devices(struct reap *r, uint32_t domid, const uint8_t uuid[16], const char *name)
{
    reap_begin(r, domid, uuid, name, "");
    r->devices_alone = true;
}

static void enter(struct reap *r, enum reap_stage stage, uint64_t deadline)
{
    r->stage = stage;
    r->deadline = deadline;
}

/* Numbers are given again: somebody has destroyed the domain meanwhile, and this is another one,
 * whose devices and entries are not ours to take. 1, 0, or -errno. */
static int is_anothers(struct host *h, const struct reap *r)
{
    struct host_domain now;
    unsigned int n = 0;
    int rc = r->domid == UINT32_MAX ? 0 : h->ops->domain_list(h, r->domid, &now, 1, &n);

    return rc ? rc : n > 0 && now.domid == r->domid && memcmp(now.uuid, r->uuid, 16) != 0;
}

static void destroy(struct host *h, struct reap *r)
{
    int rc = h->ops->domain_destroy(h, r->domid);

    if (rc && rc != -ESRCH)
        error_errno(&r->e, rc, "%s: destroying domain %u", r->name, r->domid);
}

/* Race: a back end that was connecting meanwhile has written its directory anew, and by that its
 * kernel may have kept the device. So it is removed again: while it is waited for, and at the end,
 * with what was attached to the domain while it was going. */
static void let_go_again(struct host *h, const struct reap *r)
{
    struct device_list late;

    devices_let_go(h, r->domid, &late);
    device_list_free(&late);
}

/* Does another domain that lives have the uuid, by whatever name? 1, 0, or -errno. */
static int is_had_again(struct host *h, const struct reap *r)
{
    struct host_domain list[LIST_STEP];
    uint32_t first = 0;
    unsigned int n;

    do {
        int rc = h->ops->domain_list(h, first, list, LIST_STEP, &n);

        if (rc)
            return rc;
        for (unsigned int i = 0; i < n; i++) {
            if (list[i].domid != r->domid && !list[i].dying &&
                memcmp(list[i].uuid, r->uuid, 16) == 0)
                return 1;
        }
        first = n ? list[n - 1].domid + 1 : first;
    } while (n == LIST_STEP);
    return 0;
}

/* A uuid may be had again: what stands under it in the store is then the next one's. */
static int remove_entries(struct host *h, const struct reap *r)
{
    static const uint8_t nobodys[16];
    int next = memcmp(r->uuid, nobodys, 16) == 0 ? 1 : is_had_again(h, r);

    return next < 0 ? next : store_domain_remove(h, r->domid, next ? nobodys : r->uuid);
}

/* From the mark on it is to go, whoever takes that up, though it still lives. Where there is no
 * room for the mark the entries go when it is destroyed: they are what would be left of it. */
static void leave_store(struct host *h, struct reap *r)
{
    r->left_store = state_mark_ending(r->name, r->domid, r->uuid) == 0 && remove_entries(h, r) == 0;
}

static void be_released(struct host *h, struct reap *r)
{
    bool came = devices_kinds(h, r->domid) >= 0; /* since its entries went */
    int rc, first = 0;

    if (r->had_devices || came)
        let_go_again(h, r);
    if (r->had_devices)
        devices_forget(h, r->domid);
    if (!r->left_store || came)
        first = remove_entries(h, r);
    rc = store_domain_release(h, r->domid);
    rc = first ? first : rc;
    if (rc == -ENOTCONN || rc == -ETIME)
        error_set(&r->e, rc,
                  "%s: xenstored %s: domain %u is destroyed, its entries in the store are left",
                  r->name, rc == -ETIME ? "does not answer in time" : "has ended", r->domid);
    else if (rc)
        error_errno(&r->e, rc, "%s: removing the store entries of domain %u", r->name, r->domid);
}

/* Its last mappings (the store daemon's, back ends') go now. Who keeps one for longer is not
 * waited for: the name is free all the same. */
static bool is_gone(struct host *h, const struct reap *r)
{
    struct host_domain now;
    unsigned int n = 0;

    return r->domid == UINT32_MAX || h->ops->domain_list(h, r->domid, &now, 1, &n) || n == 0 ||
           now.domid != r->domid || memcmp(now.uuid, r->uuid, 16) != 0;
}

/* Race: who wants the name of a domain that is destroyed may have claimed it before we look again;
 * how this one has ended is then not how that one has. */
static bool is_next_ones(const struct reap *r)
{
    struct state_entry s;

    return state_get(r->name, &s) == 0 && (s.domid != r->domid || memcmp(s.uuid, r->uuid, 16) != 0);
}

static void give_back(struct reap *r)
{
    int rc = r->how[0] && !is_next_ones(r) ? state_write_ended(r->name, r->how) : 0;

    if (r->e.code == 0 && r->anothers)
        state_release_name(r->name, r->domid, r->uuid);
    else if (r->e.code == 0)
        state_release(r->name, r->domid, r->uuid);
    if (rc && r->e.code == 0)
        error_errno(&r->e, rc, "%s: domain %u is gone, how it ended is not kept", r->name,
                    r->domid);
}

/* What is another domain's is left to it. */
static void keep_off_anothers(struct host *h, struct reap *r, uint64_t now_ms)
{
    int another = r->stage <= REAP_DESTROY ? is_anothers(h, r) : 0;

    if (another < 0)
        error_errno(&r->e, another, "%s: listing the domains", r->name);
    if (another) {
        r->anothers = another > 0;
        nic_scripts_stop(&r->scripts, now_ms);
        device_list_free(&r->devices);
        enter(r, r->devices_alone || another < 0 ? REAP_DONE : REAP_GONE, 0);
    }
}

/* Before anything goes, those of its interfaces are told. Whoever they are killed for, none is left
 * that still runs. */
static bool scripts_ended(struct host *h, struct reap *r, uint64_t now_ms)
{
    if (r->stage == REAP_OFFLINE) {
        bool none = devices_kinds(h, r->domid) == 0;

        if (!none)
            nic_scripts_start(h, r->domid, now_ms, &r->scripts);
        enter(r, none ? REAP_BACKENDS : REAP_DEVICES, 0);
    }
    return nic_scripts_ended(h, &r->scripts, now_ms);
}

unsigned int reap_step(struct host *h, struct reap *r, uint64_t now_ms)
{
    keep_off_anothers(h, r, now_ms);
    if (!scripts_ended(h, r, now_ms))
        return STEP_MS;
    switch (r->stage) {
    case REAP_OFFLINE: /* it is behind that */
    case REAP_DEVICES:
        devices_let_go(h, r->domid, &r->devices);
        r->had_devices = r->devices.nr > 0;
        enter(r, REAP_BACKENDS, now_ms + BACKENDS_MS);
        /* fall through */
    case REAP_BACKENDS:
        if (!devices_gone(&r->devices) && now_ms < r->deadline) {
            let_go_again(h, r);
            return STEP_MS;
        }
        device_list_free(&r->devices);
        device_system->sweep_limits();
        enter(r, r->devices_alone ? REAP_DONE : REAP_STORE, 0);
        if (r->devices_alone)
            return 0;
        /* fall through */
    case REAP_STORE:
        leave_store(h, r);
        enter(r, REAP_DESTROY, 0);
        /* fall through */
    case REAP_DESTROY:
        destroy(h, r);
        if (r->e.code) {
            enter(r, REAP_DONE, 0);
            return 0;
        }
        be_released(h, r);
        enter(r, REAP_GONE, now_ms + GONE_MS);
        /* fall through */
    case REAP_GONE:
        if (!is_gone(h, r) && now_ms < r->deadline)
            return STEP_MS;
        give_back(r);
        enter(r, REAP_DONE, 0);
        break;
    case REAP_DONE:
        break;
    }
    return 0;
}

int reap_wait(struct host *h, struct reap *r, struct error *e)
{
    uint64_t now = 0;
    unsigned int ms;

    while ((ms = reap_step(h, r, now)) > 0) {
        device_system->sleep_ms(ms);
        now += ms;
    }
    return r->e.code ? error_set(e, r->e.code, "%s", r->e.text) : 0;
}
