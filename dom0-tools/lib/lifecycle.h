/* SPDX-License-Identifier: MIT */
/*
 * A domain's life: start (made, paused) -> unpaused -> shut down (reason kept) -> reaped.
 *
 * lifecycle_start() does all of it in order and undoes all of it on failure: name claimed,
 * domain built, store entries written, store connection introduced, console served, state
 * committed. The domain is left paused, its console ring already mapped by the daemon: not
 * one byte can be lost. lifecycle_reap() is the reverse, and goes on past errors, because
 * what can be given back must be given back.
 *
 * Who keeps consoles is behind struct console_service: pvctl talks to the daemon, the
 * daemon has them itself, tests record the calls.
 */
#ifndef PARVIS_TOOLS_LIFECYCLE_H
#define PARVIS_TOOLS_LIFECYCLE_H

#include "config.h"
#include "error.h"
#include "host.h"

struct console_service {
    int (*serve)(void *ctx, uint32_t domid, const char *name, struct error *e);
    int (*release)(void *ctx, uint32_t domid, const char *how, struct error *e);
    void *ctx;
};

/* Talks to the daemon. */
extern const struct console_service console_by_daemon;

/* Makes the domain, paused. cfg gets its uuid (and MAC addresses) if it had none. */
int lifecycle_start(struct host *h, struct domain_config *cfg, const struct console_service *cs,
                    uint32_t *domid, struct error *e);
/* Ends the domain, whatever state it is in. `how` is kept and shown: "powered off". */
int lifecycle_reap(struct host *h, const struct host_domain *d, const char *name, const char *how,
                   const struct console_service *cs, struct error *e);

/* A domain found by name or by number. */
struct live_domain {
    struct host_domain d;
    char name[65];
};

/* -ESRCH: none; the message says how the last one of this name ended. */
int lifecycle_find(struct host *h, const char *which, struct live_domain *out, struct error *e);
/* All domains, sorted by number; one free(). */
int lifecycle_list(struct host *h, struct live_domain **out, size_t *nr, struct error *e);

/* "powered off", "crashed", ... for SHUTDOWN_*. */
const char *shutdown_reason_text(unsigned int reason);
/* "poweroff", "crash", ...: the word in JSON. */
const char *shutdown_reason_word(unsigned int reason);
/* What the configuration wants done about a reason. */
enum end_action lifecycle_action(const struct domain_config *c, unsigned int reason);
/* "running", "blocked", "paused", "shut down: crashed", "dying". */
const char *domain_state_text(const struct host_domain *d);

#endif
