/* SPDX-License-Identifier: MIT */
/*
 * A guest's own page tables: a page by each kind of paging, each right and each bit of a fault's
 * code, what lies in no memory; random tables against the oracle; copies and fetches by guest
 * addresses. (A guest that changes its tables meanwhile: hvm_walk_moment.c.)
 */
#include "core_test.h"

#include "hvm_walk_random.h"

static struct domain *d;

static int setup(void **state)
{
    (void)state;
    d = walk_guest_init();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    for (struct page_info *pg = frame_table; pg <= &frame_table[max_mfn]; pg++)
        if (pg->owner == 1 && !(pg->count_info & PGC_xenheap))
            assert_int_equal(pg->count_info, PGC_allocated | 2);
    host_destroy(d);
    return 0;
}

static void put(uint64_t gpa, uint64_t e)
{
    memcpy(walk_page(d, gpa >> 12) + (gpa & 4095), &e, 8);
}

static uint64_t get(uint64_t gpa)
{
    uint64_t e;

    memcpy(&e, walk_page(d, gpa >> 12) + (gpa & 4095), 8);
    return e;
}

static void put32(uint64_t gpa, uint32_t e)
{
    memcpy(walk_page(d, gpa >> 12) + (gpa & 4095), &e, 4);
}

static const struct guest_paging of_64 = {
    .cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP,
    .cr3 = 0x1000,
    .cr4 = X86_CR4_PAE,
    .efer = EFER_LME | EFER_LMA | EFER_NXE,
};
static const struct guest_paging of_pae = {
    .cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP,
    .cr3 = 0x1fe0,
    .cr4 = X86_CR4_PAE,
    .efer = EFER_NXE,
};
static const struct guest_paging of_32 = {
    .cr0 = X86_CR0_PE | X86_CR0_PG | X86_CR0_WP,
    .cr3 = 0x1000,
    .cr4 = X86_CR4_PSE,
};

#define VA 0xffff812345678abcull /* its indices: 0x102, 0x8d, 0x2b, 0x78 */

/* Tables of 64-bit paging for VA, which allow everything. */
static void tables_64(void)
{
    put(0x1000 + 0x102 * 8, 0x2000 | 7);
    put(0x2000 + 0x08d * 8, 0x3000 | 7);
    put(0x3000 + 0x02b * 8, 0x4000 | 7);
    put(0x4000 + 0x078 * 8, 0x100000000 | 7);
}

static void leads_to(const struct guest_paging *g, gva_t va, uint32_t access, uint64_t expected)
{
    struct guest_walk_fault f;
    uint64_t gpa;

    assert_true(guest_walk(d, g, va, access, &gpa, &f));
    assert_int_equal(gpa, expected);
}

static void faults(const struct guest_paging *g, gva_t va, uint32_t access, uint32_t code)
{
    struct guest_walk_fault f;
    uint64_t gpa;

    assert_false(guest_walk(d, g, va, access, &gpa, &f));
    assert_int_equal(f.va, g->efer & EFER_LMA ? va : (uint32_t)va);
    assert_int_equal(f.code, code);
}

static void no_paging(void **state)
{
    const struct guest_paging g = {.cr0 = X86_CR0_PE, .cr3 = ~0ull};

    (void)state;
    leads_to(&g, 0x12345678, PFEC_WRITE, 0x12345678);
    leads_to(&g, 0x9fffffff0, 0, 0xfffffff0);
}

static void of_64_bits(void **state)
{
    (void)state;
    faults(&of_64, VA, PFEC_WRITE, PFEC_WRITE);
    tables_64();
    leads_to(&of_64, VA, 0, 0x100000abc);
    for (unsigned int level = 0; level < 4; level++) /* accessed, not dirty */
        assert_int_equal(get((uint64_t[]){0x1810, 0x2468, 0x3158, 0x43c0}[level]) & 0x60, 0x20);
    leads_to(&of_64, VA, PFEC_WRITE, 0x100000abc);
    assert_int_equal(get(0x43c0), 0x100000067);
    assert_int_equal(get(0x3158), 0x4027);
    put(0x3158, 0x7ffe00000 | 0x1087); /* 2 MiB, with its PAT bit */
    leads_to(&of_64, VA, 0, 0x7ffe00000 + (VA & 0x1fffff));
    put(0x2468, 0xffc0000000 | 0x87); /* 1 GiB */
    leads_to(&of_64, VA, 0, 0xffc0000000 + (VA & 0x3fffffff));
    put(0x2468, 0x2000 | 0x87);
    faults(&of_64, VA, 0, PFEC_PRESENT | PFEC_RESERVED);
    put(0x2468, 1ull << 40 | 7);
    faults(&of_64, VA, PFEC_INSN, PFEC_PRESENT | PFEC_RESERVED | PFEC_INSN);
    put(0x1810, 0x2087);
    faults(&of_64, VA, 0, PFEC_PRESENT | PFEC_RESERVED);
    faults(&of_64, 0x800000000000, 0, GUEST_NOT_CANONICAL);
    faults(&of_64, 0xffff7fffffffffff, PFEC_WRITE, GUEST_NOT_CANONICAL);
}

static void of_pae_tables(void **state)
{
    (void)state;
    put(0x1ff8, 0x2001); /* the pointer of 0xc0000000 */
    put(0x2000 + 0x102 * 8, 0x3007);
    put(0x3000 + 0x78 * 8, 0xfffffff007);
    leads_to(&of_pae, 0xe0478abc, PFEC_WRITE, 0xfffffffabc);
    leads_to(&of_pae, 0x5e0478abc, 0, 0xfffffffabc);
    assert_int_equal(get(0x1ff8), 0x2001);
    assert_int_equal(get(0x2810), 0x3027);
    assert_int_equal(get(0x33c0), 0xfffffff067);
    put(0x2810, 0x1234400000 | 0x87);
    leads_to(&of_pae, 0xe0478abc, 0, 0x1234478abc);
    put(0x2810, 1ull << 62 | 0x3007);
    faults(&of_pae, 0xe0478abc, 0, PFEC_PRESENT | PFEC_RESERVED);
    put(0x1ff8, 0x2021); /* as QEMU leaves it */
    put(0x2810, 0x3007);
    leads_to(&of_pae, 0xe0478abc, PFEC_WRITE, 0xfffffffabc);
    put(0x1ff8, 0x2003);
    faults(&of_pae, 0xe0478abc, 0, PFEC_PRESENT | PFEC_RESERVED);
    put(0x1ff8, 0x2000);
    faults(&of_pae, 0xe0478abc, PFEC_WRITE, PFEC_WRITE);
}

static void of_32_bits(void **state)
{
    struct guest_paging g = of_32;

    (void)state;
    put32(0x1000 + 0x381 * 4, 0x2007);
    put32(0x2000 + 0x078 * 4, 0x8007);
    leads_to(&g, 0xe0478abc, PFEC_WRITE, 0x8abc);
    assert_int_equal((uint32_t)get(0x1e04), 0x2027);
    assert_int_equal((uint32_t)get(0x21e0), 0x8067);
    put32(0x1e04, 0x12c06087); /* 4 MiB above 4 GiB: bits 13 and 14 are 32 and 33 */
    leads_to(&g, 0xe0478abc, 0, 0x312c78abc);
    put32(0x1e04, 0x12dfe087);
    leads_to(&g, 0xe0478abc, 0, 0xff12c78abc);
    put32(0x1e04, 0x12e00087);
    faults(&g, 0xe0478abc, 0, PFEC_PRESENT | PFEC_RESERVED);
    g.cr4 = 0;
    put32(0x1e04, 0x2087);
    leads_to(&g, 0xe0478abc, 0, 0x8abc);
    g.efer = EFER_NXE; /* there is no such bit; codes tell of fetches only if it has a use */
    put32(0x1e04, 0);
    faults(&g, 0xe0478abc, PFEC_INSN, 0);
    g.cr4 = X86_CR4_SMEP;
    faults(&g, 0xe0478abc, PFEC_INSN, PFEC_INSN);
}

/* Each right taken away at each level. */
static void rights(void **state)
{
    static const uint64_t at[] = {0x1810, 0x2468, 0x3158, 0x43c0};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(at); i++) {
        struct guest_paging g = of_64;
        uint64_t e;

        tables_64();
        e = get(at[i]);
        put(at[i], e & ~PTE_RW);
        faults(&g, VA, PFEC_WRITE, PFEC_PRESENT | PFEC_WRITE);
        leads_to(&g, VA, 0, 0x100000abc);
        g.cr0 &= ~X86_CR0_WP;
        leads_to(&g, VA, PFEC_WRITE, 0x100000abc);
        g.cpl = 3;
        faults(&g, VA, PFEC_WRITE, PFEC_PRESENT | PFEC_WRITE | PFEC_USER);
        put(at[i], e & ~PTE_USER);
        faults(&g, VA, 0, PFEC_PRESENT | PFEC_USER);
        put(at[i], e | PTE_NX);
        faults(&g, VA, PFEC_INSN, PFEC_PRESENT | PFEC_USER | PFEC_INSN);
        leads_to(&g, VA, PFEC_WRITE, 0x100000abc);
        g.efer &= ~EFER_NXE;
        faults(&g, VA, 0, PFEC_PRESENT | PFEC_USER | PFEC_RESERVED);
    }
}

static void smep_and_smap(void **state)
{
    struct guest_paging g = of_64;

    (void)state;
    tables_64();
    g.cr4 |= X86_CR4_SMEP;
    faults(&g, VA, PFEC_INSN, PFEC_PRESENT | PFEC_INSN);
    leads_to(&g, VA, 0, 0x100000abc);
    g.cr4 ^= X86_CR4_SMEP | X86_CR4_SMAP;
    leads_to(&g, VA, PFEC_INSN, 0x100000abc);
    faults(&g, VA, 0, PFEC_PRESENT);
    faults(&g, VA, PFEC_WRITE, PFEC_PRESENT | PFEC_WRITE);
    g.ac = true;
    leads_to(&g, VA, PFEC_WRITE, 0x100000abc);
    g.ac = false;
    put(0x2468, 0x3003); /* a supervisor's page is its own */
    leads_to(&g, VA, PFEC_WRITE, 0x100000abc);
    g.cpl = 3;
    faults(&g, VA, 0, PFEC_PRESENT | PFEC_USER);
}

/* A fault marks what led to the entry that it comes from. */
static void marks_of_what_was_done(void **state)
{
    (void)state;
    tables_64();
    put(0x43c0, 0x100000005);
    faults(&of_64, VA, PFEC_WRITE, PFEC_PRESENT | PFEC_WRITE);
    assert_int_equal(get(0x1810), 0x2027);
    assert_int_equal(get(0x43c0), 0x100000005);
}

/* Tables that are no memory, by any register or entry. */
static void tables_in_no_memory(void **state)
{
    struct guest_paging g = of_64;

    (void)state;
    for (uint64_t cr3 = 0x50000; cr3; cr3 <<= 1) {
        g.cr3 = cr3;
        if (cr3 & PTE_FRAME_MASK)
            faults(&g, VA, 0, PFEC_PRESENT | PFEC_RESERVED);
    }
    tables_64();
    put(0x3158, 0x55000 | 7);
    faults(&of_64, VA, 0, PFEC_PRESENT | PFEC_RESERVED);
    g = of_32;
    g.cr3 = 0x50000;
    faults(&g, VA, 0, PFEC_PRESENT | PFEC_RESERVED);
    g.cr4 = 0;
    put32(0xfffff000 + 0x278 * 4, 0x8007); /* all ones are the table at its end: that is memory */
    leads_to(&g, VA, PFEC_WRITE, 0x8abc);
}

/* ---- copies ---- */

static void copies(void **state)
{
    struct guest_walk_fault f;
    char text[6000], back[6000], same[6000];

    (void)state;
    tables_64();
    put(0x4000 + 0x79 * 8, 0x8000 | 7);
    put(0x4000 + 0x7a * 8, 0x77000 | 7); /* no memory */
    for (unsigned int i = 0; i < sizeof(text); i++)
        text[i] = same[i] = (char)(i * 7 + i / 256);
    assert_int_equal(guest_walk_copy(d, &of_64, text, VA, 5000, PFEC_WRITE, &f), 0);
    assert_memory_equal(text, same, sizeof(text));
    assert_memory_equal(walk_page(d, 0x100000) + 0xabc, same, 0x1000 - 0xabc);
    assert_memory_equal(walk_page(d, 8), same + 0x1000 - 0xabc, 5000 - (0x1000 - 0xabc));
    assert_int_equal(get(0x43c8), 0x8067);
    memset(back, 0, sizeof(back));
    assert_int_equal(guest_walk_copy(d, &of_64, back, VA, 5000, 0, &f), 0);
    assert_memory_equal(back, same, 5000);
    assert_int_equal(back[5000], 0);
    assert_int_equal(guest_walk_copy(d, &of_64, back, VA, 0, 0, &f), 0);
    /* two pages are there, the third is no memory, the fourth is not mapped */
    memset(back, 0, sizeof(back));
    assert_int_equal(guest_walk_copy(d, &of_64, back, VA, 5500, 0, &f), -XEN_ENXIO);
    assert_int_equal(f.va, (VA & PAGE_MASK) + 0x2000);
    assert_memory_equal(back, walk_page(d, 0x100000) + 0xabc, 0x1000 - 0xabc);
    assert_int_equal(
        guest_walk_copy(d, &of_64, text, (VA & PAGE_MASK) + 0x2ff8, 16, PFEC_WRITE, &f),
        -XEN_ENXIO);
    assert_int_equal(guest_walk_copy(d, &of_64, text, (VA & PAGE_MASK) + 0x3000, 1, PFEC_WRITE, &f),
                     -XEN_EFAULT);
    assert_int_equal(f.code, PFEC_WRITE);
    assert_int_equal(guest_walk_copy(d, &of_64, text, 0x7ffffffffff8, 16, 0, &f), -XEN_EFAULT);
    assert_int_equal(f.code, 0);
    put(0x4000 + 0x79 * 8, 0x8000 | 5); /* the second may only be read */
    memset(walk_page(d, 0x100000), 0, PAGE_SIZE);
    assert_int_equal(guest_walk_copy(d, &of_64, text, VA, 5000, PFEC_WRITE, &f), -XEN_EFAULT);
    assert_int_equal(f.va, (VA & PAGE_MASK) + 0x1000);
    assert_int_equal(f.code, PFEC_PRESENT | PFEC_WRITE);
    assert_memory_equal(walk_page(d, 0x100000) + 0xabc, same, 0x1000 - 0xabc);
}

static void fetches(void **state)
{
    const struct guest_paging flat = {.cr0 = X86_CR0_PE};
    struct guest_walk_fault f;
    uint8_t code[X86_INSN_MAX];

    (void)state;
    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        walk_page(d, 9)[i] = (uint8_t)i;
    assert_int_equal(guest_walk_fetch(d, &flat, 0x9100, code, &f), X86_INSN_MAX);
    assert_memory_equal(code, walk_page(d, 9) + 0x100, X86_INSN_MAX);
    assert_int_equal(guest_walk_fetch(d, &flat, 0x9ff9, code, &f), 7); /* behind it is no memory */
    assert_int_equal(f.va, 0xa000);
    assert_memory_equal(code, walk_page(d, 9) + 0xff9, 7);
    assert_int_equal(guest_walk_fetch(d, &flat, 0xa000, code, &f), 0);
    assert_int_equal(guest_walk_fetch(d, &flat, 0x7000a000, code, &f), 0);
    assert_int_equal(guest_walk_fetch(d, &flat, 0x10000a005, code, &f), 0);
    memcpy(walk_page(d, 0xfffff) + 0xff8, "end, and", 8); /* round to 0 */
    memcpy(walk_page(d, 0), " beginning", 10);
    assert_int_equal(guest_walk_fetch(d, &flat, 0xfffffff8, code, &f), X86_INSN_MAX);
    assert_memory_equal(code, "end, and beginning", X86_INSN_MAX);
    tables_64();
    put(0x43c0, PTE_NX | 0x9007);
    assert_int_equal(guest_walk_fetch(d, &of_64, VA, code, &f), 0);
    assert_int_equal(f.code, PFEC_PRESENT | PFEC_INSN);
}

/* ---- random tables ---- */

static void any_tables(void **state)
{
    unsigned int reached = 0;
    uint64_t seed = 1;
    uint8_t data[400];

    (void)state;
    for (unsigned int i = 0; i < 6000; i++) {
        for (unsigned int k = 0; k < sizeof(data); k++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            data[k] = (uint8_t)(seed >> 40);
        }
        reached += walk_random_run(d, data, sizeof(data));
    }
    print_message("%u walks reached a page\n", reached);
    assert_true(reached > 10000);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(no_paging),
        TEST(of_64_bits),
        TEST(of_pae_tables),
        TEST(of_32_bits),
        TEST(rights),
        TEST(smep_and_smap),
        TEST(marks_of_what_was_done),
        TEST(tables_in_no_memory),
        TEST(copies),
        TEST(fetches),
        TEST(any_tables),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
