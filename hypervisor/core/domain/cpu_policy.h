/* SPDX-License-Identifier: MIT */
/*
 * What CPUID answers, as a list: of the machine, of a kind of guests, or of one domain.
 * core/domain/cpu_policy.c
 */
#ifndef HV_CPU_POLICY_H
#define HV_CPU_POLICY_H

#include <hv/types.h>
#include <xen/arch-x86/xen.h>

#define CPU_POLICY_MOST  120 /* leaves in a list. ABI: tools make room for so many */
#define CPU_POLICY_WORDS 19  /* of a featureset */

struct cpu_leaf { /* struct xen_cpuid_leaf */
    uint32_t leaf, sub;
    uint32_t reg[4];
};

struct cpu_policy {
    unsigned int nr;
    struct cpu_leaf leaf[CPU_POLICY_MOST]; /* in order */
};

typedef void cpuid_fn_t(uint32_t leaf, uint32_t sub, uint32_t out[4]);

/* The whole list of what `ask` answers. */
void cpu_policy_fill(struct cpu_policy *p, cpuid_fn_t *ask);
/* What it says of this leaf; sub: what a guest has in ECX, or XEN_CPUID_NO_SUBLEAF. NULL: zeros */
const struct cpu_leaf *cpu_policy_find(const struct cpu_policy *p, uint32_t leaf, uint32_t sub);
/* Whether a list can have such an entry. */
bool cpu_policy_has_place(uint32_t leaf, uint32_t sub);
/* Word n of its featureset (xen/arch-x86/cpufeatureset.h). */
uint32_t cpu_policy_word(const struct cpu_policy *p, unsigned int n);
/* Takes an entry into p, where base is what there is at most: -XEN_ERANGE no list has such a leaf,
 * -XEN_EINVAL it has what base has not. */
int __must_check cpu_policy_set(struct cpu_policy *p, const struct cpu_policy *base,
                                const struct cpu_leaf *new);

#endif
