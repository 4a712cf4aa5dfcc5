/* SPDX-License-Identifier: MIT */
/*
 * What a paravirtualized kernel asks for because the CPU is not its own: registers, stack,
 * segments, descriptor tables.
 */
#include <guest/kernel.h>
#include <guest/pagetable.h>

#include "bench.h"

#define DATA_SEGMENT 0x00cff3000000ffffull /* data, read and write, DPL 3, 4 GiB, present */
#define GDT_ENTRIES  512u

static long op_taskswitch(unsigned int n)
{
    return ASK(n, HYPERVISOR_fpu_taskswitch(0));
}

static long op_stack_switch(unsigned int n)
{
    static char stack[64] __attribute__((aligned(16)));

    return ASK(n, HYPERVISOR_stack_switch(FLAT_KERNEL_SS, (unsigned long)(stack + sizeof(stack))));
}

static long op_debugreg(unsigned int n)
{
    return ASK(n, HYPERVISOR_set_debugreg(0, 0));
}

static long op_base_fs(unsigned int n)
{
    return ASK(n, HYPERVISOR_set_segment_base(SEGBASE_FS, 0x1000));
}

static long op_base_gs_user(unsigned int n)
{
    return ASK(n, HYPERVISOR_set_segment_base(SEGBASE_GS_USER, 0x1000));
}

static uint64_t *gdt;

static int prepare_gdt(void)
{
    if (gdt)
        return 0;
    gdt = page_alloc_zeroed();
    return gdt ? pt_protect(gdt, PTE_KERNEL_RO | PTE_NX) : -1;
}

static long op_gdt(unsigned int n)
{
    xen_ulong_t frame = virt_to_mfn(gdt);

    return ASK(n, HYPERVISOR_set_gdt(&frame, GDT_ENTRIES));
}

/* A descriptor of the table that is loaded. */
static int prepare_descriptor(void)
{
    return prepare_gdt() || op_gdt(1);
}

static long op_descriptor(unsigned int n)
{
    uint64_t maddr = pt_maddr(gdt + 2);

    return ASK(n, HYPERVISOR_update_descriptor(maddr, DATA_SEGMENT));
}

/* clang-format off */
const struct bench cpu_rows[] = {
    {"fpu_taskswitch",           op_taskswitch,   NULL, 0},
    {"stack_switch",             op_stack_switch, NULL, 0},
    {"set_debugreg",             op_debugreg,     NULL, 0},
    {"set_segment_base_fs",      op_base_fs,      NULL, 0},
    {"set_segment_base_gs_user", op_base_gs_user, NULL, 0},
    {"set_gdt",                  op_gdt,          prepare_gdt, 0},
    {"update_descriptor",        op_descriptor,   prepare_descriptor, 0},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
