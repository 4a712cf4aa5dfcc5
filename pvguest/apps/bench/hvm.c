/* SPDX-License-Identifier: MIT */
/*
 * What a fully virtualized kernel does in place of a hypercall: its CPU and its page tables are its
 * own. By the name of the row for a paravirtual one.
 */
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/machine.h>
#include <guest/pagetable.h>

#include "bench.h"

#define BATCH         128
#define CR0_TS        8ul
#define MSR_FS_BASE   0xc0000100u
#define MSR_KERNEL_GS 0xc0000102u /* the base that SWAPGS brings: an application's */
#define SOMEWHERE     0x1000ul

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

static void store(unsigned int count)
{
    for (unsigned int i = 0; i < count; i++)
        *(volatile pte_t *)&table[i] = pte_rw;
}

/* What the kernel does by itself cannot be refused. */
#define ROW(name, ...)                                                                             \
    static long name(unsigned int n)                                                               \
    {                                                                                              \
        REPEAT(n, __VA_ARGS__);                                                                    \
        return 0;                                                                                  \
    }

ROW(op_clts, __asm__ volatile("clts"))
ROW(op_debugreg, __asm__ volatile("mov %0, %%dr0" : : "r"(0ul)))
ROW(op_base_fs, wrmsr(MSR_FS_BASE, SOMEWHERE))
ROW(op_base_gs_user, wrmsr(MSR_KERNEL_GS, SOMEWHERE))
ROW(op_same, *entry = pte_rw)
ROW(op_toggle, *entry = i_ % 2 ? pte_rw : pte_ro)
ROW(op_toggle_invlpg, *entry = i_ % 2 ? pte_rw : pte_ro; invlpg(va))
ROW(op_16, store(16))
ROW(op_128, store(BATCH))
ROW(op_invlpg, invlpg(va))
ROW(op_cr8, read_cr8())

static long op_gdt(unsigned int n)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } gdt;

    __asm__ volatile("sgdt %0" : "=m"(gdt));
    REPEAT(n, __asm__ volatile("lgdt %0" : : "m"(gdt)));
    return 0;
}

static long op_cr3(unsigned int n)
{
    uint64_t cr3 = read_cr3();

    REPEAT(n, write_cr3(cr3));
    return 0;
}

static long op_cr3_twice(unsigned int n)
{
    uint64_t cr3 = read_cr3();

    REPEAT(n, write_cr3(cr3); write_cr3(cr3));
    return 0;
}

/* The root, and the stack in the TSS. */
static long op_linux_switch(unsigned int n)
{
    uint64_t cr3 = read_cr3();

    REPEAT(n, write_cr3(cr3); store(1));
    return 0;
}

static long op_cpuid(unsigned int n)
{
    uint32_t out[4];

    REPEAT(n, cpuid(1, 0, out));
    return 0;
}

static unsigned int seen;

static bool clear_ts(struct trap_regs *regs)
{
    (void)regs;
    seen++;
    __asm__ volatile("clts");
    return true;
}

static int prepare_no_device(void)
{
    trap_set_handler(TRAP_NO_DEVICE, clear_ts);
    return 0;
}

static long op_no_device(unsigned int n)
{
    uint64_t set = read_cr0() | CR0_TS;

    seen = 0;
    REPEAT(n, write_cr0(set); __asm__ volatile("fnop" : : : "memory"));
    return READ_ONCE(seen) == n ? 0 : -1;
}

ROW(op_iret, IRET("iretq", HVM_KERNEL_SS, HVM_KERNEL_CS))

/* clang-format off */
const struct bench hvm_rows[] = {
    {"fpu_taskswitch",           op_clts,          NULL, 0},
    {"stack_switch",             NULL,             NULL, 0}, /* a store to its TSS */
    {"set_debugreg",             op_debugreg,      NULL, 0},
    {"set_segment_base_fs",      op_base_fs,       NULL, 0},
    {"set_segment_base_gs_user", op_base_gs_user,  NULL, 0},
    {"set_gdt",                  op_gdt,           NULL, 0},
    {"update_descriptor",        op_same,          prepare_entry, 0},
    {"va_mapping_same",          op_same,          prepare_entry, 0},
    {"va_mapping_toggle",        op_toggle,        prepare_entry, 0},
    {"va_mapping_invlpg",        op_toggle_invlpg, prepare_entry, 0},
    {"mmu_update_1",             op_same,          prepare_entry, 0},
    {"mmu_update_16",            op_16,            prepare_entry, 0},
    {"mmu_update_128",           op_128,           prepare_entry, 0},
    {"mmu_update_128_toggle",    op_128,           prepare_entry, 0},
    {"emulated_pt_write",        op_toggle,        prepare_entry, 0},
    {"tlb_flush_local",          op_cr3,           NULL, 0},
    {"invlpg_local",             op_invlpg,        prepare_entry, 0},
    {"new_baseptr_same",         op_cr3,           NULL, 0},
    {"new_baseptr_twice",        op_cr3_twice,     NULL, 0},
    {"multicall_linux_switch",   op_linux_switch,  NULL, 0},
    {"pin_unpin_512",            NULL,             NULL, 0}, /* its tables are memory as any other */
    {"pin_unpin_512x512",        NULL,             NULL, 0},
    {"no_device",                op_no_device,     prepare_no_device, 0},
    {"mov_cr8",                  op_cr8,           NULL, 0},
    {"iret",                     op_iret,          NULL, 0},
    {"cpuid_forced",             op_cpuid,         NULL, 0},
    {"grant_map_unmap",          NULL,             NULL, 0}, /* a guest of this kind maps none */
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
