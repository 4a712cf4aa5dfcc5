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
#include "config_identity.h"
#include "cpus.h"
#include "daemon.h"
#include "devices.h"
#include "interrupt.h"
#include "reap.h"
#include "restart.h"
#include "state.h"
#include "store.h"

static int ask_and_close(enum daemon_message type, const char *text, struct error *e)
{
    int fd = daemon_ask(type, text, e);

    if (fd < 0)
        return fd;
    close(fd);
    return 0;
}

static int making = -1; /* the connection that says so */

static int daemon_begin(void *ctx, const char *name, struct error *e)
{
    (void)ctx;
    making = daemon_ask(D_MAKE, name, e);
    return making < 0 ? making : 0;
}

static void daemon_end(void *ctx)
{
    (void)ctx;
    close(making);
    making = -1;
}

static int daemon_serve(void *ctx, uint32_t domid, uint32_t port, const char *name, struct error *e)
{
    struct error why = {0};
    char text[96];
    int rc;

    (void)ctx;
    snprintf(text, sizeof(text), "%u %u %s", domid, port, name);
    rc = making >= 0 ? daemon_ask_on(making, D_SERVE, text, &why) : 0;
    if (rc && !daemon_has_gone(making))
        return error_set(e, rc, "%s", why.text);
    /* One that was started again meanwhile knows of no connection of ours. */
    return making >= 0 && rc == 0 ? 0 : ask_and_close(D_SERVE, text, e);
}

/* Which domain is to go: its number may be another's by the time that this is read. */
static void reap_text(char text[400], const struct host_domain *d, const char *name,
                      const char *how)
{
    char uuid[37];

    uuid_format(d->uuid, uuid);
    snprintf(text, 400, "%u %s %s %s", d->domid, uuid, name, how);
}

static int daemon_reap(void *ctx, const struct host_domain *d, const char *name, const char *how,
                       struct error *e)
{
    char text[400];

    (void)ctx;
    reap_text(text, d, name, how);
    return ask_and_close(D_REAP, text, e);
}

const struct console_service console_by_daemon = {daemon_begin, daemon_end, daemon_serve,
                                                  daemon_reap, NULL};

/* Of domains that others have made, too. */
static int refuse_live_identity(struct host *h, const struct domain_config *cfg, struct error *e)
{
    struct live_domain *all;
    size_t n;
    int rc = lifecycle_list(h, &all, &n, e);

    if (rc)
        return rc;
    for (size_t i = 0; i < n && rc == 0; i++) {
        /* A dying one is only waited for by somebody who has a page of it mapped. */
        if (all[i].d.dying)
            continue;
        if (memcmp(all[i].d.uuid, cfg->uuid, 16) == 0)
            rc = error_set(e, -EEXIST, "%s: <uuid>: domain %u (%s) has this uuid already",
                           cfg->name, all[i].d.domid, all[i].name);
        else if (!all[i].ours && strcmp(all[i].name, cfg->name) == 0)
            rc = error_set(e, -EEXIST,
                           "%s: a domain of this name, which pvctl did not make, exists already "
                           "(domain %u)",
                           cfg->name, all[i].d.domid);
    }
    free(all);
    return rc;
}

/* Its devices are not asked for: that domain has them. Who takes the name looks again. */
static int refuse_live_name(struct host *h, const char *name, struct error *e)
{
    struct state_entry s;

    if (state_get(name, &s) || s.maker || state_lives(h, &s) <= 0)
        return 0;
    return error_set(e, -EEXIST, "%s: a domain of this name exists already (domain %u)", name,
                     s.domid);
}

static int set_identity(struct host *h, struct domain_config *cfg, struct error *e)
{
    int rc = cfg->uuid_given ? refuse_live_identity(h, cfg, e) : 0;

    if (rc == 0)
        config_identity(cfg);
    return rc;
}

static int keep_config(const struct domain_config *cfg, uint32_t domid, struct error *e)
{
    char *xml = domain_config_to_xml(cfg, -1);
    int rc = xml ? state_keep(cfg->name, domid, xml, e) : error_errno(e, -ENOMEM, "%s", cfg->name);

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
        .store_port = b->store_port,
        .console_port = b->console_port,
    };
    int rc = cpus_set(h, cfg, b->domid, e);

    rc = rc ? rc : store_domain_create(h, cfg, &s, e);
    rc = rc ? rc : store_domain_introduce(h, &s, e);
    rc = rc ? rc : devices_attach(h, cfg, b->domid, e);
    rc = rc ? rc : keep_config(cfg, b->domid, e);
    rc = rc ? rc : interrupt_check(cfg->name, e);
    return rc ? rc : cs->serve(cs->ctx, b->domid, b->console_port, cfg->name, e);
}

static int make(struct host *h, const struct domain_config *cfg, const struct console_service *cs,
                bool new_uuid, uint32_t *domid, struct error *e)
{
    struct build_result b = {.domid = UINT32_MAX};
    struct reap r;
    int rc = state_claim(h, cfg->name, cfg->uuid, new_uuid, e);

    if (rc)
        return rc;
    rc = domain_build(h, cfg, &b, e);
    if (rc) {
        state_release(cfg->name, UINT32_MAX, cfg->uuid);
        return rc;
    }
    rc = state_claim_number(cfg->name, b.domid, cfg->uuid, e);
    rc = rc ? rc : furnish(h, cfg, &b, cs, e);
    if (rc) {
        reap_begin(&r, b.domid, cfg->uuid, cfg->name, "");
        reap_wait(h, &r, NULL);
        return rc;
    }
    *domid = b.domid;
    return 0;
}

int lifecycle_make(struct host *h, struct domain_config *cfg, const struct console_service *cs,
                   uint32_t *domid, struct error *e)
{
    bool new_uuid = !cfg->uuid_given;
    int rc = cpus_check(h, cfg, e);

    rc = rc ? rc : refuse_live_name(h, cfg->name, e);
    rc = rc ? rc : devices_check(h, cfg, e);
    rc = rc ? rc : set_identity(h, cfg, e);
    rc = rc ? rc : lifecycle_check_name(h, cfg->name, e);
    rc = rc ? rc : cs->begin(cs->ctx, cfg->name, e);
    if (rc)
        return rc;
    rc = make(h, cfg, cs, new_uuid, domid, e);
    if (rc)
        cs->end(cs->ctx);
    return rc;
}

int lifecycle_go(struct host *h, const struct domain_config *cfg, const struct console_service *cs,
                 uint32_t domid, bool paused, struct error *e)
{
    struct host_domain d = {.domid = domid};
    int rc = interrupt_check(cfg->name, e);

    if (rc == 0 && !paused) {
        rc = h->ops->domain_unpause(h, domid);
        rc = rc ? error_errno(e, rc, "%s: unpausing domain %u", cfg->name, domid) : 0;
    }
    rc = rc ? rc : state_commit(cfg->name, domid, cfg->uuid, e);
    if (rc) {
        memcpy(d.uuid, cfg->uuid, 16);
        lifecycle_reap(h, &d, cfg->name, "could not be started", cs, NULL);
    }
    cs->end(cs->ctx);
    return rc;
}

int lifecycle_reap(struct host *h, const struct host_domain *d, const char *name, const char *how,
                   const struct console_service *cs, struct error *e)
{
    struct error why = {0};
    struct reap r;
    int rc;

    /* Stopped first, so that what the console holds is all that there will be. */
    h->ops->domain_pause(h, d->domid);
    rc = cs->reap(cs->ctx, d, name, how, &why);
    if (rc != -ECONNREFUSED)
        return rc ? error_set(e, rc, "%s", why.text) : 0;
    /* Without the daemon there is no console to let go of; the domain goes all the same. */
    reap_begin(&r, d->domid, d->uuid, name, how);
    return reap_wait(h, &r, e);
}

int lifecycle_reap_begin(const struct host_domain *d, const char *name, const char *how,
                         struct error *e)
{
    int fd = daemon_connect(e), rc;
    char text[400];

    if (fd < 0)
        return fd;
    reap_text(text, d, name, how);
    rc = daemon_send(fd, D_REAP, text, strlen(text));
    close(fd); /* what was sent is read all the same */
    return rc ? error_errno(e, rc, "%s: telling parvisd", name) : 0;
}

bool lifecycle_restarts(const char *name)
{
    return domain_name_ok(name) && restart_intended(name);
}

int lifecycle_give_up(const char *name, struct error *e)
{
    struct error why = {0};
    int rc = ask_and_close(D_STOP, name, &why);

    if (rc != -ECONNREFUSED)
        return rc ? error_set(e, rc, "%s", why.text) : 0;
    restart_forget(name); /* nobody is there who makes it; the next daemon is not to */
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
    if (d->dying)
        return "dying";
    if (d->shutdown)
        return shutdown_reason_text(d->shutdown_reason);
    if (d->paused)
        return "paused";
    return d->running ? "running" : d->blocked ? "blocked" : "runnable";
}
