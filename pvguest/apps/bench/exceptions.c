/* SPDX-License-Identifier: MIT */
/*
 * Exceptions that the kernel gets and returns from, and instructions that are done for it.
 *
 * The handlers count: an exception that did not come is none that was cheap.
 */
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/machine.h>

#include "bench.h"

#define MSR_FS_BASE 0xc0000100u
#define NOWHERE     0x1000ul

static unsigned int seen;
static unsigned int length; /* of the instruction that is to be left out */

static bool skip(struct trap_regs *regs)
{
    seen++;
    regs->rip += length;
    return true;
}

static int expect(unsigned int vector, unsigned int bytes)
{
    length = bytes;
    trap_set_handler(vector, skip);
    return 0;
}

/* As REPEAT: 0 when each came, once. */
#define EXPECT(n, ...)                                                                             \
    ({                                                                                             \
        seen = 0;                                                                                  \
        REPEAT(n, __VA_ARGS__);                                                                    \
        READ_ONCE(seen) == (n) ? 0 : -1;                                                           \
    })

static bool skip_load(struct trap_regs *regs)
{
    return trap_fault_address() == NOWHERE && skip(regs);
}

static int prepare_page_fault(void)
{
    expect(TRAP_PAGE_FAULT, 2); /* mov (%rbx), %eax */
    trap_set_handler(TRAP_PAGE_FAULT, skip_load);
    return 0;
}

static long op_page_fault(unsigned int n)
{
    return EXPECT(n, __asm__ volatile("mov (%0), %%eax" : : "b"(NOWHERE) : "rax", "memory"));
}

static int prepare_ud2(void)
{
    return expect(TRAP_INVALID_OP, 2);
}

static long op_ud2(unsigned int n)
{
    return EXPECT(n, __asm__ volatile("ud2" : : : "memory"));
}

static int prepare_breakpoint(void)
{
    return expect(TRAP_BREAKPOINT, 0); /* a trap: RIP is behind it */
}

static long op_breakpoint(unsigned int n)
{
    return EXPECT(n, __asm__ volatile("int3" : : : "memory"));
}

static int prepare_cr8(void)
{
    return expect(TRAP_GP, 4);
}

static long op_cr8(unsigned int n)
{
    return EXPECT(n, __asm__ volatile("mov %%cr8, %%rax" : : : "rax", "memory"));
}

/* CR0.TS is set, an instruction of the FPU is not done, and is done again when TS is clear: which
 * the hypervisor sees to before it tells. */
static int prepare_no_device(void)
{
    return expect(TRAP_NO_DEVICE, 0);
}

static long op_no_device(unsigned int n)
{
    return EXPECT(n, HYPERVISOR_fpu_taskswitch(1); __asm__ volatile("fnop" : : : "memory"));
}

/* ---- instructions that are done for the kernel ---- */

static long op_cpuid(unsigned int n)
{
    uint32_t eax, ecx;

    REPEAT(n, __asm__ volatile("ud2; .ascii \"xen\"; cpuid"
                               : "=a"(eax), "=c"(ecx)
                               : "0"(1), "1"(0)
                               : "rbx", "rdx"));
    return 0;
}

static long op_clts(unsigned int n)
{
    REPEAT(n, __asm__ volatile("clts"));
    return 0;
}

static long op_cr0(unsigned int n)
{
    REPEAT(n, read_cr0());
    return 0;
}

static long op_rdmsr(unsigned int n)
{
    REPEAT(n, rdmsr(MSR_FS_BASE));
    return 0;
}

static long op_wrmsr(unsigned int n)
{
    REPEAT(n, wrmsr(MSR_FS_BASE, NOWHERE));
    return 0;
}

/* ---- the way back from all of them, into the kernel ---- */

static long op_iret(unsigned int n)
{
    REPEAT(n,
           IRET("pushq $0\n\tjmp hypercall_page + %c[entry]", FLAT_KERNEL_SS, FLAT_KERNEL_CS & ~3));
    return 0;
}

/* clang-format off */
const struct bench exception_rows[] = {
    {"page_fault",     op_page_fault, prepare_page_fault, 0},
    {"invalid_opcode", op_ud2,        prepare_ud2, 0},
    {"breakpoint",     op_breakpoint, prepare_breakpoint, 0},
    {"no_device",      op_no_device,  prepare_no_device, 0},
    {"mov_cr8",        op_cr8,        prepare_cr8, 0},
    {"iret",           op_iret,       NULL, 0},
    {"cpuid_forced",   op_cpuid,      NULL, 0},
    {"clts",           op_clts,       NULL, 0},
    {"read_cr0",       op_cr0,        NULL, 0},
    {"rdmsr_fs_base",  op_rdmsr,      NULL, 0},
    {"wrmsr_fs_base",  op_wrmsr,      NULL, 0},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
