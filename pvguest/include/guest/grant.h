/* SPDX-License-Identifier: MIT */
/*
 * Grant tables: lending pages to another domain.
 *
 * The grant table is an array of 8-byte entries shared with the hypervisor. The lender fills an
 * entry (frame, domain, and last of all the flags); its index is the grant reference, which it
 * tells the borrower. The borrower maps the page or has the hypervisor copy to or from it.
 * The entry's flags show whether the page is in use; only an entry that is not may be revoked,
 * with one atomic exchange, because the hypervisor sets the in-use bits at the same time.
 *
 * Version 1 only, which every hypervisor of this family offers.
 */
#ifndef GUEST_GRANT_H
#define GUEST_GRANT_H

#include <stdbool.h>
#include <stdint.h>

#include <xen/grant_table.h>

#define GRANT_FRAMES 4u /* pages of table: 2,048 references */

int grant_init(void);

/* Lends the frame to dom. Returns the reference or -XEN_ENOSPC. */
int grant_access(domid_t dom, unsigned long mfn, bool readonly);
/* Revokes. False while the borrower still has it mapped. */
bool grant_end(grant_ref_t ref);
bool grant_in_use(grant_ref_t ref);

/* The entry itself, for programs that study the protocol. */
grant_entry_v1_t *grant_entry(grant_ref_t ref);

/* Maps somebody's grant at a fresh address. *va and *handle are set on success; 0 or -1. */
int grant_map(domid_t dom, grant_ref_t ref, bool readonly, void **va, grant_handle_t *handle);
int grant_unmap(void *va, grant_handle_t handle);

#endif
