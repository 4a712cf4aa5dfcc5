/* SPDX-License-Identifier: MIT */
/*
 * pvctl create: a domain from its XML. Its console is kept from before its first
 * instruction, so --console misses nothing, however short the domain lives.
 */
#include <errno.h>
#include <unistd.h>

#include "config.h"
#include "pvctl.h"

static int unpause(const struct call *c, const struct domain_config *cfg, uint32_t domid,
                   struct error *e)
{
    struct live_domain l;
    int rc = c->h->ops->domain_unpause(c->h, domid);

    if (rc == 0) {
        return 0;
    }
    error_errno(e, rc, "%s: unpausing domain %u", cfg->name, domid);
    if (lifecycle_find(c->h, cfg->name, &l, NULL) == 0) {
        lifecycle_reap(c->h, &l.d, l.name, "could not be started", &console_by_daemon, NULL);
    }
    return rc;
}

static int create(const struct call *c, struct domain_config *cfg)
{
    struct error e = {0};
    int console = -1;
    uint32_t domid;

    if (lifecycle_start(c->h, cfg, &console_by_daemon, &domid, &e)) {
        return fail(&e);
    }
    if (c->options & OPT_CONSOLE) {
        /* The domain is made; that its console is taken already is no reason to undo it. */
        console = console_open(cfg->name, &e);
        if (console < 0) {
            fail(&e);
            e.code = 0;
        }
    }
    if (!(c->options & OPT_PAUSED) && unpause(c, cfg, domid, &e)) {
        if (console >= 0) {
            close(console);
        }
        return fail(&e);
    }
    if (console >= 0) {
        return console_attach(console, cfg->name);
    }
    if (c->options & OPT_CONSOLE) {
        return EXIT_REFUSED;
    }
    printf("%s: domain %u%s\n", cfg->name, domid, c->options & OPT_PAUSED ? ", paused" : "");
    return EXIT_OK;
}

int verb_create(const struct call *c)
{
    struct domain_config cfg;
    struct error e = {0};
    int rc;

    if (domain_config_read(c->arg, NULL, &cfg, &e)) {
        fail(&e);
        return EXIT_CONFIG;
    }
    rc = create(c, &cfg);
    domain_config_free(&cfg);
    return rc;
}
