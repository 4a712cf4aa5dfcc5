/* SPDX-License-Identifier: MIT */
/*
 * A domain's life: start (made, paused) -> unpaused -> shut down (reason kept) -> reaped.
 *
 * lifecycle_make() does all of it in order and undoes all of it on failure: name claimed,
 * domain built, store entries written, store connection introduced, console served. The
 * domain is left paused, its console ring already mapped by the daemon: not one byte can be
 * lost. lifecycle_go() lets it run; only then is the name its own. A signal that ends the process
 * is such a failure; of what can't be caught the daemon takes away what is left (state.h).
 * lifecycle_reap() is the reverse.
 *
 * Who keeps consoles is behind struct console_service: pvctl talks to the daemon, tests
 * record the calls.
 */
#ifndef PARVIS_TOOLS_LIFECYCLE_H
#define PARVIS_TOOLS_LIFECYCLE_H

#include <sys/types.h>

#include "config.h"
#include "error.h"
#include "host.h"

struct console_service {
    /* Before anything is made, and when it is made or undone. */
    int (*begin)(void *ctx, const char *name, struct error *e);
    void (*end)(void *ctx);
    /* port: the domain's end of its console's channel. */
    int (*serve)(void *ctx, uint32_t domid, uint32_t port, const char *name, struct error *e);
    /* Takes the domain away, with its console. -ECONNREFUSED: nobody is there who could. */
    int (*reap)(void *ctx, const struct host_domain *d, const char *name, const char *how,
                struct error *e);
    void *ctx;
};

/* Talks to the daemon. */
extern const struct console_service console_by_daemon;

/* Makes the domain, paused. cfg gets its uuid (and MAC addresses) if it had none. */
int __must_check lifecycle_make(struct host *h, struct domain_config *cfg,
                                const struct console_service *cs, uint32_t *domid, struct error *e);
/* What lifecycle_make() made is let go, or left paused, and is whole. Undoes all on failure. */
int __must_check lifecycle_go(struct host *h, const struct domain_config *cfg,
                              const struct console_service *cs, uint32_t domid, bool paused,
                              struct error *e);
/* Ends the domain, whatever state it is in. `how` is kept and shown: "powered off". */
int lifecycle_reap(struct host *h, const struct host_domain *d, const char *name, const char *how,
                   const struct console_service *cs, struct error *e);

/* Tells the daemon to end it, and does not wait: lifecycle_reap() does. */
int __must_check lifecycle_reap_begin(const struct host_domain *d, const char *name,
                                      const char *how, struct error *e);

/* Is a domain of this name to be started again, with its former life over? */
bool lifecycle_restarts(const char *name);
/* That is given up, and nothing of it is left. */
int __must_check lifecycle_give_up(const char *name, struct error *e);

struct state_entry;

/* A domain found by name or by number. */
struct live_domain {
    struct host_domain d;
    char name[65];
    bool ours;   /* made by these tools */
    pid_t maker; /* process that is making it; 0: it is whole */
};

/* A domain's number, as people and other programs write it: up to five digits, and nothing else.
 * What has more may be a name. */
bool lifecycle_number(const char *text, uint32_t *domid);
/* Did xl or virsh make the domain of this number? 1, 0, or -errno. */
int __must_check lifecycle_libxls(struct host *h, uint32_t domid);
/* Does the entry stand for this domain? 1, 0, or -errno. A maker's that has no number yet does not
 * for one of its uuid that xl or virsh made. */
int __must_check lifecycle_stands_for(struct host *h, const struct state_entry *s,
                                      const struct host_domain *d);
/* -ESRCH: none; the message says how the last one of this name ended. */
int __must_check lifecycle_find(struct host *h, const char *which, struct live_domain *out,
                                struct error *e);
/* -EEXIST: a domain that xl or virsh made has this name. (Of ours state_claim() knows.) */
int __must_check lifecycle_check_name(struct host *h, const char *name, struct error *e);
/* All domains, sorted by number; one free(). */
int __must_check lifecycle_list(struct host *h, struct live_domain **out, size_t *nr,
                                struct error *e);

/* All domains as the hypervisor has them, sorted by number; one free(). */
int __must_check lifecycle_domains(struct host *h, struct host_domain **out, size_t *nr);
/* One of such a list, or NULL. */
const struct host_domain *lifecycle_domain(const struct host_domain *list, size_t nr,
                                           uint32_t domid);

/* "powered off", "crashed", ... for SHUTDOWN_*. */
const char *shutdown_reason_text(unsigned int reason);
/* "poweroff", "crash", ...: the word in JSON. */
const char *shutdown_reason_word(unsigned int reason);
/* What is done about a reason, as the configuration wants it. */
enum end_action lifecycle_action(const struct domain_config *c, unsigned int reason);
/* "running", "blocked", "paused", "shut down: crashed", "dying". */
const char *domain_state_text(const struct host_domain *d);

#endif
