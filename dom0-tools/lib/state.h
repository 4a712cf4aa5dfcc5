/* SPDX-License-Identifier: MIT */
/*
 * What the toolstack remembers of its domains: files under /run/parvis.
 *
 *   names/NAME        symbolic link to "DOMID/UUID", or "starting.PID/UUID" while it is made
 *   domains/DOMID.xml the configuration it was made from
 *   ended/NAME        one line: how the last domain of this name ended
 *   console/NAME.log  what it printed (written by parvisd)
 *   lock              held (flock) while a name is claimed
 *   parvisd.sock      the daemon
 *
 * A listing is one hypercall and one directory, never a walk of the store. The truth about
 * which domains live is the hypervisor's alone: an entry whose domain is gone, or whose
 * number now belongs to another uuid, is stale and counts as absent. So a crash of any tool
 * leaves nothing that a later one would trip over.
 *
 * $PARVIS_RUN replaces /run/parvis (tests).
 */
#ifndef PARVIS_TOOLS_STATE_H
#define PARVIS_TOOLS_STATE_H

#include <stdbool.h>
#include <stdint.h>

#include "error.h"
#include "host.h"

/* A path under the state directory, printf-style, in a static buffer of this thread. */
const char *state_path(const char *fmt, ...) __attribute__((format(printf, 1, 2)));
/* Makes the directories that are missing. */
int state_prepare(struct error *e);

/* Reserves a name for a domain that is about to be made; -EEXIST if a live one has it. */
int state_claim(struct host *h, const char *name, const uint8_t uuid[16], struct error *e);
/* The domain exists now: binds the name to it and keeps its configuration. */
int state_commit(const char *name, uint32_t domid, const uint8_t uuid[16], const char *xml,
                 struct error *e);
/* Gives the name back. domid: also forgets its configuration (UINT32_MAX: there is none). */
void state_release(const char *name, uint32_t domid);

struct state_entry {
    char name[65];
    uint32_t domid; /* UINT32_MAX: being made */
    uint8_t uuid[16];
};

/* All names, stale ones too; one free(). */
int state_list(struct state_entry **out, size_t *nr);
/* One name; -ENOENT. */
int state_get(const char *name, struct state_entry *out);
/* Does the entry stand for this domain? */
bool state_matches(const struct state_entry *s, const struct host_domain *d);

/* The kept configuration, malloc'ed; -ENOENT for a domain that these tools did not make. */
int state_read_xml(uint32_t domid, char **xml);

void state_write_ended(const char *name, const char *how);
/* malloc'ed, or NULL. */
char *state_read_ended(const char *name);

#endif
