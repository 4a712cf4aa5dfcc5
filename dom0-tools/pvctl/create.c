/* SPDX-License-Identifier: MIT */
/*
 * pvctl create: a domain from its XML. Its console is kept from before its first
 * instruction, so --console misses nothing, however short the domain lives.
 */
#include <errno.h>

#include "config.h"
#include "interrupt.h"
#include "pvctl.h"

/* The console is opened before the first instruction. The domain is made; that its console is
 * taken already is no reason to undo it. */
static int open_console(const struct call *c, const char *name)
{
    struct error e = {0};
    int console = c->options & OPT_CONSOLE ? console_open(name, &e) : -1;

    if (e.code)
        fail(&e);
    return console;
}

static int create(const struct call *c, struct domain_config *cfg)
{
    bool paused = c->options & OPT_PAUSED;
    struct error e = {0};
    uint32_t domid;
    int console, rc;

    if (lifecycle_make(c->h, cfg, &console_by_daemon, &domid, &e)) {
        rc = fail(&e);
        return e.code == -ERANGE ? EXIT_CONFIG : rc; /* it wants CPUs that are not there */
    }
    console = open_console(c, cfg->name);
    rc = lifecycle_go(c->h, cfg, &console_by_daemon, domid, paused, &e) ? fail(&e) : EXIT_OK;
    if (rc)
        return rc;
    interrupt_release();
    if ((c->options & OPT_CONSOLE) && paused)
        fprintf(stderr, "[%s: paused: `pvctl unpause` elsewhere lets it go on]\n", cfg->name);
    if (c->options & OPT_CONSOLE)
        return console < 0 ? EXIT_REFUSED : console_attach(console, cfg->name, true);
    if (c->options & OPT_JSON) {
        json_open('{');
        json_string("name", cfg->name);
        json_number("id", domid);
        json_bool("paused", paused);
        json_close('}');
    } else {
        printf("%s: domain %u%s\n", cfg->name, domid, paused ? ", paused" : "");
    }
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
