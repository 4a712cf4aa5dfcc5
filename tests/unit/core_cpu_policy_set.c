/* SPDX-License-Identifier: MIT */
/*
 * CPU policies that a domain is given: never more than there is, all of a list or nothing, and
 * before its first instruction or never.
 */
#include "core_cpu_policy.h"

/* Gives d what is in the tool's list. */
static struct xen_domctl_cpu_policy given;
static long give(uint32_t nr_leaves, uint32_t nr_msrs)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_set_cpu_policy,
                            .domain = d->domain_id,
                            .u.cpu_policy = {.nr_leaves = nr_leaves,
                                             .nr_msrs = nr_msrs,
                                             .leaves = LEAVES,
                                             .msrs = MSRS,
                                             .err_leaf = 1,
                                             .err_subleaf = 2,
                                             .err_msr = 3}};
    long rc = core_domctl(&op);

    given = op.u.cpu_policy;
    return rc;
}

static long give_one(uint32_t leaf, uint32_t sub, uint32_t a, uint32_t b, uint32_t c, uint32_t e)
{
    leaves()[0] = (struct xen_cpuid_leaf){leaf, sub, a, b, c, e};
    return give(1, 0);
}

/* What d has of a leaf. */
static struct xen_cpuid_leaf has(uint32_t leaf, uint32_t sub)
{
    struct xen_domctl op = {
        .cmd = XEN_DOMCTL_get_cpu_policy,
        .domain = d->domain_id,
        .u.cpu_policy = {.nr_leaves = 120, .nr_msrs = 2, .leaves = LEAVES, .msrs = MSRS}};

    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(op.u.cpu_policy.nr_msrs, 2);
    for (uint32_t i = 0; i < op.u.cpu_policy.nr_leaves; i++)
        if (leaves()[i].leaf == leaf && leaves()[i].subleaf == sub)
            return leaves()[i];
    return (struct xen_cpuid_leaf){0};
}

static void features_are_taken_away(void **state)
{
    struct xen_cpuid_leaf one;

    (void)state;
    one = has(1, NONE);
    assert_int_equal(one.d & 0xff, 0xf);
    assert_null(d->cpu_policy);
    assert_int_equal(give_one(1, NONE, 0x12345, 0x54321, one.c & ~1u, one.d & ~2u), 0);
    assert_true(given.err_leaf == ~0u && given.err_subleaf == ~0u && given.err_msr == ~0u);
    assert_int_equal(has(1, NONE).d, one.d & ~2u);
    assert_int_equal(has(1, NONE).c, one.c & ~1u);
    assert_int_equal(has(1, NONE).a, 0x12345); /* which CPU it is, a tool may say as it likes */
    assert_int_equal(has(1, NONE).b, 0x54321);
    /* The other leaves are as they were, and a second list adds to the first. */
    assert_int_equal(has(7, 0).b & 0xff, 0xf);
    assert_int_equal(give_one(7, 0, 1, 0, 0, 0), 0);
    assert_int_equal(has(7, 0).a, 1);
    assert_int_equal(has(7, 0).b, 0);
    assert_int_equal(has(7, 1).a & 0xff, 0xf); /* another sub-leaf */
    assert_int_equal(has(1, NONE).d, one.d & ~2u);
    /* What was taken away may be given again: it is there. */
    assert_int_equal(give_one(1, NONE, one.a, one.b, one.c, one.d), 0);
    assert_int_equal(has(1, NONE).d, one.d);
    assert_int_equal(give(0, 0), 0);
}

static void no_more_than_there_is(void **state)
{
    struct xen_cpuid_leaf one = has(1, NONE), ext = has(0x80000001, NONE);
    const uint32_t htt = 1u << 28, legacy = 2;

    (void)state;
    for (unsigned int bit = 0; bit < 32; bit++) {
        uint32_t more = one.d | 1u << bit;
        bool fine = more == one.d || 1u << bit == htt;

        assert_int_equal(give_one(1, NONE, 0, 0, one.c, more), fine ? 0 : -XEN_EINVAL);
        assert_int_equal(given.err_leaf, fine ? ~0u : 1);
        assert_int_equal(given.err_subleaf, ~0u);
        assert_int_equal(has(1, NONE).d, one.d);
    }
    assert_int_equal(give_one(1, NONE, 0, 0, one.c | 0x10, one.d), -XEN_EINVAL);
    /* Threads and cores: a tool tells as the machine has them, the kind what it wants. */
    assert_int_equal(give_one(0x80000001, NONE, 0, 0, ext.c & ~legacy, ext.d), 0);
    assert_int_equal(give_one(0x80000001, NONE, 0, 0, ext.c | 0x10, ext.d), -XEN_EINVAL);
    assert_int_equal(give_one(7, 1, 0x1f, 0, 0, 0), -XEN_EINVAL);
    assert_int_equal(given.err_leaf, 7);
    assert_int_equal(given.err_subleaf, 1);
    /* The last leaf. */
    assert_int_equal(give_one(0, NONE, 0x16, 0, 0, 0), 0);
    assert_int_equal(give_one(0, NONE, 0x17, 0, 0, 0), -XEN_EINVAL);
    assert_int_equal(give_one(0, NONE, 1, 'x', 'y', 'z'), 0);
    assert_int_equal(give_one(0x80000000, NONE, 0x80000009, 0, 0, 0), -XEN_EINVAL);
    assert_int_equal(give_one(7, 0, 3, 0, 0, 0), -XEN_EINVAL);
    assert_int_equal(has(0, NONE).b, 'x');
    /* What is empty stays so. */
    assert_int_equal(give_one(0xa, NONE, 0, 0, 0, 0), 0);
    assert_int_equal(give_one(0xa, NONE, 0, 0, 0, 1), -XEN_EINVAL);
    assert_int_equal(give_one(0xd, 40, 0, 0, 0, 0), 0);
    assert_int_equal(give_one(0xd, 40, 1, 0, 0, 0), -XEN_EINVAL);
    assert_int_equal(give_one(0x80000009, NONE, 0, 1, 0, 0), -XEN_EINVAL);
    /* Xen's own are the hypervisor's. */
    assert_int_equal(give_one(0x40000000, NONE, 0x40000005, 1, 2, 3), 0);
    assert_int_equal(has(0x40000000, NONE).a, 0);
}

static void what_has_no_place(void **state)
{
    static const struct {
        uint32_t leaf, sub;
    } bad[] = {{0xe, NONE},
               {0x3fffffff, NONE},
               {0x40000001, NONE},
               {0x7fffffff, NONE},
               {0x80000022, NONE},
               {~0u, NONE},
               {1, 0},
               {0x80000001, 0},
               {4, NONE},
               {4, 6},
               {7, 3},
               {0xb, NONE},
               {0xb, 2},
               {0xd, 63},
               {0xd, NONE},
               {0x40000000, 0}};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(bad); i++) {
        assert_int_equal(give_one(bad[i].leaf, bad[i].sub, 0, 0, 0, 0), -XEN_ERANGE);
        assert_int_equal(given.err_leaf, bad[i].leaf);
        assert_int_equal(given.err_subleaf, bad[i].sub);
        assert_int_equal(given.err_msr, ~0u);
    }
    assert_null(d->cpu_policy);
}

static void registers(void **state)
{
    struct xen_msr_entry *m = host_guest(MSRS);

    (void)state;
    m[0] = (struct xen_msr_entry){.idx = 0xce};
    m[1] = (struct xen_msr_entry){.idx = 0x10a};
    assert_int_equal(give(0, 2), 0);
    m[1].val = 1;
    assert_int_equal(give(0, 2), -XEN_EINVAL);
    assert_int_equal(given.err_msr, 0x10a);
    assert_int_equal(given.err_leaf, ~0u);
    m[0].flags = 1;
    assert_int_equal(give(0, 2), -XEN_EINVAL);
    assert_int_equal(given.err_msr, 0xce);
    m[0] = (struct xen_msr_entry){.idx = 0xc0000080};
    assert_int_equal(give(0, 1), -XEN_ERANGE);
    assert_int_equal(given.err_msr, 0xc0000080);
}

/* Either all of a list is taken or nothing. */
static void bad_lists(void **state)
{
    struct xen_cpuid_leaf one = has(1, NONE);
    struct xen_domctl op = {.cmd = XEN_DOMCTL_set_cpu_policy, .domain = d->domain_id};

    (void)state;
    leaves()[0] = (struct xen_cpuid_leaf){1, NONE, one.a, one.b, one.c, 0};
    leaves()[1] = (struct xen_cpuid_leaf){1, NONE, one.a, one.b, one.c, ~0u};
    assert_int_equal(give(2, 0), -XEN_EINVAL);
    assert_int_equal(has(1, NONE).d, one.d);
    assert_int_equal(give(121, 0), -XEN_E2BIG);
    assert_int_equal(give(~0u, 0), -XEN_E2BIG);
    assert_int_equal(give(0, 3), -XEN_E2BIG);
    assert_int_equal(give(0, ~0u), -XEN_E2BIG);
    op.u.cpu_policy = (struct xen_domctl_cpu_policy){.nr_leaves = 1, .leaves = CORE_NOWHERE};
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
    op.u.cpu_policy = (struct xen_domctl_cpu_policy){.nr_leaves = 1, .leaves = ~0ull - 7};
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
    op.u.cpu_policy = (struct xen_domctl_cpu_policy){.nr_msrs = 1, .msrs = CORE_NOWHERE};
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
    assert_null(d->cpu_policy);
    /* Where what is wrong cannot be told, nothing is done. */
    host_read_only = CORE_ARG;
    host_read_only_end = CORE_ARG + sizeof(op);
    leaves()[0] = (struct xen_cpuid_leaf){1, NONE, 0, 0, 0, 0};
    assert_int_equal(give(1, 0), -XEN_EFAULT);
    host_read_only_end = 0;
    assert_null(d->cpu_policy);
    for (uint64_t left = 0; left < 2; left++) {
        core_run_out(left);
        assert_int_equal(give(1, 0), -XEN_ENOMEM);
        core_refill();
    }
    assert_null(d->cpu_policy);
}

static void before_the_first_instruction(void **state)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_get_cpu_policy, .domain = d->domain_id};
    struct xen_cpuid_leaf one = has(1, NONE);
    struct domain *vm;

    (void)state;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(op.u.cpu_policy.nr_leaves, 120);
    assert_int_equal(op.u.cpu_policy.nr_msrs, 2);
    assert_int_equal(give_one(1, NONE, 0, 0, 0, 0), 0);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_unpausedomain, d->domain_id), 0);
    assert_int_equal(give_one(1, NONE, one.a, one.b, one.c, one.d), -XEN_EEXIST);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_pausedomain, d->domain_id), 0);
    assert_int_equal(give_one(1, NONE, one.a, one.b, one.c, one.d), -XEN_EEXIST);
    assert_int_equal(has(1, NONE).d, 0);
    /* A kind without policies. */
    guest_kinds[1] = NULL;
    other_kind.create_flags = 0;
    vm = core_make_guest(1, 0);
    op.domain = vm->domain_id;
    assert_int_equal(core_domctl(&op), -XEN_EOPNOTSUPP);
    op.cmd = XEN_DOMCTL_set_cpu_policy;
    assert_int_equal(core_domctl(&op), -XEN_EOPNOTSUPP);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, vm->domain_id), 0);
    guest_kinds[1] = &kind;
}

/* Whatever is given, no word has more than there is, and each leaf is in its place. */
static void at_random(void **state)
{
    static struct cpu_policy base;
    uint64_t x = 88172645463325252ull;

    (void)state;
    cpu_policy_fill(&base, shown);
    for (unsigned int round = 0; round < 5000; round++) {
        uint32_t n = 1 + round % 3, sub;

        for (uint32_t i = 0; i < n; i++) {
            x ^= x << 13, x ^= x >> 7, x ^= x << 17;
            leaves()[i].leaf = (uint32_t)(x >> 10) % 0x10 | (x & 1 ? 0x80000000 : 0);
            sub = (uint32_t)(x >> 20) % 5;
            leaves()[i].subleaf = sub == 4 || !(x & 0x3e) ? NONE : sub;
            if (!has_subs(leaves()[i].leaf) && x & 0x700)
                leaves()[i].subleaf = NONE;
            for (uint32_t r = 0; r < 4; r++)
                (&leaves()[i].a)[r] = (uint32_t)(x >> (32 + r * 4)) & (x & 0xe0 ? 0xf : ~0u);
        }
        (void)give(n, 0);
        if (!d->cpu_policy)
            continue;
        assert_int_equal(d->cpu_policy->nr, base.nr);
        for (uint32_t i = 0; i < base.nr; i++)
            assert_true(d->cpu_policy->leaf[i].leaf == base.leaf[i].leaf &&
                        d->cpu_policy->leaf[i].sub == base.leaf[i].sub);
        for (unsigned int w = 0; w < CPU_POLICY_WORDS; w++)
            assert_int_equal(cpu_policy_word(d->cpu_policy, w) & ~cpu_policy_word(&base, w), 0);
    }
    assert_non_null(d->cpu_policy);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        POLICY_TEST(features_are_taken_away),
        POLICY_TEST(no_more_than_there_is),
        POLICY_TEST(what_has_no_place),
        POLICY_TEST(registers),
        POLICY_TEST(bad_lists),
        POLICY_TEST(before_the_first_instruction),
        POLICY_TEST(at_random),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
