/* SPDX-License-Identifier: MIT */
/*
 * What a fully virtualized kernel does in place of a hypercall: its CPU and its page tables are its
 * own. By the name of the row for a paravirtual one (ops.c).
 */
#include <guest/kernel.h>
#include <guest/machine.h>
#include <guest/pagetable.h>

#include "bench.h"

#define BATCH 128

static volatile pte_t *entry;
static pte_t pte_rw, pte_ro;
static unsigned long va;
static pte_t table[BATCH]; /* as if they were entries: a store is a store */

static int prepare_entry(void)
{
    if (entry)
        return 0;
    va = (unsigned long)page_alloc();
    if (!va)
        return -1;
    entry = (volatile pte_t *)(uintptr_t)pt_walk(pt_root, va, 1);
    pte_rw = *entry;
    pte_ro = pte_rw & ~PTE_RW;
    return 0;
}

static void op_clts(unsigned int n)
{
    REPEAT(n, __asm__ volatile("clts"));
}

static void op_same(unsigned int n)
{
    REPEAT(n, *entry = pte_rw);
}

static void op_toggle(unsigned int n)
{
    REPEAT(n, *entry = i_ % 2 ? pte_rw : pte_ro);
}

static void op_toggle_invlpg(unsigned int n)
{
    REPEAT(n, *entry = i_ % 2 ? pte_rw : pte_ro; invlpg(va));
}

static void store(unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        *(volatile pte_t *)&table[i] = pte_rw;
}

static void op_16(unsigned int n)
{
    REPEAT(n, store(16));
}

static void op_128(unsigned int n)
{
    REPEAT(n, store(BATCH));
}

static void op_invlpg(unsigned int n)
{
    REPEAT(n, invlpg(va));
}

static void op_cr3(unsigned int n)
{
    uint64_t cr3 = read_cr3();

    REPEAT(n, write_cr3(cr3));
}

static void op_cpuid(unsigned int n)
{
    uint32_t out[4];

    REPEAT(n, cpuid(1, 0, out));
}

/* clang-format off */
const struct bench hvm_benches[] = {
    {"fpu_taskswitch",        op_clts,          NULL},
    {"stack_switch",          NULL,             NULL}, /* a store to its TSS */
    {"va_mapping_same",       op_same,          prepare_entry},
    {"va_mapping_toggle",     op_toggle,        prepare_entry},
    {"va_mapping_invlpg",     op_toggle_invlpg, prepare_entry},
    {"mmu_update_1",          op_same,          prepare_entry},
    {"mmu_update_16",         op_16,            prepare_entry},
    {"mmu_update_128",        op_128,           prepare_entry},
    {"mmu_update_128_toggle", op_128,           prepare_entry},
    {"emulated_pt_write",     op_toggle,        prepare_entry},
    {"tlb_flush_local",       op_cr3,           prepare_entry},
    {"invlpg_local",          op_invlpg,        prepare_entry},
    {"new_baseptr_same",      op_cr3,           NULL},
    {"cpuid_forced",          op_cpuid,         NULL},
    {"grant_map_unmap",       NULL,             NULL}, /* a guest of this kind maps none */
    {NULL, NULL, NULL},
};
/* clang-format on */
