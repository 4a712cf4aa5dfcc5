/* SPDX-License-Identifier: MIT */
/*
 * The control interface, between its files (core/control/domctl*.c, core/control/sysctl*.c).
 *
 * Each operation is a function that gets the domain (with a reference; NULL for createdomain) and
 * the hypervisor's copy of the request, checks it, does it, and leaves results in the copy; the
 * dispatcher writes the copy back where the table says so. What comes back of it is what the caller
 * gave, so padding tells nothing (XSA-132).
 */
#ifndef HV_DOMCTL_H
#define HV_DOMCTL_H

#include <core/state/domain.h>
#include <xen/domctl.h>

typedef int domctl_fn_t(struct domain *d, struct xen_domctl *op);

/* domctl_lifecycle.c */
domctl_fn_t domctl_createdomain, domctl_destroydomain, domctl_pausedomain, domctl_unpausedomain,
    domctl_resumedomain, domctl_getdomaininfo, domctl_max_mem, domctl_max_vcpus,
    domctl_setdomainhandle, domctl_settimeoffset, domctl_sendtrigger;
/* domctl_vcpu.c */
domctl_fn_t domctl_setvcpucontext, domctl_getvcpucontext, domctl_getvcpuinfo,
    domctl_setvcpuaffinity, domctl_getvcpuaffinity, domctl_setnodeaffinity, domctl_getnodeaffinity,
    domctl_scheduler_op, domctl_counters;
/* domctl_memory.c */
domctl_fn_t domctl_getpageframeinfo3, domctl_hypercall_init, domctl_set_address_size,
    domctl_get_address_size, domctl_shadow_op, domctl_settscinfo, domctl_gettscinfo;
/* cpu_policy_op.c */
domctl_fn_t domctl_get_cpu_policy, domctl_set_cpu_policy;

void domain_info(struct domain *d, struct xen_domctl_getdomaininfo *info);
static inline uint64_t low_bits(unsigned int n)
{
    return n < 64 ? (1ull << n) - 1 : ~0ull;
}
/* Copies the bits of *value to a tool's bitmap, which may be of any length. 0 or -XEN_EFAULT. */
int __must_check bitmap_to_guest(const struct xenctl_bitmap *to, uint64_t value);
int __must_check bitmap_from_guest(uint64_t *value, const struct xenctl_bitmap *from);

#endif
