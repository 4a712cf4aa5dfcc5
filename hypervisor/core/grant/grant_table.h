/* SPDX-License-Identifier: MIT */
/*
 * Grant tables, version 1. core/grant/grant_*.c. The lock (RANK_GRANT) guards the active entries of
 * its domain; an operation on a foreign grant takes only the granter's. The maptrack has a lock of
 * its own, taken alone (core/grant/grant_internal.h).
 */
#ifndef HV_GRANT_TABLE_H
#define HV_GRANT_TABLE_H

#include <hv/types.h>
#include <xen/grant_table.h>

struct domain;
struct grant_table;

int __must_check grant_table_init(struct domain *d, unsigned int max_frames,
                                  unsigned int max_maptrack_frames);
/* Unmaps whatever d still has mapped of others; -XEN_ERESTART when pre-empted. */
int __must_check grant_table_release_mappings(struct domain *d);
/* Teardown: the frames that d sees; others may still have them mapped. 0 or -XEN_ERESTART. */
int __must_check grant_table_free_frames(struct domain *d);
/* Teardown, after both: what only d itself needed. 0 or -XEN_ERESTART. */
int __must_check grant_table_release_tables(struct domain *d);
void grant_table_destroy(struct domain *d);
/* For acquire_resource and boot-time domains: the idx-th frame of d's (shared) grant table; grows
 * it. */
int __must_check grant_table_frame(struct domain *d, unsigned int idx, mfn_t *mfn);
unsigned int grant_table_max_frames(const struct domain *d);
void grant_table_set_entry(struct domain *d, grant_ref_t ref, domid_t to, uint64_t gfn);
/* Logs the grants in use. 0 or -XEN_ERESTART: it goes on where it stopped. */
int __must_check grant_table_dump(struct domain *d);

#endif
