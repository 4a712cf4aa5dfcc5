/* SPDX-License-Identifier: MIT */
/*
 * What is put aside of a domain that has ended, so that somebody can look at it later: its core, or
 * the domain itself by another name. Both are called NAME-TIME, as xl has it.
 */
#ifndef PARVIS_ASIDE_H
#define PARVIS_ASIDE_H

#include <stddef.h>

#include "console.h"
#include "error.h"
#include "host.h"
#include "state.h"

/* Where its core is to be written: /var/lib/parvis/dump/NAME-TIME.core, TIME the first second from
 * now on of which there is none, nor one that FAT would take for it. $PARVIS_DUMPS replaces the
 * folder. Fails where that cannot be made, or the path is longer than out. What dumpers left that
 * were killed goes. */
int __must_check aside_path(const char *name, char *out, size_t size, struct error *e);
/* This core is there, whole and on the disk: of the name that it is called by, which the domain
 * need not have any more, the oldest go, all but ASIDE_CORES. A guest that crashes again and again,
 * which it may do as it likes, fills no disk. None goes before: where there is no room for one
 * more, those that are there stay, and the new one is not written. core: by aside_path(). */
#define ASIDE_CORES 2u
void aside_drop_cores(const char *core);
/* How many there are of that name. */
unsigned int aside_cores(const char *core);
/* What dumpers left that were killed. */
void aside_sweep(void);

/* The domain, its entries in the store and its console get another name, and the domain another
 * uuid, which is d's then: its own are free for the next life, whose configuration is in
 * restart/NAME before all else: who is killed meanwhile leaves it to the next daemon. That it stays
 * as it is its entry says, and what is kept of it. */
int __must_check aside_domain(struct host *h, struct host_domain *d, struct console *c,
                              char other[65], struct error *e);

/* A daemon that was killed may have put it aside by its entry, and no more: what is kept of it and
 * the store say so, too. */
void aside_settle(struct host *h, const struct host_domain *d, const char *name);

/* Of the domains of this name that are preserved so, those that are to go: all but the newest
 * ASIDE_DOMAINS, as each keeps its memory. Their entries say that they were put aside: another that
 * is only called so is a person's, and stays. One free(); *n = 0 where they cannot be listed. */
#define ASIDE_DOMAINS CONSOLES_ASIDE
struct state_entry *aside_surplus(struct host *h, const char *name, size_t *n);

#endif
