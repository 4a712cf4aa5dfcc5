/* SPDX-License-Identifier: MIT */
/*
 * Whole tables: one root after another, and frames that become tables and memory again.
 */
#include <guest/kernel.h>
#include <guest/pagetable.h>

#include "bench.h"

#define ENTRIES   512u
#define XEN_FIRST 256u /* the root's entries of the hypervisor: not a guest's to say */
#define XEN_LAST  271u

static long mmuext(unsigned int cmd, unsigned long mfn)
{
    struct mmuext_op op = {.cmd = cmd, .arg1.mfn = mfn};

    return HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF);
}

static long op_new_baseptr(unsigned int n)
{
    struct mmuext_op op = {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = virt_to_mfn(pt_root)};

    return ASK(n, HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
}

/* ---- a second root, which maps the same ---- */

static unsigned long roots[2]; /* frames: the kernel's own, and the second */

static int prepare_roots(void)
{
    pte_t *second;

    if (roots[1])
        return 0;
    second = page_alloc_zeroed();
    if (!second)
        return -1;
    for (unsigned int i = 0; i < ENTRIES; i++)
        if (i < XEN_FIRST || i > XEN_LAST)
            second[i] = pt_root[i];
    if (pt_protect(second, PTE_KERNEL_RO | PTE_NX) ||
        mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(second)))
        return -1;
    roots[0] = virt_to_mfn(pt_root);
    roots[1] = virt_to_mfn(second);
    return 0;
}

static long op_there_and_back(unsigned int n)
{
    struct mmuext_op there = {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = roots[1]};
    struct mmuext_op back = {.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = roots[0]};

    return ASK(n, HYPERVISOR_mmuext_op(&there, 1, NULL, DOMID_SELF) |
                      HYPERVISOR_mmuext_op(&back, 1, NULL, DOMID_SELF));
}

/* What Linux collects when it switches from a process to another: both roots, and the stack. */
static long switch_to(unsigned long root)
{
    static char stack[64] __attribute__((aligned(16)));
    struct mmuext_op ops[2] = {{.cmd = MMUEXT_NEW_BASEPTR, .arg1.mfn = root},
                               {.cmd = MMUEXT_NEW_USER_BASEPTR, .arg1.mfn = root}};
    multicall_entry_t calls[2];
    long rc;

    calls[0].op = __HYPERVISOR_mmuext_op;
    calls[0].args[0] = (unsigned long)ops;
    calls[0].args[1] = 2;
    calls[0].args[2] = 0;
    calls[0].args[3] = DOMID_SELF;
    calls[1].op = __HYPERVISOR_stack_switch;
    calls[1].args[0] = FLAT_KERNEL_SS;
    calls[1].args[1] = (unsigned long)(stack + sizeof(stack));
    rc = HYPERVISOR_multicall(calls, 2);
    return rc | (long)calls[0].result | (long)calls[1].result;
}

static long op_linux_switch(unsigned int n)
{
    long all = ASK(n, switch_to(roots[i_ % 2])); /* the last is roots[1] */

    return all | mmuext(MMUEXT_NEW_BASEPTR, roots[0]);
}

/* ---- full tables, pinned and let go: of 512 pages, and of 512 such tables ---- */

static pte_t *small, *large;

static pte_t *full_table(const char *first, unsigned long flags)
{
    pte_t *table = page_alloc();

    if (!table)
        return NULL;
    for (unsigned int i = 0; i < ENTRIES; i++)
        table[i] = pte_make(virt_to_mfn(first + i * PAGE_SIZE), flags);
    return pt_protect(table, PTE_KERNEL_RO | PTE_NX) ? NULL : table;
}

static const char *pages_to_map(void)
{
    static char *pages;

    if (!pages)
        pages = pages_alloc(ENTRIES);
    return pages;
}

static int prepare_small(void)
{
    if (!small && pages_to_map())
        small = full_table(pages_to_map(), PTE_KERNEL_RW | PTE_NX);
    return small ? 0 : -1;
}

static int prepare_large(void)
{
    pte_t *tables;

    if (large)
        return 0;
    tables = pages_alloc(ENTRIES);
    if (!tables || prepare_small())
        return -1;
    for (unsigned int i = 0; i < ENTRIES; i++) {
        memcpy(tables + i * ENTRIES, small, PAGE_SIZE);
        if (pt_protect(tables + i * ENTRIES, PTE_KERNEL_RO | PTE_NX))
            return -1;
    }
    large = full_table((const char *)tables, PTE_TABLE);
    return large ? 0 : -1;
}

static long op_pin_small(unsigned int n)
{
    unsigned long mfn = virt_to_mfn(small);

    return ASK(n, mmuext(MMUEXT_PIN_L1_TABLE, mfn) | mmuext(MMUEXT_UNPIN_TABLE, mfn));
}

static long op_pin_large(unsigned int n)
{
    unsigned long mfn = virt_to_mfn(large);

    return ASK(n, mmuext(MMUEXT_PIN_L2_TABLE, mfn) | mmuext(MMUEXT_UNPIN_TABLE, mfn));
}

/* clang-format off */
const struct bench root_rows[] = {
    {"new_baseptr_same",      op_new_baseptr,    NULL, 0},
    {"new_baseptr_twice",     op_there_and_back, prepare_roots, 0},
    {"multicall_linux_switch", op_linux_switch,  prepare_roots, 0},
    {"pin_unpin_512",         op_pin_small,      prepare_small, 200},
    {"pin_unpin_512x512",     op_pin_large,      prepare_large, 2},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
