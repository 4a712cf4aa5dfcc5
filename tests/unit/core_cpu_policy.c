/* SPDX-License-Identifier: MIT */
/*
 * CPU policies and featuresets of the machine and of kinds of guests: the lists that tools read,
 * with room for them or without.
 */
#include "core_cpu_policy.h"

static struct xen_sysctl policy_op(uint32_t index)
{
    return (struct xen_sysctl){
        .cmd = XEN_SYSCTL_get_cpu_policy,
        .u.cpu_policy = {
            .index = index, .nr_leaves = 120, .nr_msrs = 2, .leaves = LEAVES, .msrs = MSRS}};
}

static uint32_t read_policy(uint32_t index)
{
    const struct xen_msr_entry *msr = host_guest(MSRS);
    struct xen_sysctl op = policy_op(index);

    memset(host_guest(MSRS), 0xa5, 3 * sizeof(*msr));
    memset(leaves(), 0xa5, 121 * sizeof(*leaves()));
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(op.u.cpu_policy.nr_msrs, 2);
    assert_true(msr[0].idx == 0xce && msr[1].idx == 0x10a && msr[2].idx == 0xa5a5a5a5);
    assert_true(!msr[0].val && !msr[0].flags && !msr[1].val && !msr[1].flags);
    assert_true(op.u.cpu_policy.nr_leaves <= 120);
    assert_int_equal(leaves()[op.u.cpu_policy.nr_leaves].leaf, 0xa5a5a5a5);
    return op.u.cpu_policy.nr_leaves;
}

static void lists_are_whole_and_in_order(void **state)
{
    static const uint8_t index[] = {XEN_SYSCTL_cpu_policy_raw, XEN_SYSCTL_cpu_policy_host,
                                    XEN_SYSCTL_cpu_policy_pv_max, XEN_SYSCTL_cpu_policy_pv_default};
    uint32_t want[4], n, seen;

    (void)state;
    for (unsigned int k = 0; k < ARRAY_SIZE(index); k++) {
        n = read_policy(index[k]);
        /* 0 to 0xd, of which 4, 7, 0xb and 0xd are lists: 6, 3, 2, 3; two of Xen's; 9 extended. */
        assert_int_equal(n, 10 + 6 + 3 + 2 + 3 + 2 + 9);
        for (uint32_t i = 0; i < n; i++) {
            const struct xen_cpuid_leaf *l = &leaves()[i];

            if (i)
                assert_true(l->leaf > l[-1].leaf ||
                            (l->leaf == l[-1].leaf && l->subleaf == l[-1].subleaf + 1));
            assert_int_equal(l->subleaf == NONE, !has_subs(l->leaf));
            (index[k] < 2 ? machine : shown)(l->leaf, l->subleaf == NONE ? 0 : l->subleaf, want);
            if (l->leaf >> 30 == 1)
                memset(want, 0, sizeof(want));
            assert_memory_equal(want, &l->a, sizeof(want));
        }
    }
    /* Of a CPU with nothing: the leaf that says so, and Xen's two. */
    last_basic = last_extended = 0;
    assert_int_equal(read_policy(0), 3);
    /* Of one with everything a list has room for, and more. */
    host_cpuid = NULL;
    host_full_cpu = true;
    assert_int_equal(read_policy(0), 120);
    seen = 0;
    for (uint32_t i = 0; i < 120; i++) {
        assert_true(cpu_policy_has_place(leaves()[i].leaf, leaves()[i].subleaf));
        seen += leaves()[i].leaf == 0xd;
    }
    assert_int_equal(seen, 63);
}

static void room_for_a_list(void **state)
{
    struct xen_sysctl op = policy_op(4);
    struct xen_sysctl_cpu_policy *a = &op.u.cpu_policy;
    uint32_t n = read_policy(4);

    (void)state;
    a->leaves = a->msrs = 0;
    a->nr_leaves = a->nr_msrs = 7;
    assert_int_equal(core_sysctl(&op), 0);
    assert_true(a->nr_leaves == 120 && a->nr_msrs == 2);
    op = policy_op(4);
    a->msrs = 0; /* one of the two */
    a->nr_leaves = n;
    assert_int_equal(core_sysctl(&op), 0);
    assert_true(a->nr_leaves == n && a->nr_msrs == 2);
    memset(leaves(), 0xa5, sizeof(*leaves()));
    a->nr_leaves = n - 1;
    assert_int_equal(core_sysctl(&op), -XEN_ENOBUFS);
    a->nr_leaves = 0;
    assert_int_equal(core_sysctl(&op), -XEN_ENOBUFS);
    assert_int_equal(leaves()[0].leaf, 0xa5a5a5a5);
    a->nr_leaves = ~0u; /* what a tool says it has room for is not looked at further */
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(a->nr_leaves, n);
    a->msrs = MSRS;
    a->nr_msrs = 1;
    assert_int_equal(core_sysctl(&op), -XEN_ENOBUFS);
    a->nr_msrs = ~0u;
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(a->nr_msrs, 2);
    a->msrs = CORE_NOWHERE;
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
    a->msrs = 0;
    a->leaves = CORE_NOWHERE;
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
    a->leaves = HOST_GUEST_BASE + HOST_GUEST_SIZE - (n - 1) * sizeof(*leaves());
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
    core_run_out(0);
    op = policy_op(4);
    assert_int_equal(core_sysctl(&op), -XEN_ENOMEM);
    core_refill();
}

static void which_policy(void **state)
{
    static const uint32_t number[] = {6, 7, 0x80000000, ~0u};
    struct xen_sysctl op;

    (void)state;
    op = policy_op(XEN_SYSCTL_cpu_policy_hvm_max);
    assert_int_equal(core_sysctl(&op), -XEN_EOPNOTSUPP);
    op = policy_op(XEN_SYSCTL_cpu_policy_hvm_default);
    assert_int_equal(core_sysctl(&op), -XEN_EOPNOTSUPP);
    for (unsigned int i = 0; i < ARRAY_SIZE(number); i++) {
        op = policy_op(number[i]);
        assert_int_equal(core_sysctl(&op), -XEN_EINVAL);
    }
    op = policy_op(0);
    op.u.cpu_policy._rsvd = 1;
    assert_int_equal(core_sysctl(&op), -XEN_EINVAL);
    guest_kinds[1] = NULL; /* no kind has policies */
    op = policy_op(XEN_SYSCTL_cpu_policy_pv_default);
    assert_int_equal(core_sysctl(&op), -XEN_EOPNOTSUPP);
    op = (struct xen_sysctl){.cmd = XEN_SYSCTL_get_cpu_featureset,
                             .u.cpu_featureset = {2, 19, LEAVES}};
    assert_int_equal(core_sysctl(&op), -XEN_EOPNOTSUPP);
    guest_kinds[1] = &kind;
}

static void featuresets(void **state)
{
    uint32_t *word = host_guest(LEAVES), out[4];
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_get_cpu_featureset};
    struct xen_sysctl_cpu_featureset *a = &op.u.cpu_featureset;

    (void)state;
    last_extended = 0x80000021;
    a->index = 77; /* ABI: not looked at */
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(a->nr_features, 19);
    for (uint32_t index = 0; index <= 6; index++) {
        for (uint32_t room = 0; room < 22; room++) {
            int want = index == 3 || index == 5 ? -XEN_EOPNOTSUPP
                       : index > 5              ? -XEN_EINVAL
                       : room < 19              ? -XEN_ENOBUFS
                                                : 0;

            *a = (struct xen_sysctl_cpu_featureset){index, room, LEAVES};
            memset(word, 0xa5, 4 * 22);
            assert_int_equal(core_sysctl(&op), want);
            if (want == 0)
                assert_int_equal(a->nr_features, 19);
            if (want == -XEN_EOPNOTSUPP || want == -XEN_EINVAL)
                room = 0;
            assert_int_equal(word[MIN(room, 19u)], 0xa5a5a5a5);
            if (want == -XEN_EOPNOTSUPP || want == -XEN_EINVAL)
                break;
#define CHECK_eax 0
#define CHECK_ebx 1
#define CHECK_ecx 2
#define CHECK_edx 3
#define CHECK(n, leaf, sub, reg)                                                                   \
    (index < 2 ? machine : shown)(leaf, sub, out);                                                 \
    if (n < room)                                                                                  \
        assert_int_equal(word[n], out[CHECK_##reg]);
            XEN_X86_FEATURESET_TABLE(CHECK)
        }
    }
    *a = (struct xen_sysctl_cpu_featureset){0, ~0u, LEAVES};
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(word[16] | word[17], 0);
    *a = (struct xen_sysctl_cpu_featureset){0, 1, CORE_NOWHERE};
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
    core_run_out(0);
    *a = (struct xen_sysctl_cpu_featureset){0, 19, LEAVES};
    assert_int_equal(core_sysctl(&op), -XEN_ENOMEM);
    core_refill();
}

int main(void)
{
    const struct CMUnitTest tests[] = {POLICY_TEST(lists_are_whole_and_in_order),
                                       POLICY_TEST(room_for_a_list), POLICY_TEST(which_policy),
                                       POLICY_TEST(featuresets)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
