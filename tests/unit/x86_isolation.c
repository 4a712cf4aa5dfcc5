/* SPDX-License-Identifier: MIT */
/*
 * What a CPU's copy of a guest's L4 has (x86/isolation.c): the guest's own entries, and of the
 * hypervisor's those that it may have; made anew when it is old, and only then. And what lacks in
 * it, when a fault came of that.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "x86_names.h"
#include <core/frame/frame.h>
#include <hv/x86_bits.h>
#include <port/machine.h>
#include <x86/x86.h>

#define L4     0x5000ull /* where the guest's is */
#define OTHERS 0x6000ull
#define M2P    256u
#define ABOVE  272u

/* What isolation_prepare() needs is not called here. */
uint8_t entry_start[1], entry_end[1];
uint64_t *hv_l4;
bool isolating;

static uint64_t table[2][512], copy[512];
static struct cpu_block *block;

void *phys_ptr(paddr_t pa)
{
    assert_true(pa == L4 || pa == OTHERS);
    return table[pa == OTHERS];
}

struct cpu_block *fake_this_block(void)
{
    return block;
}

struct cpu_block *fake_cpu_block(unsigned int number)
{
    (void)number;
    return block;
}

void *alloc_hv_pages(unsigned int order)
{
    (void)order;
    return NULL;
}

mfn_t frame_of(const void *mapped)
{
    (void)mapped;
    return MFN(0);
}

uint64_t idt_address(void)
{
    return 0;
}

static int setup(void **state)
{
    (void)state;
    if (!block)
        block = aligned_alloc(CPU_BLOCK_SIZE, sizeof(*block));
    memset(block, 0, sizeof(*block));
    memset(copy, 0, sizeof(copy));
    for (unsigned int i = 0; i < 512; i++) {
        table[0][i] = (uint64_t)i << 20 | PTE_PRESENT;
        table[1][i] = (uint64_t)i << 30 | PTE_PRESENT;
    }
    block->cpu.arch.isolated_l4 = copy;
    block->cpu.arch.cr3 = L4;
    isolating = true;
    return 0;
}

static void isolate(void)
{
    isolate_guest(&block->cpu);
}

static void whose_entries(void **state)
{
    (void)state;
    copy[261] = 0xabc; /* the image's slot is the CPU's own */
    isolate();
    for (unsigned int i = 0; i < 512; i++) {
        bool guests = i <= M2P || i >= ABOVE || i == 260;

        assert_int_equal(copy[i], guests ? table[0][i] : i == 261 ? 0xabc : 0);
    }
}

static void only_when_it_is_old(void **state)
{
    (void)state;
    isolate();
    table[0][3] = 0x77;
    isolate();
    assert_int_equal(copy[3], 3 << 20 | PTE_PRESENT);
    block->cpu.arch.isolated_from = 0; /* a flush */
    isolate();
    assert_int_equal(copy[3], 0x77);
    block->cpu.arch.cr3 = OTHERS;
    isolate();
    assert_int_equal(copy[3], table[1][3]);
}

static bool lacked(unsigned int slot)
{
    return isolation_lacked((uint64_t)slot << 39 | (slot < 256 ? 0x123456 : 0xffffull << 48));
}

/* Another CPU made an entry since: a fault there is not the guest's. Everywhere else it is. */
static void what_it_lacks(void **state)
{
    const unsigned int slots[] = {0, 9, 255, M2P, 260, ABOVE, 511};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(slots); i++) {
        unsigned int slot = slots[i];
        uint64_t entry = table[0][slot];

        table[0][slot] = block->cpu.arch.isolated_from = 0;
        isolate();
        assert_false(lacked(slot));
        table[0][slot] = entry & ~PTE_PRESENT;
        assert_false(lacked(slot));
        table[0][slot] = entry;
        assert_true(lacked(slot));
        assert_false(lacked(slot ? slot - 1 : 1));
        isolating = false;
        assert_false(lacked(slot));
        isolating = true;
        block->cpu.arch.isolated_from = 0; /* as it came by an exception */
        isolate();
        assert_false(lacked(slot));
        table[0][slot] = 0;
        assert_false(lacked(slot));
        table[0][slot] = entry;
    }
    /* What is not to be there is not missed. */
    assert_false(lacked(257));
    assert_false(lacked(261));
    assert_false(lacked(271));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(whose_entries, setup),
        cmocka_unit_test_setup(only_when_it_is_old, setup),
        cmocka_unit_test_setup(what_it_lacks, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
