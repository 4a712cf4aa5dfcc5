/* SPDX-License-Identifier: MIT */
/*
 * Starting and reaping domains: see lifecycle.h.
 */
#include "lifecycle.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "build.h"
#include "daemon.h"
#include "devices.h"
#include "state.h"
#include "store.h"

#define GONE_TRIES 200
#define GONE_STEP_US 5000

static int ask_and_close(enum daemon_message type, const char *text, struct error *e)
{
    int fd = daemon_ask(type, text, e);

    if (fd < 0) {
        return fd;
    }
    close(fd);
    return 0;
}

static int daemon_serve(void *ctx, uint32_t domid, const char *name, struct error *e)
{
    char text[96];

    (void)ctx;
    snprintf(text, sizeof(text), "%u %s", domid, name);
    return ask_and_close(D_SERVE, text, e);
}

static int daemon_release(void *ctx, uint32_t domid, const char *how, struct error *e)
{
    char text[320];

    (void)ctx;
    snprintf(text, sizeof(text), "%u %s", domid, how);
    return ask_and_close(D_RELEASE, text, e);
}

const struct console_service console_by_daemon = {daemon_serve, daemon_release, NULL};

static int refuse_live_uuid(struct host *h, const struct domain_config *cfg, struct error *e)
{
    struct live_domain *all;
    size_t n;
    int rc = lifecycle_list(h, &all, &n, e);

    if (rc) {
        return rc;
    }
    for (size_t i = 0; i < n; i++) {
        if (memcmp(all[i].d.uuid, cfg->uuid, 16) == 0) {
            rc = error_set(e, -EEXIST, "%s: <uuid>: domain %u (%s) has this uuid already",
                           cfg->name, all[i].d.domid, all[i].name);
            break;
        }
    }
    free(all);
    return rc;
}

static int set_identity(struct host *h, struct domain_config *cfg, struct error *e)
{
    if (cfg->uuid_given) {
        int rc = refuse_live_uuid(h, cfg, e);

        if (rc) {
            return rc;
        }
    } else {
        uuid_make(cfg->uuid);
        cfg->uuid_given = true;
    }
    for (size_t i = 0; i < cfg->nr_nics; i++) {
        struct nic_config *n = &cfg->nics[i];

        if (!n->mac_given) {
            uint8_t r[16];

            /* 00:16:3e is Xen's range of addresses. */
            uuid_make(r);
            memcpy(n->mac, (const uint8_t[]){0x00, 0x16, 0x3e, r[0] & 0x7f, r[1], r[2]}, 6);
            n->mac_given = true;
        }
    }
    return 0;
}

static int keep_config(const struct domain_config *cfg, uint32_t domid, struct error *e)
{
    char *xml = domain_config_to_xml(cfg, (int)domid);
    int rc = xml ? state_commit(cfg->name, domid, cfg->uuid, xml, e)
                 : error_errno(e, -ENOMEM, "%s", cfg->name);

    free(xml);
    return rc;
}

/* From the built domain on: store, devices, console, state. */
static int furnish(struct host *h, const struct domain_config *cfg, const struct build_result *b,
                   const struct console_service *cs, struct error *e)
{
    const struct store_domain s = {
        .domid = b->domid,
        .store_mfn = b->store_mfn,
        .console_mfn = b->console_mfn,
        .store_port = b->store_port,
        .console_port = b->console_port,
    };
    int rc;

    if (cfg->weight) {
        rc = h->ops->domain_set_weight(h, b->domid, cfg->weight);
        if (rc) {
            return error_errno(e, rc, "%s: <shares>: setting the weight", cfg->name);
        }
    }
    rc = store_domain_create(h, cfg, &s, e);
    if (rc) {
        return rc;
    }
    rc = store_domain_introduce(h, &s, e);
    if (rc) {
        goto err_remove_store;
    }
    rc = devices_attach(h, cfg, b->domid, e);
    if (rc) {
        goto err_remove_store;
    }
    rc = keep_config(cfg, b->domid, e);
    if (rc) {
        goto err_detach_devices;
    }
    rc = cs->serve(cs->ctx, b->domid, cfg->name, e);
    if (rc) {
        goto err_detach_devices;
    }
    return 0;

err_detach_devices:
    devices_detach(h, b->domid);
err_remove_store:
    store_domain_remove(h, b->domid, cfg->uuid);
    return rc;
}

int lifecycle_start(struct host *h, struct domain_config *cfg, const struct console_service *cs,
                    uint32_t *domid, struct error *e)
{
    struct build_result b = {.domid = UINT32_MAX};
    int rc = devices_check(cfg, e);

    rc = rc ? rc : set_identity(h, cfg, e);
    if (rc) {
        return rc;
    }
    rc = state_claim(h, cfg->name, cfg->uuid, e);
    if (rc) {
        return rc;
    }
    rc = domain_build(h, cfg, &b, e);
    if (rc) {
        goto err_release_name;
    }
    rc = furnish(h, cfg, &b, cs, e);
    if (rc) {
        goto err_destroy;
    }
    *domid = b.domid;
    return 0;

err_destroy:
    h->ops->domain_destroy(h, b.domid);
    state_release(cfg->name, b.domid);
err_release_name:
    state_release(cfg->name, UINT32_MAX);
    return rc;
}

/* A destroyed domain lives on while somebody has a page of it mapped; its last mappings (the
 * store daemon's, back ends') go now. Bounded: who keeps one for longer is not waited for. */
static void wait_gone(struct host *h, const struct host_domain *d)
{
    for (int i = 0; i < GONE_TRIES; i++) {
        struct host_domain now;
        unsigned int n = 0;

        if (h->ops->domain_list(h, d->domid, &now, 1, &n) || n == 0 || now.domid != d->domid ||
            memcmp(now.uuid, d->uuid, 16) != 0) {
            return;
        }
        usleep(GONE_STEP_US);
    }
}

int lifecycle_reap(struct host *h, const struct host_domain *d, const char *name, const char *how,
                   const struct console_service *cs, struct error *e)
{
    int rc, first;

    /* Stopped first, so that what the console holds is all that there will be. */
    h->ops->domain_pause(h, d->domid);
    first = cs->release(cs->ctx, d->domid, how, NULL);
    devices_detach(h, d->domid);
    rc = h->ops->domain_destroy(h, d->domid);
    if (rc && rc != -ESRCH) {
        return error_errno(e, rc, "%s: destroying domain %u", name, d->domid);
    }
    rc = store_domain_remove(h, d->domid, d->uuid);
    wait_gone(h, d);
    state_release(name, d->domid);
    state_write_ended(name, how);
    if (rc) {
        return error_errno(e, rc, "%s: removing the store entries of domain %u", name, d->domid);
    }
    /* Without the daemon there is no console to let go of; the domain is gone all the same. */
    (void)first;
    return 0;
}

const char *shutdown_reason_word(unsigned int reason)
{
    static const char *const words[] = {
        [SHUTDOWN_poweroff] = "poweroff", [SHUTDOWN_reboot] = "reboot",
        [SHUTDOWN_suspend] = "suspend",   [SHUTDOWN_crash] = "crash",
        [SHUTDOWN_watchdog] = "watchdog", [SHUTDOWN_soft_reset] = "soft-reset",
    };

    return reason < sizeof(words) / sizeof(words[0]) ? words[reason] : "unknown";
}

const char *shutdown_reason_text(unsigned int reason)
{
    static const char *const texts[] = {
        [SHUTDOWN_poweroff] = "powered off",
        [SHUTDOWN_reboot] = "rebooted",
        [SHUTDOWN_suspend] = "suspended",
        [SHUTDOWN_crash] = "crashed",
        [SHUTDOWN_watchdog] = "killed by its watchdog",
        [SHUTDOWN_soft_reset] = "asked for a soft reset",
    };

    return reason < sizeof(texts) / sizeof(texts[0]) ? texts[reason]
                                                     : "shut down for an unknown reason";
}

enum end_action lifecycle_action(const struct domain_config *c, unsigned int reason)
{
    switch (reason) {
    case SHUTDOWN_poweroff:
        return c->on_poweroff;
    case SHUTDOWN_reboot:
        return c->on_reboot;
    case SHUTDOWN_suspend:
        return END_PRESERVE; /* somebody asked for it, and will take the domain's state */
    default:
        return c->on_crash;
    }
}

const char *domain_state_text(const struct host_domain *d)
{
    if (d->dying) {
        return "dying";
    }
    if (d->shutdown) {
        return shutdown_reason_text(d->shutdown_reason);
    }
    if (d->paused) {
        return "paused";
    }
    return d->running ? "running" : d->blocked ? "blocked" : "runnable";
}
