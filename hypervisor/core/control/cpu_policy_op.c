/* SPDX-License-Identifier: MIT */
/*
 * CPU policies as tools ask for them and give them: of the machine and of paravirtual guests
 * (sysctl), and of a domain (domctl), which is given one before it runs or never.
 *
 * A policy of tools is leaves of CPUID and MSRs. Domains here have neither of these MSRs: they are
 * told as 0, and what is given must be 0.
 */
#include <core/base/log.h>
#include <core/control/domctl.h>
#include <core/control/sysctl.h>
#include <core/domain/cpu_policy.h>
#include <core/domain/guest_memory.h>
#include <core/life/domain_system.h>
#include <core/state/guest_ops.h>
#include <port/machine.h>
#include <xen/errno.h>

/* ABI: those that a tool's list has: PLATFORM_INFO, ARCH_CAPABILITIES. */
static const struct xen_msr_entry msrs_of_all[] = {{.idx = 0xce}, {.idx = 0x10a}};
#define MOST_MSRS ((unsigned int)ARRAY_SIZE(msrs_of_all))

static cpuid_fn_t *of_paravirtual(void)
{
    for (unsigned int i = 0; i < MOST_KINDS && guest_kinds[i]; i++)
        if (guest_kinds[i]->cpuid)
            return guest_kinds[i]->cpuid;
    return NULL;
}

static struct cpu_policy *policy_of(cpuid_fn_t *ask)
{
    struct cpu_policy *p = hv_alloc(sizeof(*p));

    if (p)
        cpu_policy_fill(p, ask);
    return p;
}

/* The one with this number, of n; those that are NULL are not offered. */
static int read_policy(cpuid_fn_t *const of[], unsigned int n, uint32_t number,
                       struct cpu_policy **p)
{
    if (number >= n)
        return -XEN_EINVAL;
    if (!of[number])
        return -XEN_EOPNOTSUPP;
    *p = policy_of(of[number]);
    return *p ? 0 : -XEN_ENOMEM;
}

static int to_guest(const struct cpu_policy *p, uint32_t *nr_leaves, gva_t leaves,
                    uint32_t *nr_msrs, gva_t msrs)
{
    if (!leaves) { /* ABI: asks for the greatest number alone */
        *nr_leaves = CPU_POLICY_MOST;
    } else if (*nr_leaves < p->nr) {
        return -XEN_ENOBUFS;
    } else {
        *nr_leaves = p->nr;
        if (copy_to_guest(leaves, p->leaf, p->nr * sizeof(p->leaf[0])))
            return -XEN_EFAULT;
    }
    if (msrs && *nr_msrs < MOST_MSRS)
        return -XEN_ENOBUFS;
    *nr_msrs = MOST_MSRS;
    return msrs && copy_to_guest(msrs, msrs_of_all, sizeof(msrs_of_all)) ? -XEN_EFAULT : 0;
}

int sysctl_get_cpu_policy(struct xen_sysctl *op)
{
    struct xen_sysctl_cpu_policy *a = &op->u.cpu_policy;
    cpuid_fn_t *const of[] = {
        [XEN_SYSCTL_cpu_policy_raw] = machine_cpuid,
        [XEN_SYSCTL_cpu_policy_host] = machine_cpuid,
        [XEN_SYSCTL_cpu_policy_pv_max] = of_paravirtual(),
        [XEN_SYSCTL_cpu_policy_pv_default] = of_paravirtual(),
        [XEN_SYSCTL_cpu_policy_hvm_default] = NULL,
    };
    struct cpu_policy *p;
    int rc;

    if (a->_rsvd)
        return -XEN_EINVAL;
    rc = read_policy(of, ARRAY_SIZE(of), a->index, &p);
    if (rc)
        return rc;
    rc = to_guest(p, &a->nr_leaves, a->leaves, &a->nr_msrs, a->msrs);
    hv_free(p);
    return rc;
}

static int words_to_guest(const struct cpu_policy *p, struct xen_sysctl_cpu_featureset *a)
{
    uint32_t word[CPU_POLICY_WORDS];

    for (unsigned int i = 0; i < CPU_POLICY_WORDS; i++)
        word[i] = cpu_policy_word(p, i);
    /* ABI: so many as there is room for, and then that there are more. */
    if (copy_to_guest(a->features, word,
                      MIN(a->nr_features, (uint32_t)CPU_POLICY_WORDS) * sizeof(word[0])))
        return -XEN_EFAULT;
    if (a->nr_features < CPU_POLICY_WORDS)
        return -XEN_ENOBUFS;
    a->nr_features = CPU_POLICY_WORDS;
    return 0;
}

int sysctl_get_cpu_featureset(struct xen_sysctl *op)
{
    struct xen_sysctl_cpu_featureset *a = &op->u.cpu_featureset;
    cpuid_fn_t *const of[] = {
        [XEN_SYSCTL_cpu_featureset_raw] = machine_cpuid,
        [XEN_SYSCTL_cpu_featureset_host] = machine_cpuid,
        [XEN_SYSCTL_cpu_featureset_pv] = of_paravirtual(),
        [XEN_SYSCTL_cpu_featureset_pv_max] = of_paravirtual(),
        [XEN_SYSCTL_cpu_featureset_hvm_max] = NULL,
    };
    struct cpu_policy *p;
    int rc;

    if (!a->features) {
        a->nr_features = CPU_POLICY_WORDS;
        return 0;
    }
    rc = read_policy(of, ARRAY_SIZE(of), a->index, &p);
    if (rc)
        return rc;
    rc = words_to_guest(p, a);
    hv_free(p);
    return rc;
}

int domctl_get_cpu_policy(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_cpu_policy *a = &op->u.cpu_policy;
    struct cpu_policy *p;
    int rc;

    if (!d->ops->cpuid)
        return -XEN_EOPNOTSUPP;
    p = d->cpu_policy ? d->cpu_policy : policy_of(d->ops->cpuid);
    if (!p)
        return -XEN_ENOMEM;
    rc = to_guest(p, &a->nr_leaves, a->leaves, &a->nr_msrs, a->msrs);
    if (p != d->cpu_policy)
        hv_free(p);
    return rc;
}

static int take_leaves(struct cpu_policy *p, const struct cpu_policy *base,
                       struct xen_domctl_cpu_policy *a)
{
    struct cpu_leaf l;
    int rc = 0;

    for (uint32_t i = 0; i < a->nr_leaves && !rc; i++) {
        if (copy_from_guest(&l, a->leaves + i * sizeof(l), sizeof(l)))
            return -XEN_EFAULT;
        rc = cpu_policy_set(p, base, &l);
        if (rc) {
            a->err_leaf = l.leaf;
            a->err_subleaf = l.sub;
        }
    }
    return rc;
}

static int check_msr(const struct xen_msr_entry *m)
{
    if (m->idx != msrs_of_all[0].idx && m->idx != msrs_of_all[1].idx)
        return refused(-XEN_ERANGE, "MSR %#x has no place in a list", m->idx);
    if (m->flags || m->val)
        return refused(-XEN_EINVAL, "MSR %#x is %#lx, with flags %#x; it is 0 here", m->idx,
                       (unsigned long)m->val, m->flags);
    return 0;
}

static int check_msrs(struct xen_domctl_cpu_policy *a)
{
    struct xen_msr_entry m;
    int rc = 0;

    for (uint32_t i = 0; i < a->nr_msrs && !rc; i++) {
        if (copy_from_guest(&m, a->msrs + i * sizeof(m), sizeof(m)))
            return -XEN_EFAULT;
        rc = check_msr(&m);
        if (rc)
            a->err_msr = m.idx;
    }
    return rc;
}

/* Race: nothing reads d's policy before d runs, and that it does is another operation on d. */
int domctl_set_cpu_policy(struct domain *d, struct xen_domctl *op)
{
    struct xen_domctl_cpu_policy *a = &op->u.cpu_policy;
    struct cpu_policy *base, *p;
    int rc = -XEN_ENOMEM;

    a->err_leaf = a->err_subleaf = a->err_msr = ~0u;
    if (!d->ops->cpuid)
        return -XEN_EOPNOTSUPP;
    if (d->started)
        return refused(-XEN_EEXIST, "d%u runs already", d->domain_id);
    if (a->nr_leaves > CPU_POLICY_MOST || a->nr_msrs > MOST_MSRS)
        return refused(-XEN_E2BIG, "%u leaves and %u MSRs; %u and %u at most", a->nr_leaves,
                       a->nr_msrs, CPU_POLICY_MOST, MOST_MSRS);
    base = policy_of(d->ops->cpuid);
    p = policy_of(d->ops->cpuid);
    if (base && p) {
        if (d->cpu_policy)
            *p = *d->cpu_policy;
        rc = take_leaves(p, base, a);
        if (!rc)
            rc = check_msrs(a);
    }
    if (!rc) {
        hv_free(d->cpu_policy);
        d->cpu_policy = p;
    } else {
        hv_free(p);
    }
    hv_free(base);
    return rc;
}
