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

pte_t *test_root(void)
{
    pte_t *root = test_page();

    for (unsigned int i = 0; i < 512; i++)
        if (i < 256 || i > 271) /* the hypervisor's own */
            root[i] = pt_root[i];
    if (test_page_protect(root, false))
        panic("a page cannot be made read-only");
    return root;
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

unsigned long test_iret(unsigned long nr, void *a, unsigned long b, unsigned long rax)
{
    __asm__ volatile(
        "mov %%rsp, %%rdx\n\t"
        "pushq %[ss]\n\t"
        "pushq %%rdx\n\t"
        "pushfq\n\t"
        "pushq %[cs]\n\t"
        "leaq 1f(%%rip), %%rcx\n\t"
        "pushq %%rcx\n\t"
        "pushq $0\n\t"
        "pushq %%rcx\n\t"
        "pushq %%r11\n\t"
        "pushq %%rax\n\t"
        "movl %[nr], %%eax\n\t"
        "syscall\n\t"
        "movl $0x5a5a, %%eax\n\t" /* should it come back here */
        ".byte 0x66, 0x90\n"      /* two bytes that do nothing, should it go on before 1 */
        "1:"
        : "+a"(rax), "+D"(a), "+S"(b)
        : [ss] "i"(FLAT_KERNEL_SS), [cs] "i"(FLAT_KERNEL_CS & ~3), [nr] "r"((uint32_t)nr)
        : "rcx", "rdx", "r11", "memory");
    return rax;
}
