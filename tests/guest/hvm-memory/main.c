/* SPDX-License-Identifier: MIT */
/*
 * Shows: where a guest has no memory, what it reads is ones and what it writes is lost, by the
 * moves of 32 bits that kernels use on devices, from and to each register and by each way to form
 * an address; the local APIC's registers are reached in the same ways. An address that the machine
 * has not is a page fault with the bit for reserved bits. Memory holds to its last byte.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-memory";

#define WINDOW 0x400000000000ul

static volatile uint32_t *look_at(uint64_t paddr)
{
    if (pt_map(WINDOW, pte_make(paddr >> PAGE_SHIFT, PTE_KERNEL_RW | PTE_NX)))
        panic("no memory for a page table");
    return (volatile uint32_t *)(WINDOW + (paddr & ~PAGE_MASK));
}

static void holes(void)
{
    uint64_t end = start_info->nr_pages << PAGE_SHIFT;
    const uint64_t places[] = {end,        end + 0x123450, 0xc0000000,  0xfd000000,  0xfebffffc,
                               0xfee01000, 0xfffffffc,     0x100000000, 0xfffffff000};
    uint64_t error = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(places); i++) {
        volatile uint32_t *at = look_at(places[i]);

        CHECK_EQ(mmio_read(at), ~0u, "where nothing is reads as ones");
        mmio_write(at, 0x12345678);
        CHECK_EQ(mmio_read(at), ~0u, "also when something was written");
    }
    CHECK_EQ(probe_read((void *)look_at(1ul << 51), &error), TRAP_PAGE_FAULT,
             "an address of 52 bits");
    CHECK_EQ(error & ~1ul, 8, "has reserved bits set (QEMU says that it is not present)");
}

static void last_bytes(void)
{
    volatile uint32_t *last = look_at((start_info->nr_pages << PAGE_SHIFT) - 4);
    uint32_t was = *last;

    *last = ~was;
    CHECK_EQ(*last, ~was, "the last bytes of memory hold what is written");
    *last = was;
}

#define STORE_AND_LOAD(reg)                                                                        \
    do {                                                                                           \
        uint32_t got;                                                                              \
                                                                                                   \
        __asm__ volatile("movl %2, %%" reg "d\n\tmovl %%" reg "d, (%1)\n\tmovl $0, %%" reg         \
                         "d\n\tmovl (%1), %%" reg "d\n\tmovl %%" reg "d, %0"                       \
                         : "=r"(got)                                                               \
                         : "a"(tpr), "i"(__LINE__ & 0xff)                                          \
                         : reg, "memory");                                                         \
        CHECK_EQ(got, __LINE__ & 0xff, "TPR by " reg);                                             \
    } while (0)
#define STORE_AND_LOAD_OLD(wide, reg)                                                              \
    do {                                                                                           \
        uint32_t got;                                                                              \
                                                                                                   \
        __asm__ volatile("movl %2, %%" reg "\n\tmovl %%" reg ", (%1)\n\tmovq $-1, %%" wide         \
                         "\n\tmovl (%1), %%" reg "\n\tmovl %%" reg ", %0\n\tshrq $32, %%" wide     \
                         "\n\torl %%" reg ", %0"                                                   \
                         : "=&r"(got)                                                              \
                         : "a"(tpr), "i"(__LINE__ & 0xff)                                          \
                         : wide, "memory");                                                        \
        CHECK_EQ(got, __LINE__ & 0xff, "TPR by " reg ", whose upper half is 0");                   \
    } while (0)

static void registers(void)
{
    volatile uint32_t *tpr = look_at(LAPIC_PADDR + LAPIC_TPR);

    STORE_AND_LOAD_OLD("rbx", "ebx");
    STORE_AND_LOAD_OLD("rcx", "ecx");
    STORE_AND_LOAD_OLD("rdx", "edx");
    STORE_AND_LOAD_OLD("rsi", "esi");
    STORE_AND_LOAD_OLD("rdi", "edi");
    STORE_AND_LOAD("r8");
    STORE_AND_LOAD("r9");
    STORE_AND_LOAD("r10");
    STORE_AND_LOAD("r11");
    STORE_AND_LOAD("r12");
    STORE_AND_LOAD("r13");
    STORE_AND_LOAD("r14");
    STORE_AND_LOAD("r15");
    mmio_write(tpr, 0);
}

/* Ways to say where: with scale, index and each length of displacement, with RSP as base. */
static void addresses(void)
{
    unsigned long page = (unsigned long)look_at(LAPIC_PADDR);
    uint32_t a, b, c, d;

    __asm__ volatile("movl $0x20, 0x80(%4)\n\t"
                     "movl 0x80(%4), %0\n\t"
                     "movl 0x60(%4,%5,4), %1\n\t"
                     "movl 0x12345(%6), %2\n\t"
                     "xchgq %%rsp, %6\n\t"
                     "movl 0x12345(%%rsp), %3\n\t"
                     "xchgq %%rsp, %6\n\t"
                     "movl $0, 0x80(%4)"
                     : "=&r"(a), "=&r"(b), "=&r"(c), "=&r"(d)
                     : "r"(page), "r"(8ul), "r"(page + 0x80 - 0x12345)
                     : "memory");
    CHECK(a == 0x20 && b == 0x20 && c == 0x20 && d == 0x20, "TPR, by each form of an address");
}

/* In the APIC's page, where no register is. Xen has zeros there. */
static void between_registers(void)
{
    volatile uint32_t *page = look_at(LAPIC_PADDR);
    uint32_t xens = has_hypercalls() ? 0 : ~0u;

    CHECK_EITHER(mmio_read(&page[0x34 / 4]), ~0u, xens, "no register begins there");
    mmio_write(&page[0x84 / 4], 0x10);
    CHECK_EQ(mmio_read(&page[0x80 / 4]), 0, "and what is written there is lost");
    CHECK_EITHER(mmio_read(&page[0xffc / 4]), ~0u, xens, "nor at the page's end");
}

void test_main(void)
{
    cli(); /* a handler would find TPR's class, or RSP, to be odd */
    holes();
    last_bytes();
    registers();
    addresses();
    between_registers();
    CHECK_EQ(lapic_read(LAPIC_VERSION) & 0xff, 0x14, "the local APIC is as it was");
}
