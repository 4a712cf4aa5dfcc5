/* SPDX-License-Identifier: MIT */
/*
 * The machine of the tests of CPU policies: one whose leaves tell where they come from, so that an
 * entry in another's place shows; a kind of guests that is shown less, one that has no policies
 * and stands in front of it, and a new domain of the first, d.
 */
#ifndef TESTS_CORE_CPU_POLICY_H
#define TESTS_CORE_CPU_POLICY_H

#include "core_support.h"

#include <core/domain/cpu_policy.h>
#include <core/domain/domain_table.h>
#include <core/life/domain_system.h>
#include <core/state/guest_ops.h>
#include <string.h>
#include <xen/arch-x86/cpufeatureset.h>

#define LEAVES (CORE_DATA)
#define MSRS   (CORE_DATA + 0x2000)
#define NONE   XEN_CPUID_NO_SUBLEAF

static uint32_t last_basic, last_extended;
static struct guest_ops kind, other_kind;
static struct domain *d;

static bool has_subs(uint32_t leaf)
{
    return leaf == 4 || leaf == 7 || leaf == 0xb || leaf == 0xd;
}

/* Features are ...f, and the machine has one more in each word than guests are shown. */
static void machine(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    for (uint32_t i = 0; i < 4; i++)
        out[i] = leaf << 24 | (leaf & 0x80000000) >> 8 | sub << 16 | i << 8 | 0x1f;
    if (leaf == 0)
        out[0] = last_basic;
    if (leaf == 0x80000000)
        out[0] = last_extended;
    if ((leaf == 0xd && sub > 2) || leaf == 9)
        memset(out, 0, 4 * sizeof(*out));
}

static void shown(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    machine(leaf, sub, out);
    if (leaf && leaf != 0x80000000)
        for (uint32_t i = 0; i < 4; i++)
            out[i] &= ~0x10u;
    if (leaf == 7 && sub == 0)
        out[0] = 2;
    if (leaf == 0xa)
        memset(out, 0, 4 * sizeof(*out));
}

static int setup(void **state)
{
    core_setup(state);
    host_cpuid = machine;
    last_basic = 0x16;
    last_extended = 0x80000008;
    kind = host_guest_ops;
    kind.cpuid = shown;
    other_kind = host_guest_ops;
    other_kind.create_flags = XEN_DOMCTL_CDF_hvm;
    guest_kinds[0] = &other_kind;
    guest_kinds[1] = &kind;
    d = core_make_guest(1, 0);
    assert_ptr_equal(d->ops, &kind);
    return 0;
}

static int teardown(void **state)
{
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
    guest_kinds[0] = &host_guest_ops;
    guest_kinds[1] = NULL;
    return core_teardown(state);
}

static struct xen_cpuid_leaf *leaves(void)
{
    return host_guest(LEAVES);
}

#define POLICY_TEST(t) cmocka_unit_test_setup_teardown(t, setup, teardown)

#endif
