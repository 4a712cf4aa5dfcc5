/* SPDX-License-Identifier: MIT */
/*
 * ACPI tables as firmware may give them: good ones are read; cut, looping and random ones end the
 * reading, never run over (the tables lie in memory that ends where they end, under the address
 * sanitizer), and never overflow what is kept of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "../../hypervisor/x86/acpi.h"

struct table {
    uint8_t at[2048];
    size_t n;
};

static void put(struct table *t, uint64_t value, unsigned int bytes)
{
    for (unsigned int i = 0; i < bytes; i++)
        t->at[t->n++] = (uint8_t)(value >> (8 * i));
}

static void begin(struct table *t, const char *signature)
{
    memset(t, 0, sizeof(*t));
    memcpy(t->at, signature, 4);
    t->n = ACPI_HEADER_SIZE;
}

/* Hands the table over in memory of just its size. */
static void parse(struct acpi_info *info, const uint8_t *at, size_t n)
{
    uint8_t *exact = malloc(n ? n : 1);

    memcpy(exact, at, n);
    acpi_parse_table(info, exact, n);
    free(exact);
}

static void make_madt(struct table *t)
{
    begin(t, "APIC");
    put(t, 0xfee00000, 4);
    put(t, 1, 4);
    put(t, 0x0800, 2), put(t, 12, 1), put(t, 7, 1), put(t, 1, 4); /* CPU, APIC id 7, enabled */
    put(t, 0x0800, 2), put(t, 1, 1), put(t, 8, 1), put(t, 0, 4);  /* not enabled             */
    put(t, 0x0c01, 2), put(t, 2, 1), put(t, 0, 1), put(t, 0xfec00000, 4), put(t, 24, 4);
    put(t, 0x0a02, 2), put(t, 0, 1), put(t, 9, 1), put(t, 20, 4), put(t, 15, 2);    /* low, level */
    put(t, 0x1009, 2), put(t, 0, 2), put(t, 300, 4), put(t, 1, 4), put(t, 4000, 4); /* x2APIC     */
    put(t, 0x0c05, 2), put(t, 0, 2), put(t, 0x1fee00000, 8);
}

static void test_madt(void **state)
{
    struct acpi_info info = {0};
    struct table t;

    (void)state;
    make_madt(&t);
    parse(&info, t.at, t.n);
    assert_int_equal(info.nr_cpus, 2);
    assert_int_equal(info.cpu_apic_id[0], 7);
    assert_int_equal(info.cpu_apic_id[1], 300);
    assert_int_equal(info.cpu_acpi_id[0], 12);
    assert_int_equal(info.cpu_acpi_id[1], 4000);
    assert_int_equal(info.nr_ioapics, 1);
    assert_int_equal(info.ioapic[0].address, 0xfec00000);
    assert_int_equal(info.ioapic[0].gsi_base, 24);
    assert_int_equal(info.nr_overrides, 1);
    assert_int_equal(info.override[0].isa_irq, 9);
    assert_int_equal(info.override[0].gsi, 20);
    assert_true(info.override[0].level && info.override[0].active_low);
}

static void test_madt_too_many(void **state)
{
    struct acpi_info info = {0};
    struct table t;

    (void)state;
    begin(&t, "APIC");
    put(&t, 0, 8);
    for (unsigned int i = 0; i < 70; i++)
        put(&t, 0x0800, 2), put(&t, 0, 1), put(&t, i, 1), put(&t, 1, 4);
    for (unsigned int i = 0; i < 20; i++)
        put(&t, 0x0c01, 2), put(&t, i, 2), put(&t, i << 12, 4), put(&t, i * 24, 4);
    for (unsigned int i = 0; i < 40; i++)
        put(&t, 0x0a02, 2), put(&t, 0, 2), put(&t, i, 4), put(&t, 0, 2);
    parse(&info, t.at, t.n);
    assert_int_equal(info.nr_cpus, ACPI_MAX_CPUS);
    assert_int_equal(info.cpus_beyond, 6);
    assert_int_equal(info.nr_ioapics, ACPI_MAX_IOAPICS);
    assert_int_equal(info.nr_overrides, ACPI_MAX_OVERRIDES);
}

static void put_cpu(struct table *t, uint32_t id, uint32_t flags)
{
    put(t, 0x0800, 2), put(t, 0, 1), put(t, id, 1), put(t, flags, 4);
}

static void put_x2apic_cpu(struct table *t, uint32_t id, uint32_t flags)
{
    put(t, 0x1009, 2), put(t, 0, 2), put(t, id, 4), put(t, flags, 4), put(t, 0, 4);
}

/* Each CPU once, whichever kinds of entries list it; those that may come later are none. */
static void test_madt_cpus(void **state)
{
    enum { ENABLED = 1, MAY_COME = 2, RESERVED = 0xfffffffc };
    struct acpi_info info = {0};
    struct table t;

    (void)state;
    begin(&t, "APIC");
    put(&t, 0, 8);
    put_cpu(&t, 3, ENABLED);
    put_x2apic_cpu(&t, 3, ENABLED);
    put_cpu(&t, 3, ENABLED);
    put_cpu(&t, 4, MAY_COME);
    put_cpu(&t, 5, 0);
    put_x2apic_cpu(&t, 6, MAY_COME | RESERVED);
    put_cpu(&t, 0xff, ENABLED); /* to all */
    put_x2apic_cpu(&t, 0xffffffff, ENABLED);
    put_x2apic_cpu(&t, 0xff, ENABLED | RESERVED);
    put_x2apic_cpu(&t, 0, ENABLED);
    parse(&info, t.at, t.n);
    assert_int_equal(info.nr_cpus, 3);
    assert_int_equal(info.cpu_apic_id[0], 3);
    assert_int_equal(info.cpu_apic_id[1], 0xff);
    assert_int_equal(info.cpu_apic_id[2], 0);
    parse(&info, t.at, t.n); /* a second table that says the same */
    assert_int_equal(info.nr_cpus, 3);
    assert_int_equal(info.cpus_beyond, 0);
}

/* 100 CPUs, listed by both kinds of entries. */
static void test_madt_beyond(void **state)
{
    struct acpi_info info = {0};
    struct table t;

    (void)state;
    begin(&t, "APIC");
    put(&t, 0, 8);
    for (unsigned int i = 0; i < 100; i++)
        put_cpu(&t, i * 2, 1);
    for (unsigned int i = 0; i < 70; i++)
        put_x2apic_cpu(&t, i * 2, 1);
    parse(&info, t.at, t.n);
    assert_int_equal(info.nr_cpus, ACPI_MAX_CPUS);
    assert_int_equal(info.cpu_apic_id[ACPI_MAX_CPUS - 1], 2 * (ACPI_MAX_CPUS - 1));
    assert_int_equal(info.cpus_beyond, 100 - ACPI_MAX_CPUS);
}

/* An entry that is too short for what it says to be is none. */
static void test_madt_short_cpus(void **state)
{
    (void)state;
    for (unsigned int length = 2; length < 20; length++) {
        for (unsigned int type = 0; type <= 9; type += 9) {
            struct acpi_info info = {0};
            struct table t;

            begin(&t, "APIC");
            put(&t, 0, 8);
            put(&t, type, 1), put(&t, length, 1);
            memset(t.at + t.n, 1, length - 2);
            t.n += length - 2;
            parse(&info, t.at, t.n);
            assert_int_equal(info.nr_cpus, length >= (type ? 16 : 8));
        }
    }
}

/* An entry of length 0 or 1 would loop for ever, one that is longer than the table would run over.
 */
static void test_madt_bad_length(void **state)
{
    (void)state;
    for (unsigned int length = 0; length < 256; length++) {
        struct acpi_info info = {0};
        struct table t;

        begin(&t, "APIC");
        put(&t, 0, 8);
        put(&t, 0x01, 1), put(&t, length, 1), put(&t, 0, 8), put(&t, 0, 2);
        parse(&info, t.at, t.n);
        assert_int_equal(info.nr_ioapics, length == 12);
    }
}

static void make_fadt(struct table *t)
{
    begin(t, "FACP");
    t->n = 244;
    t->at[40] = 0x11;                   /* DSDT at 0x11 */
    t->at[64] = 0x04, t->at[65] = 0x06; /* PM1a control: 0x604 */
    t->at[76] = 0x08, t->at[77] = 0x06; /* PM timer: 0x608     */
    t->at[108] = 0x32;
    t->at[113] = 0x04; /* flag 10: reset register */
    t->at[116] = 1, t->at[120] = 0xf9, t->at[121] = 0x0c, t->at[128] = 6;
    t->at[140] = 0x22; /* X_DSDT wins */
}

static void test_fadt(void **state)
{
    struct acpi_info info = {0};
    struct table t;

    (void)state;
    make_fadt(&t);
    parse(&info, t.at, t.n);
    assert_int_equal(info.pm1a_control, 0x604);
    assert_int_equal(info.pm1b_control, 0);
    assert_int_equal(info.pm_timer, 0x608);
    assert_int_equal(info.century, 0x32);
    assert_int_equal(info.dsdt, 0x22);
    assert_int_equal(info.reset_space, 1);
    assert_int_equal(info.reset_address, 0xcf9);
    assert_int_equal(info.reset_value, 6);
    info = (struct acpi_info){0};
    parse(&info, t.at, 116); /* ACPI 1.0 */
    assert_int_equal(info.dsdt, 0x11);
    assert_int_equal(info.reset_space, 0xff);
}

static void test_s5(void **state)
{
    static const uint8_t plain[] = {1, 2, 3,    0x08, '_',  'S', '5', '_', 0x12,
                                    6, 4, 0x0a, 5,    0x0a, 7,   0,   0};
    static const uint8_t root[] = {0x08, 0x5c, '_', 'S', '5', '_', 0x12, 0x46, 0, 4, 0, 1, 0, 0};
    static const uint8_t other[] = {0x14, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a, 5, 0x0a, 7};
    static const uint8_t cut[] = {0x08, '_', 'S', '5', '_', 0x12, 6, 4, 0x0a};
    struct acpi_info info = {0};

    (void)state;
    acpi_parse_s5(&info, plain, sizeof(plain));
    assert_true(info.s5_found && info.s5_a == 5 && info.s5_b == 7);
    info = (struct acpi_info){0};
    acpi_parse_s5(&info, root, sizeof(root));
    assert_true(info.s5_found && info.s5_a == 0 && info.s5_b == 1);
    info = (struct acpi_info){0};
    acpi_parse_s5(&info, other, sizeof(other)); /* not a Name */
    acpi_parse_s5(&info, cut, sizeof(cut));
    assert_false(info.s5_found);
}

static void make_rsdp(uint8_t *r, unsigned int revision)
{
    uint8_t sum = 0;

    memset(r, 0, 36);
    memcpy(r, "RSD PTR ", 8);
    r[15] = (uint8_t)revision;
    r[16] = 0x10;
    r[24] = 0x20;
    for (unsigned int i = 0; i < 20; i++)
        sum = (uint8_t)(sum + r[i]);
    r[8] = (uint8_t)-sum;
    sum = 0;
    for (unsigned int i = 0; i < 36; i++)
        sum = (uint8_t)(sum + r[i]);
    r[32] = (uint8_t)-sum;
}

static void test_rsdp(void **state)
{
    uint8_t area[128] = {0};
    uint64_t root;
    bool is_xsdt;

    (void)state;
    make_rsdp(area + 80, 0);
    assert_int_equal(acpi_find_rsdp(area, sizeof(area)), 80);
    assert_true(acpi_parse_rsdp(area + 80, 36, &root, &is_xsdt));
    assert_true(root == 0x10 && !is_xsdt);
    make_rsdp(area + 80, 2);
    assert_true(acpi_parse_rsdp(area + 80, 36, &root, &is_xsdt));
    assert_true(root == 0x20 && is_xsdt);
    area[90]++;
    assert_int_equal(acpi_find_rsdp(area, sizeof(area)), -1);
    assert_int_equal(acpi_find_rsdp(area, 10), -1);
}

static void check_bounds(const struct acpi_info *info)
{
    assert_in_range(info->nr_cpus, 0, ACPI_MAX_CPUS);
    assert_in_range(info->nr_ioapics, 0, ACPI_MAX_IOAPICS);
    assert_in_range(info->nr_overrides, 0, ACPI_MAX_OVERRIDES);
    assert_in_range(info->nr_mcfg, 0, ACPI_MAX_MCFG);
}

static void test_hostile(void **state)
{
    static const char *const names[] = {"APIC", "FACP", "HPET", "MCFG"};
    struct acpi_info info = {0};
    struct table t;

    (void)state;
    srand(3);
    for (unsigned int round = 0; round < 20000; round++) {
        unsigned int kind = (unsigned int)rand() % 4;

        if (kind == 0) {
            make_madt(&t);
        } else if (kind == 1) {
            make_fadt(&t);
        } else {
            begin(&t, names[kind]);
            for (int i = rand() % 64; i > 0; i--)
                put(&t, (uint64_t)rand(), 4);
        }
        for (int i = rand() % 8; i > 0; i--)
            t.at[36 + (size_t)rand() % (t.n - 36 ? t.n - 36 : 1)] = (uint8_t)rand();
        parse(&info, t.at, (size_t)rand() % (t.n + 1));
        acpi_parse_s5(&info, t.at, t.n);
        check_bounds(&info);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(test_madt),
        cmocka_unit_test(test_madt_too_many),
        cmocka_unit_test(test_madt_cpus),
        cmocka_unit_test(test_madt_beyond),
        cmocka_unit_test(test_madt_short_cpus),
        cmocka_unit_test(test_madt_bad_length),
        cmocka_unit_test(test_fadt),
        cmocka_unit_test(test_s5),
        cmocka_unit_test(test_rsdp),
        cmocka_unit_test(test_hostile),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
