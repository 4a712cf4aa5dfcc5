/* SPDX-License-Identifier: MIT */
/*
 * Page tables: entries set in each of the ways that there are, and flushes.
 */
#include <guest/kernel.h>
#include <guest/pagetable.h>

#include "bench.h"

#define BATCH 128

static unsigned long page_va;
static pte_t pte_rw, pte_ro;
static mmu_update_t same[BATCH], toggle[BATCH];

static int prepare_page(void)
{
    const pte_t *pte;

    if (page_va)
        return 0;
    page_va = (unsigned long)page_alloc();
    if (!page_va)
        return -1;
    pte = pt_walk(pt_root, page_va, 1);
    *(volatile char *)page_va = 0; /* sets accessed and dirty */
    pte_rw = *pte;
    pte_ro = pte_rw & ~PTE_RW;
    for (unsigned int i = 0; i < BATCH; i++) {
        same[i].ptr = toggle[i].ptr = pt_maddr(pte) | MMU_NORMAL_PT_UPDATE;
        same[i].val = pte_rw;
        toggle[i].val = i % 2 ? pte_rw : pte_ro;
    }
    return 0;
}

static long op_va_same(unsigned int n)
{
    return ASK(n, HYPERVISOR_update_va_mapping(page_va, pte_rw, UVMF_NONE));
}

static long op_va_toggle(unsigned int n)
{
    return ASK(n, HYPERVISOR_update_va_mapping(page_va, i_ % 2 ? pte_rw : pte_ro, UVMF_NONE));
}

static long op_va_invlpg(unsigned int n)
{
    return ASK(n, HYPERVISOR_update_va_mapping(page_va, i_ % 2 ? pte_rw : pte_ro,
                                               UVMF_INVLPG | UVMF_LOCAL));
}

static long op_mmu_1(unsigned int n)
{
    return ASK(n, HYPERVISOR_mmu_update(same, 1, NULL, DOMID_SELF));
}

static long op_mmu_16(unsigned int n)
{
    return ASK(n, HYPERVISOR_mmu_update(same, 16, NULL, DOMID_SELF));
}

static long op_mmu_128(unsigned int n)
{
    return ASK(n, HYPERVISOR_mmu_update(same, 128, NULL, DOMID_SELF));
}

static long op_mmu_toggle(unsigned int n)
{
    return ASK(n, HYPERVISOR_mmu_update(toggle, 128, NULL, DOMID_SELF));
}

/* A store to a page table is an ordinary page fault until this assist is on. */
static int prepare_emulated_write(void)
{
    return prepare_page() ||
           HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables);
}

static long op_emulated_write(unsigned int n)
{
    volatile pte_t *pte = (volatile pte_t *)pt_walk(pt_root, page_va, 1);

    REPEAT(n, *pte = i_ % 2 ? pte_rw : pte_ro);
    return 0;
}

static long op_flush(unsigned int n)
{
    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_LOCAL};

    return ASK(n, HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
}

static long op_invlpg(unsigned int n)
{
    struct mmuext_op op = {.cmd = MMUEXT_INVLPG_LOCAL, .arg1.linear_addr = page_va};

    return ASK(n, HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
}

/* clang-format off */
const struct bench table_rows[] = {
    {"va_mapping_same",       op_va_same,    prepare_page, 0},
    {"va_mapping_toggle",     op_va_toggle,  prepare_page, 0},
    {"va_mapping_invlpg",     op_va_invlpg,  prepare_page, 0},
    {"mmu_update_1",          op_mmu_1,      prepare_page, 0},
    {"mmu_update_16",         op_mmu_16,     prepare_page, 0},
    {"mmu_update_128",        op_mmu_128,    prepare_page, 0},
    {"mmu_update_128_toggle", op_mmu_toggle, prepare_page, 0},
    {"emulated_pt_write",     op_emulated_write, prepare_emulated_write, 0},
    {"tlb_flush_local",       op_flush,      prepare_page, 0},
    {"invlpg_local",          op_invlpg,     prepare_page, 0},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
