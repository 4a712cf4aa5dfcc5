/* SPDX-License-Identifier: MIT */
/*
 * Page-table isolation (x86/isolation.c): of the hypervisor's own tables a CPU's copy maps what
 * must be there while a guest runs, as it is mapped there, and no page more, however memory ends;
 * and of a guest's L4, in a random life of changes, loads, flushes and ways out, the copy has what
 * is the guest's to see, and the hypervisor's slots as they were made; and what lacks in it when a
 * fault came of that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>

#include <cmocka.h>

#include "x86_names.h"
#include <core/frame/frame.h>
#include <port/machine.h>
#include <x86/percpu.h>
#include <x86/x86.h>

#define BLOCKS 3
#define TABLES 64
#define LEVELS 4

/* Far from each other and from the entry code, so that tables of each level are another's. */
#define FAR_AWAY 0x200000000000ul
#define APART    0x008000200000ul
static struct cpu_block *blocks[BLOCKS];
static uint8_t *idt;
/* The entry code: three pages, with others around it. */
__asm__(".pushsection .data\n.balign 4096\n"
        ".globl entry_start, entry_end\n"
        ".skip 4096\nentry_start: .skip 3 * 4096\nentry_end: .skip 4096\n.popsection");
extern uint8_t entry_start[], entry_end[];

static uint64_t tables[TABLES][512] __aligned(4096);   /* for copies, in turn */
static unsigned int used, asked, refused, refused_end; /* which requests are refused */
static uint64_t own[TABLES][512] __aligned(4096);      /* the hypervisor's; the first is its L4 */
static unsigned int own_used;

uint64_t *hv_l4 = own[0];
bool isolating;

/* ---- the machine: a frame lies where its number says ---- */

void *alloc_hv_pages(unsigned int order)
{
    assert_int_equal(order, 0);
    asked++;
    if (asked > refused && asked <= refused_end)
        return NULL;
    memset(tables[used], 0xa5, PAGE_SIZE);
    return tables[used++];
}

mfn_t frame_of(const void *mapped)
{
    return MFN((uint64_t)mapped >> PAGE_SHIFT);
}

void *phys_ptr(paddr_t pa)
{
    return (void *)pa;
}

uint64_t idt_address(void)
{
    return (uint64_t)idt;
}

struct cpu_block *fake_this_block(void)
{
    return blocks[0];
}

/* ---- what is mapped ---- */

static unsigned int index_at(uint64_t va, unsigned int level)
{
    return va >> (12 + 9 * (level - 1)) & 511;
}

/* In the hypervisor's tables; each page gets an entry of its own. */
static void map(const void *at)
{
    uint64_t va = (uint64_t)at & PAGE_MASK, *table = hv_l4;

    for (unsigned int level = LEVELS; level > 1; level--) {
        uint64_t *e = &table[index_at(va, level)];

        if (!*e) {
            assert_true(own_used < TABLES);
            *e = (uint64_t)own[own_used++] | PTE_PRESENT | PTE_RW;
        }
        table = (uint64_t *)(*e & PTE_FRAME_MASK);
    }
    table[index_at(va, 1)] =
        ((uint64_t)rand() << 12 & PTE_FRAME_MASK) | PTE_PRESENT | (rand() & 1 ? PTE_RW : 0);
}

static uint64_t own_entry(uint64_t va)
{
    uint64_t *table = hv_l4;

    for (unsigned int level = LEVELS; level > 1; level--)
        table = (uint64_t *)(table[index_at(va, level)] & PTE_FRAME_MASK);
    return table[index_at(va, 1)];
}

/* All that a CPU with this block touches, or its ways in and out do, before CR3 is changed. */
static bool must_be_there(const struct cpu_block *b, uint64_t page)
{
    const void *const things[] = {
        &b->tss,     (const uint8_t *)(&b->tss + 1) - 1, &b->cpu, &b->user_rsp, &b->guest_frame,
        &b->door[0], &b->door[ARRAY_SIZE(b->door) - 1],  idt};

    for (size_t i = 0; i < ARRAY_SIZE(things); i++)
        if (((uint64_t)things[i] & PAGE_MASK) == page)
            return true;
    for (unsigned int i = 1; i <= 4; i++) /* the stacks of NMI, #DF, #MC, #DB are not used up */
        if ((uint64_t)b->stacks + i * IST_SIZE - PAGE_SIZE == page)
            return true;
    return page >= (uint64_t)entry_start && page < (uint64_t)entry_end;
}

/* How many pages the table maps; each must be. */
static unsigned int walk(const struct cpu_block *b, const uint64_t *table, unsigned int level,
                         uint64_t va)
{
    unsigned int pages = 0;

    for (uint64_t i = 0; i < 512; i++) {
        uint64_t at = va | i << (12 + 9 * (level - 1)), e = table[i];

        if (!e)
            continue;
        if (level > 1) { /* not for ring 3 */
            assert_int_equal(e & ~PTE_FRAME_MASK, PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY);
            pages += walk(b, (const uint64_t *)(e & PTE_FRAME_MASK), level - 1, at);
            continue;
        }
        assert_int_equal(e, own_entry(at));
        if (!must_be_there(b, at))
            fail_msg("%#lx is mapped: %#lx of the block", (unsigned long)at,
                     (unsigned long)(at - (uint64_t)b));
        pages++;
    }
    return pages;
}

static unsigned int wanted(const struct cpu_block *b)
{
    unsigned int pages = must_be_there(b, (uint64_t)idt);

    for (const uint8_t *at = entry_start; at < entry_end; at += PAGE_SIZE)
        pages += must_be_there(b, (uint64_t)at);
    for (uint64_t at = 0; at < CPU_BLOCK_SIZE; at += PAGE_SIZE)
        pages += must_be_there(b, (uint64_t)b + at);
    return pages;
}

static void *page_at(unsigned int place, size_t size)
{
    void *at = (void *)(FAR_AWAY + place * APART),
         *got =
             mmap(at, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);

    assert_ptr_equal(got, at);
    return got;
}

static int start(void **state)
{
    (void)state;
    srand(1);
    for (unsigned int i = 0; i < BLOCKS; i++)
        blocks[i] = page_at(i, sizeof(struct cpu_block));
    for (unsigned int i = 0; i < BLOCKS * 4; i++) /* as make_descriptors() has them */
        blocks[i / 4]->tss.ist[i % 4] = (uint64_t)blocks[i / 4]->stacks + (i % 4 + 1) * IST_SIZE;
    idt = page_at(BLOCKS, PAGE_SIZE);
    memset(own, 0, sizeof(own));
    own_used = 1;
    used = asked = refused = refused_end = 0;
    isolating = true;
    for (const uint8_t *at = entry_start - PAGE_SIZE; at < entry_end + PAGE_SIZE; at += PAGE_SIZE)
        map(at);
    for (unsigned int i = 0; i < BLOCKS; i++)
        for (uint64_t at = 0; at < CPU_BLOCK_SIZE; at += PAGE_SIZE)
            if (!is_guard_page(at))
                map((const uint8_t *)blocks[i] + at);
    map(idt);
    return 0;
}

/* ---- the tests ---- */

static void each_block_has_what_it_must(void **state)
{
    static uint64_t before[TABLES][512];

    (void)state;
    memcpy(before, own, sizeof(own));
    for (unsigned int i = 0; i < BLOCKS; i++) {
        struct cpu_block *b = blocks[i];

        assert_true(isolation_prepare(b));
        assert_int_equal(b->cpu.arch.isolated_cr3, (uint64_t)b->cpu.arch.isolated_l4);
        assert_int_equal(b->tss.rsp0, (uint64_t)&b->door[ARRAY_SIZE(b->door)]);
    }
    for (unsigned int i = 0; i < BLOCKS; i++)
        assert_int_equal(walk(blocks[i], blocks[i]->cpu.arch.isolated_l4, LEVELS, 0),
                         wanted(blocks[i]));
    assert_memory_equal(before, own, sizeof(own));
}

/* From each request on, or at that one alone: it says so. */
static void memory_may_end(void **state)
{
    unsigned int takes;

    assert_true(isolation_prepare(blocks[0]));
    takes = asked;
    for (unsigned int n = 0; n <= takes; n++)
        for (unsigned int nr = 1; nr <= TABLES; nr += TABLES - 1) {
            start(state);
            refused = n;
            refused_end = n + nr;
            assert_int_equal(isolation_prepare(blocks[0]), n == takes);
        }
}

static void not_where_it_is_no_measure(void **state)
{
    static struct cpu_block none;

    (void)state;
    none = *blocks[0];
    isolating = false;
    assert_true(isolation_prepare(blocks[0]));
    assert_int_equal(used, 0);
    assert_memory_equal(blocks[0], &none, sizeof(none));
}

/* What a guest leaves at the door, and nothing else, goes with it. */
static void another_vcpu(void **state)
{
    static struct cpu_block as_it_was;
    struct cpu_block *b = blocks[0];

    (void)state;
    memset(b, 0x5a, sizeof(*b));
    as_it_was = *b;
    memset(as_it_was.door, 0, sizeof(as_it_was.door));
    isolation_switch(b);
    assert_memory_equal(b, &as_it_was, sizeof(*b));
}

/* ABI: Xen's slots. M2P for guests, and the descriptor tables of a domain, are a guest's to see. */
static bool is_the_guests(unsigned int slot)
{
    return slot < 256 || slot == 256 || slot == 260 || slot > 271;
}

#define GUESTS 3
static uint64_t guest[GUESTS][512] __aligned(4096), seen[512], made[512];

static void a_copy_is_as_it_was_made(const uint64_t *copy)
{
    for (unsigned int i = 0; i < 512; i++)
        if (copy[i] != (is_the_guests(i) ? seen : made)[i])
            fail_msg("slot %u has %#lx", i, (unsigned long)copy[i]);
}

static void ways_out(void **state)
{
    struct cpu *c = &blocks[0]->cpu;
    uint64_t from = 0; /* what CR3 held when the copy was made; 0: it is to be made anew */
    unsigned int copies = 0;

    (void)state;
    assert_true(isolation_prepare(blocks[0]));
    for (unsigned int i = 0; i < 512; i++)
        c->arch.isolated_l4[i] = made[i] = 0x1000 + i;
    for (unsigned int g = 0; g < GUESTS; g++)
        for (unsigned int i = 0; i < 512; i++)
            guest[g][i] = (uint64_t)rand();
    c->arch.cr3 = (uint64_t)guest[0];
    for (unsigned int n = 0; n < 20000; n++) {
        switch (rand() % 8) {
        case 0: /* CR3 */
            c->arch.cr3 = (uint64_t)guest[rand() % GUESTS];
            break;
        case 1: /* a flush, or an entry by an exception: x86/tlb.c, x86/entry.inc */
            c->arch.isolated_from = from = 0;
            break;
        case 2:
        case 3:
        case 4:
            guest[rand() % GUESTS][rand() % 512] = (uint64_t)rand();
            break;
        default:
            if (from != c->arch.cr3) {
                memcpy(seen, (const void *)c->arch.cr3, sizeof(seen));
                from = c->arch.cr3;
                copies++;
            }
            isolate_guest(c);
            a_copy_is_as_it_was_made(c->arch.isolated_l4);
        }
    }
    assert_in_range(copies, 1000, 8000);
}

/* In the addresses that this entry of an L4 is for. */
static bool lacked(unsigned int slot)
{
    return isolation_lacked((uint64_t)slot << 39 | (slot < 256 ? 0x123456 : 0xffffull << 48));
}

static void a_copy_is_made_anew(struct cpu *c)
{
    c->arch.isolated_from = 0;
    isolate_guest(c);
}

/* Another CPU made an entry since: a fault there is not the guest's. Everywhere else it is. */
static void what_it_lacks(void **state)
{
    struct cpu *c = &blocks[0]->cpu;

    (void)state;
    assert_true(isolation_prepare(blocks[0]));
    for (unsigned int i = 0; i < 512; i++)
        guest[0][i] = (uint64_t)i << 20 | PTE_PRESENT;
    c->arch.cr3 = (uint64_t)guest[0];
    for (unsigned int slot = 0; slot < 512; slot++) {
        uint64_t entry = guest[0][slot];

        guest[0][slot] = 0;
        a_copy_is_made_anew(c);
        assert_false(lacked(slot));
        guest[0][slot] = entry & ~PTE_PRESENT;
        assert_false(lacked(slot));
        guest[0][slot] = entry;
        assert_int_equal(lacked(slot), is_the_guests(slot));
        assert_false(lacked(slot ^ 1));
        isolating = false;
        assert_false(lacked(slot));
        isolating = true;
        a_copy_is_made_anew(c); /* as it came by an exception */
        assert_false(lacked(slot));
        guest[0][slot] = 0;
        assert_false(lacked(slot));
        guest[0][slot] = entry;
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(each_block_has_what_it_must, start),
        cmocka_unit_test_setup(memory_may_end, start),
        cmocka_unit_test_setup(not_where_it_is_no_measure, start),
        cmocka_unit_test_setup(another_vcpu, start),
        cmocka_unit_test_setup(ways_out, start),
        cmocka_unit_test_setup(what_it_lacks, start),
    };

    return cmocka_run_group_tests_name("x86_isolation", tests, NULL, NULL);
}
