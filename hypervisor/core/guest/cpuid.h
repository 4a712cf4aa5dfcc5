/* SPDX-License-Identifier: MIT */
/* The leaves of CPUID by which a guest finds out that it runs on Xen: core/guest/cpuid.c. */
#ifndef CORE_GUEST_CPUID_H
#define CORE_GUEST_CPUID_H

#include <hv/types.h>

struct vcpu;

#define MSR_HYPERCALL_PAGE 0x40000000u

void hypervisor_leaf(const struct vcpu *asks, uint32_t leaf, uint32_t sub, uint32_t out[4]);
/* False: it is no leaf of these. */
static inline bool hypervisor_cpuid(const struct vcpu *asks, uint32_t leaf, uint32_t sub,
                                    uint32_t out[4])
{
    if (likely(leaf < 0x40000000 || leaf >= 0x40000100))
        return false;
    hypervisor_leaf(asks, leaf, sub, out);
    return true;
}

#endif
