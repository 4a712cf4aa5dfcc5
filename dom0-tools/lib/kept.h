/* SPDX-License-Identifier: MIT */
/*
 * The kept configuration of a live domain, changed as the domain is: its next life begins with
 * that, and `pvctl dumpxml` shows it.
 */
#ifndef PARVIS_TOOLS_KEPT_H
#define PARVIS_TOOLS_KEPT_H

#include "config.h"
#include "error.h"
#include "lifecycle.h"

/* What is done to a kept configuration; `then`, if it is not NULL, when it is kept, before anybody
 * else changes it. So long it may wait for others; 0: it never does. */
struct kept_change {
    int (*change)(struct domain_config *cfg, void *arg);
    void (*then)(void *arg);
    void *arg;
    unsigned int limit_ms;
};

/* Reads the configuration that was kept of the domain, lets `change` change it, and keeps that. One
 * process at a time does so with one domain; others' are not waited for. What `change` returns is
 * returned. -ESRCH: the domain has ended by then, and what follows it begins as it was. */
int __must_check kept_change_of(uint32_t domid, const char *name, const struct kept_change *k,
                                struct error *e);
/* The same, for who may wait. A domain that these tools did not make has none: that is no error,
 * and nothing is called. */
int __must_check kept_change(const struct live_domain *l,
                             int (*change)(struct domain_config *cfg, void *arg), void *arg,
                             struct error *e);

/* What is kept of a live domain and what the store says get this name; it is not the domain's
 * before kept_rename(). Where it fails they may say either. Waits for nobody. */
int __must_check kept_write_name(struct host *h, const struct live_domain *l, const char *name,
                                 struct error *e);
/* Who gave a domain another name was killed: both say again what its name is. */
int __must_check kept_settle_name(struct host *h, const struct live_domain *l, struct error *e);
/* Has this process claimed the name for a domain that lives (state.h)? */
bool kept_is_claimed(const char *name, pid_t claimer);
/* The name of a live domain becomes another one, at once, which this process has claimed, and which
 * is the domain's in place of the claim; -EEXIST: it has not; -EBUSY: who claims another name does
 * not come to an end. */
int __must_check kept_rename(const char *old_name, const char *new_name, pid_t claimer);
/* One that has ended gives its name back for another one, which nobody has, and gets another uuid;
 * the entry says from then on what it was called (state.h's names). */
int __must_check kept_set_aside(struct host *h, const char *name, const char *other, uint32_t domid,
                                const uint8_t uuid[16]);

#endif
