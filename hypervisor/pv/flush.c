/* SPDX-License-Identifier: MIT */
/*
 * TLB flushes that a guest asks for: of one address or of all, here or on the CPUs of a set of its
 * vCPUs.
 *
 * They are the guest's own affair: what the hypervisor's safety needs is flushed when a frame
 * changes its type or owner (page_type.c, core/frame/heap.c), whatever the guest asked for or
 * forgot. So flushing more CPUs than asked is right, if slow: a set with vCPUs other than the
 * caller is flushed wherever the domain runs or ran.
 */
#include <core/base/hypercall.h>
#include <port/guest_access.h>
#include <pv/pv_mm.h>

_Static_assert(MAX_VCPUS <= 64, "the set of vCPUs is one word");

int pv_flush_vcpus(struct vcpu *v, gva_t mask, bool one, gva_t va)
{
    uint64_t set = 0;

    if (copy_from_guest(&set, mask, sizeof(set)))
        return -XEN_EFAULT;
    if (v->domain->max_vcpus < 64)
        set &= (1ull << v->domain->max_vcpus) - 1;
    if (set)
        pv_flush(v, set != 1ull << v->vcpu_id, one, va);
    return 0;
}
