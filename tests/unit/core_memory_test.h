/* SPDX-License-Identifier: MIT */
/* What the tests of memory_op share: a control domain, a guest that may have 2,000 frames and has
 * none, and reservations. */
#ifndef TESTS_UNIT_CORE_MEMORY_TEST_H
#define TESTS_UNIT_CORE_MEMORY_TEST_H

#include "core_test.h"

#include <core/domain/domain_pages.h>
#include <core/guest/memory_op.h>
#include <core/frame/m2p.h>
#include <xen/memory.h>

static struct domain *dom0, *d;
static struct vcpu *v, *v0;

static inline int setup(void **state)
{
    (void)state;
    host_init(8192);
    dom0 = host_domain(0, true, 1, 0);
    d = host_domain(1, false, 1, 0);
    d->max_pages = 2000;
    v = d->vcpu[0];
    v0 = dom0->vcpu[0];
    return 0;
}

static inline int teardown(void **state)
{
    (void)state;
    host_check_invariants();
    host_destroy(d);
    host_check_invariants();
    return 0;
}

static inline xen_pfn_t *list(void)
{
    return host_guest(LIST);
}

static inline long reserve(struct vcpu *who, unsigned int cmd, domid_t id, uint64_t n,
                           unsigned int order)
{
    struct xen_memory_reservation r = {
        .extent_start = LIST, .nr_extents = n, .extent_order = order, .domid = id};

    return call_with(who, memory_op, cmd, &r);
}

static inline void populate(uint64_t n, unsigned int order)
{
    for (uint64_t i = 0; i < n; i++)
        list()[i] = i << order;
    assert_int_equal(reserve(v, XENMEM_populate_physmap, DOMID_SELF, n, order), n);
}

#endif
