/* SPDX-License-Identifier: MIT */
/*
 * Which way to flush a TLB is chosen on which CPU, and what each of them does to the CPU's
 * registers: in which order, and that no more is written (x86/flush_way.h, tlb.c).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <string.h>

#include <cmocka.h>

#include "x86_names.h"
#include <hv/x86_bits.h>
#include <port/machine.h>
#include <x86/flush_way.h>

#define CR4 (X86_CR4_PAE | X86_CR4_PGE | X86_CR4_SMEP)
#define OLD 0x5000ull
#define NEW 0x6000ull

enum flush_way flush_way;

static struct cpu_block block;
static char done[128];

static void note(const char *what)
{
    strcat(done, what);
}

uint64_t read_cr3(void)
{
    return OLD;
}

uint64_t read_cr4(void)
{
    return CR4;
}

void write_cr3(uint64_t v)
{
    note(v == NEW ? "new " : v == OLD ? "old " : "? ");
}

void write_cr4(uint64_t v)
{
    note(v == CR4 ? "on " : v == (CR4 & ~X86_CR4_PGE) ? "off " : "? ");
}

void invpcid_all(void)
{
    note("all ");
}

void invlpg(uint64_t va)
{
    note(va == 0x7000 ? "one " : "? ");
}

void wbinvd(void)
{
    note("cache ");
}

struct cpu_block *fake_this_block(void)
{
    return &block;
}

struct cpu_block *fake_cpu_block(unsigned int number)
{
    fail_msg("the block of CPU %u is asked for", number);
    return NULL;
}

static void is_chosen(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 16; i++) {
        const struct cpu_features f = {
            .is_amd = i & 1, .below_hypervisor = i & 2, .invpcid = i & 4, .tcg = i & 8};

        assert_int_equal(choose_flush_way(&f), i & 4           ? FLUSH_BY_INVPCID
                                               : (i & 11) == 3 ? FLUSH_BY_CR3
                                                               : FLUSH_BY_CR4);
    }
}

/* What is done to flush, to load another table, and to load one that shares what is global. */
static void does(enum flush_way way, const char *flush, const char *load)
{
    flush_way = way;
    memset(&block, 0, sizeof(block));
    block.cpu.arch.isolated_from = OLD;
    done[0] = 0;
    machine_flush_tlb();
    assert_string_equal(done, flush);
    assert_int_equal(block.cpu.arch.flushes, 1);
    assert_int_equal(block.cpu.arch.isolated_from, 0);

    block.cpu.arch.isolated_from = OLD;
    done[0] = 0;
    machine_load_cr3(NEW, false);
    assert_string_equal(done, load);
    assert_int_equal(block.cpu.arch.flushes, 2);
    assert_int_equal(block.cpu.arch.cr3, NEW);
    assert_int_equal(block.cpu.arch.isolated_from, 0);

    block.cpu.arch.isolated_from = OLD;
    done[0] = 0;
    machine_load_cr3(OLD, true);
    assert_string_equal(done, "old ");
    assert_int_equal(block.cpu.arch.flushes, 2);
    assert_int_equal(block.cpu.arch.cr3, OLD);
    assert_int_equal(block.cpu.arch.isolated_from, 0);
}

static void is_done(void **state)
{
    (void)state;
    does(FLUSH_BY_CR4, "off old on ", "off new on ");
    does(FLUSH_BY_INVPCID, "old all ", "new all ");
    does(FLUSH_BY_CR3, "old ", "new ");
}

static void one_address_and_caches(void **state)
{
    (void)state;
    block.cpu.arch.isolated_from = OLD;
    done[0] = 0;
    flush_tlb_one_local(0x7000);
    assert_int_equal(block.cpu.arch.isolated_from, 0);
    machine_flush_cache();
    assert_string_equal(done, "one cache ");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(is_chosen),
        cmocka_unit_test(is_done),
        cmocka_unit_test(one_address_and_caches),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
