/* SPDX-License-Identifier: MIT */
/*
 * The machine's own part of struct cpu: owned by x86/, opaque to core and pv.
 */
#ifndef HV_ARCH_CPU_H
#define HV_ARCH_CPU_H

#include <hv/types.h>

/* The block of a CPU (x86/percpu.h), and where in it struct cpu is. */
#define CPU_BLOCK_SIZE 0x10000
#define CPU_OFFSET     0xf000

struct cpu;

/* port/current.h's this_cpu() on the machine, by the stack pointer. */
static inline struct cpu *cpu_of_stack(void)
{
    uint64_t sp;

    __asm__("mov %%rsp, %0" : "=r"(sp));
    return (struct cpu *)((sp & ~(uint64_t)(CPU_BLOCK_SIZE - 1)) + CPU_OFFSET);
}

struct arch_cpu {
    uint32_t apic_id;
    uint32_t start;        /* how far it came: x86/smp.c, atomic */
    const char *lacks;     /* why it was left out */
    uint32_t stopped;      /* the machine ends, and it stands still: x86/stop.c, atomic */
    void *gdt;             /* the reserved GDT page of this CPU */
    uint64_t gdt_page_pte; /* its L1 entry: goes to slot 14 of a vCPU's GDT area */
    struct vcpu *loaded;   /* whose segments, LDT, debug registers are loaded */
    struct vcpu *copied;   /* the same, if its kind copies to its addresses itself; else NULL */
    /* Addresses by which guest copies reach it: so many at the top, and those below one. */
    uint64_t guest_top, guest_below;
    struct vcpu *fpu_owner; /* whose FPU state is in the registers */
    uint64_t xcr0;          /* what XCR0 holds */
    uint64_t cr3;           /* what CR3 holds, in the hypervisor (asm-offsets) */
    /* And while a paravirtual guest runs, where page tables are isolated (x86/isolation.c): the
     * table, its address (asm-offsets), and which L4 it is a copy of, 0: of what was. The CPU's
     * own alone */
    uint64_t *isolated_l4;
    uint64_t isolated_cr3, isolated_from;
    struct vcpu *trained_by; /* who ran here last, and what MSR SPEC_CTRL is to hold: */
    uint32_t spec_ctrl;      /* x86/speculation.c */
    uint32_t flushes;    /* how often it flushed its TLB: for who keeps translations of his own */
    uint64_t tsc_base;   /* its TSC when clock_now() was 0 */
    uint32_t held_ranks; /* debug builds: bit per rank of the locks that it holds */
    struct tsc_answer {  /* to the boot CPU, in one cache line: x86/tsc_compare.c */
        uint32_t turn;   /* whose it is: atomic */
        uint64_t tsc, adjust;
    } tsc_answer __aligned(64);
};

#endif
