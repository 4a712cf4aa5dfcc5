/* SPDX-License-Identifier: MIT */
/*
 * The kind of a guest: all that core asks of it. pv/ has the one kind there is; a second comes beside it and core stays as it is.
 */
#ifndef HV_GUEST_OPS_H
#define HV_GUEST_OPS_H

#include <hv/types.h>

struct domain;
struct vcpu;
struct vcpu_guest_context;
struct page_info;

struct guest_ops {
    int (*domain_init)(struct domain *d);
    void (*domain_free)(struct domain *d);             /* the last step: its frames are gone already             */
    int (*vcpu_init)(struct vcpu *v);
    void (*vcpu_free)(struct vcpu *v);
    /* setvcpucontext / VCPUOP_initialise: checks and takes the whole context, or changes nothing. */
    int (*set_context)(struct vcpu *v, const struct vcpu_guest_context *ctxt);
    void (*get_context)(struct vcpu *v, struct vcpu_guest_context *ctxt);
    /* Teardown, step 1: gives back what the vCPUs hold (page tables, descriptor tables). -XEN_ERESTART: again. */
    int (*relinquish_vcpus)(struct domain *d);
    /* Teardown, step 2: undoes pins and types of d's frames and drops their allocation references. -XEN_ERESTART: again. */
    int (*relinquish_memory)(struct domain *d);
    /* GNTTABOP_map/unmap_grant_ref into the current domain's page tables (host_addr is a virtual address, or with GNTMAP_contains_pte the
     * machine address of the entry). References of the frame are the caller's. 0 or GNTST_*. new_addr: GNTTABOP_unmap_and_replace. */
    int (*grant_map)(uint64_t host_addr, mfn_t frame, unsigned int flags);
    int (*grant_unmap)(uint64_t host_addr, mfn_t frame, unsigned int flags, uint64_t new_addr);
};

extern const struct guest_ops pv_guest_ops;

#endif
