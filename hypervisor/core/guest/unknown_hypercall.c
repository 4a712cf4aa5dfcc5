/* SPDX-License-Identifier: MIT */
/*
 * A number that names no hypercall of the caller's kind. Where it is one of Xen's, a kernel asks
 * whether it is there and goes without: that is nothing to tell the host's operator. Another number
 * is a guest's mistake, and said once: it tries it again and again.
 */
#include <core/guest/hypercall_table.h>
#include <parvis/counters.h>
#include <port/atomic.h>
#include <xen/arch-x86/xen-mca.h>

#define KNOWN(name) | 1ull << __HYPERVISOR_##name
static const uint64_t xens = 0 COUNTERS_OF_HYPERCALLS(KNOWN);
_Static_assert(NR_HYPERCALLS <= 64, "a bit for each");

long unknown_hypercall(uint64_t a, uint64_t b, uint64_t c, uint64_t d, uint64_t e, uint64_t f)
{
    struct vcpu *v = current;
    uint64_t bit = 1ull << hypercall_index(v);

    (void)a, (void)b, (void)c, (void)d, (void)e, (void)f;
    if (likely((xens | READ_ONCE(v->domain->unknown_hypercalls)) & bit))
        return -XEN_ENOSYS;
    atomic_or(&v->domain->unknown_hypercalls, bit);
    return refused(-XEN_ENOSYS, "there is no hypercall %u", v->hc_nr);
}
