/* SPDX-License-Identifier: MIT */
/*
 * Grant operations as a guest of pv_mm_support.h makes them: the argument goes to guest memory and
 * comes back, and the oracle looks at the tables after each.
 */
#ifndef UNIT_GRANT_CALL_H
#define UNIT_GRANT_CALL_H

#include "grant_oracle.h"
#include "pv_mm_support.h"

#include <string.h>

#define ARG HOST_GUEST_BASE

static inline int grants_teardown(void **state)
{
    (void)state;
    grant_oracle_check();
    mm_fini();
    return 0;
}

/* n arguments of that size. Returns what the hypercall does. */
static inline long op(struct mm_guest *g, unsigned int cmd, void *arg, size_t size, unsigned int n)
{
    long rc;

    memcpy(host_guest(ARG), arg, size * n);
    rc = mm_call(g, __HYPERVISOR_grant_table_op, cmd, ARG, n, 0);
    memcpy(arg, host_guest(ARG), size * n);
    grant_oracle_check();
    return rc;
}
#define OP(g, cmd, s) op(g, GNTTABOP_##cmd, &(s), sizeof(s), 1)

static inline struct grant_entry_v1 *entry(struct mm_guest *g, grant_ref_t ref)
{
    return grant_shared(g->d->grant, ref);
}

/* g grants its frame to domain `to`, as ref. */
static inline void give(struct mm_guest *g, grant_ref_t ref, domid_t to, unsigned int frame,
                        uint16_t flags)
{
    *entry(g, ref) = (struct grant_entry_v1){
        .flags = GTF_permit_access | flags, .domid = to, .frame = (uint32_t)g->frame[frame].n};
}

#endif
