/* SPDX-License-Identifier: MIT */
/*
 * The machine itself: what a CPU takes for what a hypervisor of paravirtual guests has to do, by a
 * kernel that has a CPU. Not in ring 3: there each of these is a hypercall or an exception.
 *
 * User mode is left and entered again at once, without a kernel in between. A write to CR3 is
 * measured alone, and with pages that are looked at afterwards, which have to be walked to again,
 * or, as global ones, have not. The cheapest hypercall is an exit and the return from it, with what
 * the hypervisor does between; where it shows a local APIC of its own, reading it is another.
 */
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/machine.h>
#include <guest/user.h>

#include "bench.h"

#define CR4_PGE 0x80ul
#define PAGES   64u

extern char sysret_at_once[], iret_at_once[];

/* ---- user mode, and back ---- */

static const uint8_t calls[] = {
    0x0f, 0x05, /* 1: syscall */
    0xff, 0xcf, /*    dec %edi */
    0x75, 0xfa, /*    jnz 1b */
    0x0f, 0x0b, /*    ud2 */
};

static const uint8_t exceptions[] = {
    0xcc,       /* 1: int3 */
    0xff, 0xcf, /*    dec %edi */
    0x75, 0xfb, /*    jnz 1b */
    0x0f, 0x0b, /*    ud2 */
};

static int prepare_calls(void)
{
    return user_init() || user_load(calls, sizeof(calls));
}

static int prepare_exceptions(void)
{
    return user_init() || user_load(exceptions, sizeof(exceptions));
}

static long run(unsigned int n)
{
    struct trap_regs regs = {.rip = USER_CODE, .rsp = USER_STACK_TOP, .rdi = n};

    return user_run(&regs) == TRAP_INVALID_OP && !regs.rdi ? 0 : -1;
}

static long op_syscall(unsigned int n)
{
    uint64_t usual = rdmsr(MSR_LSTAR);
    long rc;

    wrmsr(MSR_LSTAR, (uint64_t)sysret_at_once);
    rc = run(n);
    wrmsr(MSR_LSTAR, usual);
    return rc;
}

struct gate {
    uint16_t offset_low, selector, flags, offset_middle;
    uint32_t offset_high, reserved;
};

static struct gate *breakpoint_gate(void)
{
    struct __attribute__((packed)) {
        uint16_t limit;
        struct gate *gates;
    } idt;

    __asm__ volatile("sidt %0" : "=m"(idt));
    return &idt.gates[TRAP_BREAKPOINT];
}

static long op_exception(unsigned int n)
{
    struct gate *gate = breakpoint_gate(), usual = *gate;
    uint64_t to = (uint64_t)iret_at_once;
    long rc;

    gate->offset_low = (uint16_t)to;
    gate->offset_middle = (uint16_t)(to >> 16);
    gate->offset_high = (uint32_t)(to >> 32);
    rc = run(n);
    *gate = usual;
    return rc;
}

/* ---- the TLB ---- */

static char *pages;

static int map_pages(unsigned long flags)
{
    unsigned long mfns[PAGES];
    char *memory = pages_alloc(PAGES);

    if (!memory)
        return -1;
    for (unsigned int i = 0; i < PAGES; i++)
        mfns[i] = virt_to_mfn(memory + i * PAGE_SIZE);
    pages = map_frames(mfns, PAGES, PTE_KERNEL_RW | PTE_NX | flags);
    write_cr4(read_cr4() | CR4_PGE);
    return pages ? 0 : -1;
}

static int prepare_pages(void)
{
    return map_pages(0);
}

static int prepare_global(void)
{
    return map_pages(PTE_GLOBAL);
}

static void look_at_pages(void)
{
    for (unsigned int i = 0; i < PAGES; i++)
        (void)READ_ONCE(pages[i * PAGE_SIZE]);
}

static long op_look(unsigned int n)
{
    REPEAT(n, look_at_pages());
    return 0;
}

static long op_cr3(unsigned int n)
{
    uint64_t cr3 = read_cr3();

    REPEAT(n, write_cr3(cr3));
    return 0;
}

static long op_cr3_look(unsigned int n)
{
    uint64_t cr3 = read_cr3();

    REPEAT(n, write_cr3(cr3); look_at_pages());
    return 0;
}

static long op_invlpg(unsigned int n)
{
    REPEAT(n, invlpg((unsigned long)pages));
    return 0;
}

static long op_exit(unsigned int n)
{
    return ASK(n, HYPERVISOR_xen_version(XENVER_version, NULL));
}

static int prepare_lapic(void)
{
    lapic_init();
    return 0;
}

static long op_lapic(unsigned int n)
{
    REPEAT(n, lapic_read(LAPIC_TPR));
    return 0;
}

/* clang-format off */
const struct bench machine_rows[] = {
    {"syscall_pair",      op_syscall,   prepare_calls, 0},
    {"exception_pair",    op_exception, prepare_exceptions, 0},
    {"cr3",               op_cr3,       NULL, 0},
    {"look_at_64_pages",  op_look,      prepare_pages, 0},
    {"cr3_64_pages",      op_cr3_look,  prepare_pages, 0},
    {"cr3_64_global",     op_cr3_look,  prepare_global, 0},
    {"invlpg",            op_invlpg,    prepare_pages, 0},
    {"exit",              op_exit,      NULL, 0},
    {"lapic_read",        op_lapic,     prepare_lapic, 0},
    {NULL, NULL, NULL, 0},
};
/* clang-format on */
