/* SPDX-License-Identifier: MIT */
/*
 * Interrupts between the vCPUs of a domain: who gets one, by each form of destination in each mode,
 * by each shorthand; what comes of each delivery mode; what is refused.
 */
#include "hvm_lapic_support.h"

#define ASSERT_BIT (1u << 14)
#define LEVEL      (1u << 15)
#define LOGICAL    (1u << 11)
#define LOWEST     (1u << 8)
#define NMI        (4u << 8)
#define SELF       (1u << 18)
#define ALL        (2u << 18)
#define OTHERS     (3u << 18)
#define VECTOR     0x91u

static struct domain *d;
static struct vcpu **vcpu;

static int begin(unsigned int vcpus)
{
    d = lapic_guest(vcpus, true);
    vcpu = d->vcpu;
    lapic_all_up(d);
    return 0;
}

static int setup(void **state)
{
    (void)state;
    return begin(6);
}

static int teardown(void **state)
{
    (void)state;
    lapic_guest_end(d);
    return 0;
}

/* Bit per vCPU: who has the one interrupt, and now no more */
static uint64_t who_has(int vector)
{
    uint64_t has = 0;
    struct vcpu *v;

    for_each_vcpu (d, v) {
        int got = lapic_serve(v);

        assert_true(got == vector || got == -1);
        assert_int_equal(lapic_serve(v), -1);
        has |= (uint64_t)(got >= 0) << v->vcpu_id;
    }
    return has;
}

static uint64_t to(struct vcpu *from, uint32_t icr, uint32_t destination)
{
    lapic_ipi(from, icr, destination);
    return who_has((int)(icr & 0xff));
}

static void set_logical(uint32_t dfr)
{
    struct vcpu *v;

    for_each_vcpu (d, v) {
        lapic_put(v, 0x0e, dfr);
        /* flat: a bit for each; cluster: clusters 0, 1, 2 of two */
        lapic_put(v, 0x0d,
                  (dfr >> 28 == 0xf ? 1u << v->vcpu_id : v->vcpu_id / 2 << 4 | 1u << v->vcpu_id % 2)
                      << 24);
    }
}

static void physical(void **state)
{
    (void)state;
    for (unsigned int x2 = 0; x2 < 2; x2++) {
        for (unsigned int from = 0; from < 6; from++) {
            if (x2)
                lapic_to_x2apic(vcpu[from]);
            for (uint32_t id = 0; id < 256; id++)
                assert_int_equal(to(vcpu[from], VECTOR, id), id < 6             ? 1ull << id
                                                             : id == 255 && !x2 ? 0x3f
                                                                                : 0);
        }
    }
    assert_int_equal(to(vcpu[3], VECTOR, ~0u), 0x3f);
    assert_int_equal(to(vcpu[3], VECTOR, 0x100), 0);
    assert_int_equal(to(vcpu[3], VECTOR, 0xff000000), 0);
}

static void shorthands(void **state)
{
    (void)state;
    for (unsigned int x2 = 0; x2 < 2; x2++) {
        for (uint32_t logical = 0; logical <= LOGICAL; logical += LOGICAL) {
            assert_int_equal(to(vcpu[2], VECTOR | SELF | logical, 5), 1u << 2);
            assert_int_equal(to(vcpu[2], VECTOR | ALL | logical, 5), 0x3f);
            assert_int_equal(to(vcpu[2], VECTOR | OTHERS | logical, 5), 0x3b);
        }
        for (unsigned int i = 0; i < 6 && !x2; i++)
            lapic_to_x2apic(vcpu[i]);
    }
}

static void flat(void **state)
{
    (void)state;
    set_logical(0xffffffff);
    for (uint32_t set = 0; set < 256; set++)
        assert_int_equal(to(vcpu[1], VECTOR | LOGICAL, set), set & 0x3f);
    lapic_put(vcpu[4], 0x0d, 0xff000000);
    assert_int_equal(to(vcpu[1], VECTOR | LOGICAL, 0xc0), 1u << 4);
    lapic_put(vcpu[4], 0x0d, 0); /* none: but for everyone */
    assert_int_equal(to(vcpu[1], VECTOR | LOGICAL, 0x7f), 0x2f);
    assert_int_equal(to(vcpu[1], VECTOR | LOGICAL, 0xff), 0x3f);
}

static void cluster(void **state)
{
    (void)state;
    set_logical(0x0fffffff);
    for (uint32_t to_whom = 0; to_whom < 255; to_whom++) {
        uint32_t cluster = to_whom >> 4, set = to_whom & 3;

        assert_int_equal(to(vcpu[1], VECTOR | LOGICAL, to_whom),
                         cluster < 3 ? (uint64_t)set << cluster * 2 : 0);
    }
    assert_int_equal(to(vcpu[1], VECTOR | LOGICAL, 0xff), 0x3f);
    set_logical(0x3fffffff); /* a model that is none */
    for (uint32_t to_whom = 0; to_whom < 255; to_whom++)
        assert_int_equal(to(vcpu[1], VECTOR | LOGICAL, to_whom), 0);
}

static void x2apic_cluster(void **state)
{
    (void)state;
    lapic_guest_end(d);
    (void)begin(64);
    for (unsigned int i = 0; i < 64; i++)
        lapic_to_x2apic(vcpu[i]);
    for (uint32_t cl = 0; cl < 6; cl++)
        for (uint32_t set = 1; set < 0x10000; set = set * 3 + 1)
            assert_int_equal(to(vcpu[50], VECTOR | LOGICAL, cl << 16 | set),
                             cl < 4 ? (uint64_t)set << cl * 16 : 0);
    assert_int_equal(to(vcpu[50], VECTOR | LOGICAL, ~0u), ~0ull);
    assert_int_equal(to(vcpu[50], VECTOR | LOGICAL, 0xffff0001), 0);
    assert_int_equal(to(vcpu[50], VECTOR, 63), 1ull << 63);
    assert_int_equal(to(vcpu[50], VECTOR, 64), 0);
}

/* Each by the mode that it is in itself. */
static void modes_mixed(void **state)
{
    (void)state;
    set_logical(0xffffffff);
    lapic_to_x2apic(vcpu[0]);
    lapic_to_x2apic(vcpu[1]);
    assert_int_equal(to(vcpu[0], VECTOR | LOGICAL, 0x3), 0x3);
    assert_int_equal(to(vcpu[0], VECTOR | LOGICAL, 0x104), 0);
    assert_int_equal(to(vcpu[0], VECTOR, 0xff), 0);
    assert_int_equal(to(vcpu[5], VECTOR, 0xff), 0x3f);
    assert_int_equal(to(vcpu[5], VECTOR | LOGICAL, 0x22), 0x22);
}

static void whose_apic_is_off(void **state)
{
    (void)state;
    lapic_put(vcpu[2], 0x0f, 0xff);
    assert_true(lapic_wrmsr(vcpu[3], BASE_MSR, DISABLED));
    assert_int_equal(to(vcpu[0], VECTOR | ALL, 0), 0x33);
    assert_int_equal(to(vcpu[2], VECTOR | ALL, 0), 0x33); /* it may send */
    lapic_ipi(vcpu[0], NMI | ALL, 0);
    assert_true(vcpu[0]->nmi_pending && vcpu[2]->nmi_pending && !vcpu[3]->nmi_pending);
}

/* To whoever has the lowest class of TPR of them, whose APIC is on. */
static void lowest_priority(void **state)
{
    unsigned int seed = 1;

    (void)state;
    set_logical(0xffffffff);
    for (unsigned int round = 0; round < 2000; round++) {
        uint32_t tpr[6], set = 1 + (uint32_t)rand_r(&seed) % 254, best = 6;

        for (unsigned int i = 0; i < 6; i++) {
            tpr[i] = (uint32_t)rand_r(&seed) % 0x90;
            lapic_put(vcpu[i], 8, tpr[i]);
            lapic_put(vcpu[i], 0x0f, rand_r(&seed) % 4 ? 0x1ff : 0xff);
            if (set >> i & 1 && lapic_get(vcpu[i], 0x0f) & 0x100 &&
                (best == 6 || tpr[i] >> 4 < tpr[best] >> 4))
                best = i;
        }
        assert_int_equal(to(vcpu[round % 6], VECTOR | LOWEST | LOGICAL, set),
                         best < 6 ? 1ull << best : 0);
    }
}

static void self_ipi(void **state)
{
    (void)state;
    lapic_to_x2apic(vcpu[4]);
    lapic_put(vcpu[4], 0x3f, VECTOR);
    assert_int_equal(who_has(VECTOR), 1u << 4);
    lapic_put(vcpu[4], 0x3f, 15);
    assert_int_equal(who_has(-1), 0);
    lapic_put(vcpu[4], 0x28, 0);
    assert_int_equal(lapic_get(vcpu[4], 0x28), 0x20);
}

static void illegal_vectors(void **state)
{
    (void)state;
    for (uint32_t vector = 0; vector < 256; vector++)
        for (uint32_t mode = 0; mode <= LOWEST; mode += LOWEST) {
            lapic_ipi(vcpu[1], mode | vector, 3);
            assert_int_equal(who_has((int)vector), vector < 16 ? 0 : 1u << 3);
            lapic_put(vcpu[1], 0x28, 0);
            assert_int_equal(lapic_get(vcpu[1], 0x28), vector < 16 ? 0x20 : 0);
            lapic_put(vcpu[3], 0x28, 0);
            assert_int_equal(lapic_get(vcpu[3], 0x28), 0);
        }
}

static void nmi(void **state)
{
    (void)state;
    host_run_as(vcpu[1]);
    vcpu_block(vcpu[1]);
    assert_true(vcpu[1]->pause_flags & VPF_blocked);
    lapic_ipi(vcpu[0], NMI, 1);
    for (unsigned int i = 0; i < 6; i++)
        assert_int_equal(vcpu[i]->nmi_pending, i == 1);
    assert_false(vcpu[1]->pause_flags & VPF_blocked);
    assert_int_equal(who_has(-1), 0);
}

/* SMI, and what is reserved. */
static void nowhere(void **state)
{
    static const uint32_t mode[] = {2, 3, 7};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(mode); i++) {
        lapic_ipi(vcpu[0], mode[i] << 8 | VECTOR | ASSERT_BIT | ALL, 0);
        assert_int_equal(who_has(-1), 0);
    }
    for (unsigned int i = 0; i < 6; i++)
        assert_true(!vcpu[i]->nmi_pending && !lapic_startup_pending(vcpu[i]));
}

/* By trigger and level nothing changes for them. */
static void trigger_and_level(void **state)
{
    (void)state;
    for (uint32_t bits = 0; bits < 4; bits++) {
        assert_int_equal(to(vcpu[0], VECTOR | bits << 14, 2), 1u << 2);
        assert_int_equal(lapic_get(vcpu[0], 0x30), VECTOR | bits << 14); /* and never busy */
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(physical, setup, teardown),
        cmocka_unit_test_setup_teardown(shorthands, setup, teardown),
        cmocka_unit_test_setup_teardown(flat, setup, teardown),
        cmocka_unit_test_setup_teardown(cluster, setup, teardown),
        cmocka_unit_test_setup_teardown(x2apic_cluster, setup, teardown),
        cmocka_unit_test_setup_teardown(modes_mixed, setup, teardown),
        cmocka_unit_test_setup_teardown(whose_apic_is_off, setup, teardown),
        cmocka_unit_test_setup_teardown(lowest_priority, setup, teardown),
        cmocka_unit_test_setup_teardown(self_ipi, setup, teardown),
        cmocka_unit_test_setup_teardown(illegal_vectors, setup, teardown),
        cmocka_unit_test_setup_teardown(nmi, setup, teardown),
        cmocka_unit_test_setup_teardown(nowhere, setup, teardown),
        cmocka_unit_test_setup_teardown(trigger_and_level, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
