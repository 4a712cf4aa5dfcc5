/* SPDX-License-Identifier: MIT */
/*
 * What the toolstack remembers of its domains: files under /run/parvis.
 *
 *   names/NAME        symbolic link to "DOMID/UUID"; while it is being made to "making.PID/UUID",
 *                     then "making.PID.DOMID/UUID"; while it is taken away "ending.DOMID/UUID";
 *                     of what was put aside "DOMID/UUID/FORMER NAME" (parvisd/aside.h)
 *                     (a name that is claimed for a domain that lives is "making.PID/UUID/ITS
 *                     NAME" until the domain's own entry takes its place: pvctl rename)
 *   making/NAME       held (an open file description's lock) by the process that makes it
 *   domains/DOMID.xml the configuration it was made from; held (flock) while it is changed (kept.h)
 *   restart/NAME      the same, of a domain that has ended and is to live again (restart.h)
 *   carried/NAME      what it takes with it then (parvisd/carried.h)
 *   ended/NAME        one line: how the last domain of this name ended
 *   console/NAME.log  what it printed (written by parvisd)
 *   kernels/          what was unpacked (kernel_cache.h)
 *   tmp/PID           a file before it is renamed into its place
 *   lock              held (flock) while a name is claimed or given back, a claim becomes the
 *                     entry of a domain that lives, or that says that it is to go
 *   store.lock        held (flock) while a transaction of the store is written
 *   parvisd.sock      the daemon
 *
 * A listing is one hypercall and one directory, never a walk of the store. The truth about
 * which domains live is the hypervisor's alone: an entry whose domain is gone, or whose
 * number now belongs to another uuid, is stale.
 *
 * A maker may be killed at any moment. The uuid stands in its claim before there is a
 * domain, so a half-made domain is known by it; the number stands there before there is a
 * store entry, so these are found too; and the kernel drops the lock of a process that
 * dies, whatever it died of. What a dead maker left is taken away by parvisd (parvisd/reaper.h).
 * So is what is "ending", if who was at it is gone: a domain without entries may still live then.
 *
 * $PARVIS_RUN replaces /run/parvis (tests).
 */
#ifndef PARVIS_TOOLS_STATE_H
#define PARVIS_TOOLS_STATE_H

#include <stdbool.h>
#include <stdint.h>
#include <sys/types.h>

#include "error.h"
#include "host.h"
#include "state_file.h"

/* Makes the directories that are missing. */
int __must_check state_prepare(struct error *e);

/* Reserves name and uuid for a domain that is about to be made; -EEXIST if a live one has them,
 * -EBUSY if one had them whose entries in the store could not be removed yet. A
 * uuid that was just made up nobody has: names are many, and are not looked through for it.
 * The claim ends with the process, or with state_commit() or state_release(). */
int __must_check state_claim(struct host *h, const char *name, const uint8_t uuid[16],
                             bool new_uuid, struct error *e);
/* The same of a name alone, for a domain that lives and is called `former`; kept_rename(). */
int __must_check state_claim_for(struct host *h, const char *name, const char *former,
                                 const uint8_t uuid[16], struct error *e);
/* Keeps others from claiming names, for a moment. Returns a descriptor whose close() ends that;
 * -EBUSY: somebody is at it for longer. */
int __must_check state_lock(unsigned int limit_ms);
/* The domain exists now, and is this one. */
int __must_check state_claim_number(const char *name, uint32_t domid, const uint8_t uuid[16],
                                    struct error *e);
/* Keeps its configuration; what is known of the end of a former domain is forgotten. */
int __must_check state_keep(const char *name, uint32_t domid, const char *xml, struct error *e);
/* The domain is whole: the name is its own, if it has not ended yet, and nobody of this name is to
 * be started any more. */
int __must_check state_commit(const char *name, uint32_t domid, const uint8_t uuid[16],
                              struct error *e);
/* The domain is to go, whether it still lives or not, whoever takes it away. The name of one that
 * is being made says so already, if its maker ends. */
int __must_check state_mark_ending(const char *name, uint32_t domid, const uint8_t uuid[16]);
/* Gives the name back, if it still stands for this domain. domid: also forgets its configuration
 * (UINT32_MAX: there is none). */
void state_release(const char *name, uint32_t domid, const uint8_t uuid[16]);
/* The same, of a domain whose number another has by now: what is kept under it is that one's. */
void state_release_name(const char *name, uint32_t domid, const uint8_t uuid[16]);

struct state_entry {
    char name[65];
    uint32_t domid; /* UINT32_MAX: being made, not known yet */
    uint8_t uuid[16];
    pid_t maker;    /* process that makes it, or has claimed the name for it; 0: it is whole */
    bool abandoned; /* that process is gone */
    bool ending;    /* it is being taken away: state_mark_ending() */
    /* Of a claim: the name that the live domain has that is to get this one; else what it was
     * called before it was put aside; "": neither. */
    char former[65];
};

/* All names, stale ones too; one free(). */
int __must_check state_list(struct state_entry **out, size_t *nr);
/* One name; -ENOENT. */
int __must_check state_get(const char *name, struct state_entry *out);
/* Does the entry stand for this domain? One without a number does for any that has its uuid and has
 * never run: see lifecycle_stands_for(). */
bool state_matches(const struct state_entry *s, const struct host_domain *d);
/* Is this domain there, and not about to go? 1, 0, or a negative errno. A uuid may be had again
 * while its former domain is dying: somebody holds pages of it, that is all. */
int __must_check state_lives(struct host *h, const struct state_entry *s);
/* Removes what processes that are gone left beside names: files not yet renamed, locks. */
void state_sweep(void);

/* The kept configuration, malloc'ed; -ENOENT for a domain that these tools did not make. */
int __must_check state_read_xml(uint32_t domid, char **xml);
/* It has ended for good; -errno: how is not kept, the rest is done. */
int __must_check state_write_ended(const char *name, const char *how);
/* malloc'ed, or NULL. */
char *state_read_ended(const char *name);

#endif
