/* SPDX-License-Identifier: MIT */
/*
 * TLB flushes that a guest asks for: of one address or of all, here or on the CPUs of a set of its
 * vCPUs.
 *
 * They are the guest's own affair: what the hypervisor's safety needs is flushed when a frame
 * changes its type or owner (page_type.c, core/frame/heap.c), whatever the guest asked for or
 * forgot. So flushing more than asked is right, if slow.
 *
 * A vCPU knows translations on the CPU that it runs on, alone: each that it comes to is flushed.
 * Race: cpu_stack, where it runs or ran last, is written before CR3 is loaded, a full barrier. Who
 * sees the old one here needs nothing of the new one, which reads the tables after it.
 */
#include <core/base/hypercall.h>
#include <port/guest_access.h>
#include <pv/pv_mm.h>

_Static_assert(MAX_VCPUS <= 64, "the set of vCPUs is one word");

void pv_flush_cpus(struct vcpu *v, uint64_t cpus, bool one, gva_t va)
{
    count_event(v, one ? COUNTER_flushes_of_one : COUNTER_flushes);
    if (!one)
        flush_tlb_domain(v->domain, cpus);
    else if (pv_addr_ok(va)) /* XSA-279 */
        flush_tlb_one_domain(v->domain, cpus, va);
}

int pv_flush_vcpus(struct vcpu *v, gva_t mask, bool one, gva_t va)
{
    uint64_t set = 0, cpus = 0;
    struct vcpu *other;

    if (copy_from_guest(&set, mask, sizeof(set)))
        return -XEN_EFAULT;
    smp_mb(); /* the guest's change of its tables is before the look at who runs where */
    for_each_vcpu (v->domain, other) {
        const struct cpu *c = READ_ONCE(other->cpu_stack); /* NULL: never ran */

        if (c && (set >> other->vcpu_id & 1))
            cpus |= 1ull << c->id;
    }
    pv_flush_cpus(v, cpus, one, va);
    return 0;
}
