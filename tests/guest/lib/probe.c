/* SPDX-License-Identifier: MIT */
/*
 * Small experiments that many guest tests make: touch an address, protect a page, one mmuext_op.
 */
#include "test.h"

int probe_call(void (*fn)(void *), void *arg, uint64_t *error)
{
    struct trap_catch c;

    if (!trap_catch(&c, fn, arg))
        return -1;
    if (error)
        *error = c.error;
    return (int)c.vector;
}

static void do_read(void *arg)
{
    (void)*(volatile uint8_t *)arg;
}

int probe_read(const volatile void *va, uint64_t *error)
{
    return probe_call(do_read, (void *)(uintptr_t)va, error);
}

static uint64_t value_to_write;

static void do_write(void *arg)
{
    *(volatile uint64_t *)arg = value_to_write;
}

int probe_write(volatile void *va, uint64_t value, uint64_t *error)
{
    value_to_write = value;
    return probe_call(do_write, (void *)(uintptr_t)va, error);
}

void *test_page(void)
{
    void *page = page_alloc_zeroed();

    if (!page)
        panic("out of memory");
    return page;
}

int test_page_protect(void *page, bool writable)
{
    return pt_protect(page, (writable ? PTE_KERNEL_RW : PTE_KERNEL_RO) | PTE_NX);
}

int test_mmuext(unsigned int cmd, unsigned long arg1, unsigned long arg2)
{
    struct mmuext_op op = {.cmd = cmd, .arg1.mfn = arg1, .arg2.nr_ents = (unsigned int)arg2};

    return (int)HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF);
}
