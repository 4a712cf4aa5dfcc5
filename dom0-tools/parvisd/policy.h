/* SPDX-License-Identifier: MIT */
/*
 * What happens when a domain ends: on_poweroff, on_reboot, on_crash.
 *
 * The store daemon fires @releaseDomain when any domain shuts down or goes away. Then the
 * list of domains is compared with the consoles that are bound: a domain that has shut down
 * is reaped, restarted or preserved, as its configuration says; one that somebody else
 * destroyed is tidied up after. Each end is acted upon once.
 *
 * A restart is a reap and a new `pvctl create` of the kept configuration, in a process of
 * its own: building takes long, and the other consoles must not wait. That process ends with
 * the daemon. What is to be started is written down before the old life is taken away
 * (lib/restart.h), so the next daemon finds and does it, once. A domain that lives less than
 * RESTART_MIN_MS for the RESTART_MAX_QUICK-th time in a row is not started again: it would
 * do so for ever.
 */
#ifndef PARVIS_POLICY_H
#define PARVIS_POLICY_H

#include "console.h"
#include "state.h"

#define RESTART_MIN_MS    2000u
#define RESTART_MAX_QUICK 4u

/* A domain that lives already, from a daemon before this one, with its entry: takes its console up,
 * and lets all say its name that says one. false: not yet, call again. */
bool policy_adopt(struct host *h, uint32_t domid, const struct state_entry *s);
/* Looks at all domains and acts upon those that have ended. A negative errno: they cannot be
 * listed; look again. */
int policy_check(struct host *h);
/* Starts the successors of those that are gone by now. */
void policy_go_on(void);
/* This domain is about to be destroyed: drain its console and let go. */
void policy_release(struct host *h, uint32_t domid, const char *how);
/* The domain of this name is not to live again: a life that is being made is undone. */
void policy_give_up(const char *name);
/* Is a next life of this name being made, or undone, by a child of ours? */
bool policy_is_making(const char *name);
/* A new domain has its console and does not run yet. If it is a successor, and not one that
 * somebody else makes of the name meanwhile, it gets what the former life left it. */
void policy_served(struct host *h, struct console *c, pid_t maker);
/* A child process has ended (a restart, a core dump). */
void policy_child(struct host *h, pid_t pid, int status);

#endif
