/* SPDX-License-Identifier: MIT */
/*
 * The block of each physical CPU: its stacks, and above them its struct cpu.
 *
 *     +0x0000  a guard, +0x1000  the stack for NMI (TSS.ist: what runs on these four is small)
 *     +0x2000  a guard, +0x3000  the stack for #DF
 *     +0x4000  a guard, +0x5000  the stack for #MC
 *     +0x6000  a guard, +0x7000  the stack for #DB
 *     +0x8000  a guard, +0x9000  the stack
 *     +0xf000  struct cpu (the stack begins just below it), then what only x86/ needs
 *
 * A guard is a page that is never mapped: a stack that overflows is a fault, not a silent overwrite
 * of what lies below it.
 *
 * The block is aligned to its size, so the stack pointer alone tells the CPU (this_cpu()), on any
 * of its stacks, with no segment base.
 */
#ifndef X86_PERCPU_H
#define X86_PERCPU_H

#include <core/state/cpu.h>
#include <hv/types.h>

#define CPU_BLOCKS_VIRT 0xffff82d070000000ull
#define IST_SIZE        0x2000 /* with its guard */
#define MAIN_GUARD      0x8000

enum { IST_NMI = 1, IST_DF, IST_MC, IST_DB };

struct tss {
    uint32_t reserved0;
    uint64_t rsp0, rsp1, rsp2;
    uint64_t reserved1;
    uint64_t ist[7];
    uint64_t reserved2;
    uint16_t reserved3, iomap;
} __packed;

struct cpu_block {
    uint8_t stacks[CPU_OFFSET];
    struct cpu cpu;
    unsigned int number;  /* of the block */
    uint64_t user_rsp;    /* where the SYSCALL stub keeps RSP for a moment (asm-offsets) */
    uint64_t guest_frame; /* the end of the registers of the guest that is loaded */
    uint64_t door[64] __aligned(16); /* isolation.c (asm-offsets) */
    struct tss tss __aligned(128);   /* within one page (asm-offsets) */
    uint8_t rest[] __aligned(CPU_BLOCK_SIZE);
};
_Static_assert(sizeof(struct cpu_block) == CPU_BLOCK_SIZE, "a CPU's block is one aligned 64 KiB");
_Static_assert(offsetof(struct cpu_block, cpu) == CPU_OFFSET, "this_cpu() relies on it");

/* The boot CPU's is number 0 and part of the image; the others are made as CPUs are woken
 * (x86/smp.c), within 2 GiB of code: SYSCALL's stubs reach them by a displacement. */
extern struct cpu_block cpu0_block;

static inline struct cpu_block *cpu_block(unsigned int number)
{
    return number ? (struct cpu_block *)(CPU_BLOCKS_VIRT + number * CPU_BLOCK_SIZE) : &cpu0_block;
}

/* Whether the page at this offset of a block is a guard. */
static inline bool is_guard_page(uint64_t offset)
{
    return offset <= MAIN_GUARD && offset % IST_SIZE == 0;
}

/* The block that an address on one of its stacks lies in. */
static inline struct cpu_block *block_of(const void *sp)
{
    return (struct cpu_block *)((uint64_t)sp & ~(uint64_t)(CPU_BLOCK_SIZE - 1));
}

static inline struct cpu_block *this_block(void)
{
    void *sp;
    __asm__("mov %%rsp, %0" : "=r"(sp));
    return block_of(sp);
}

#endif
