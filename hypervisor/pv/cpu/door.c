/* SPDX-License-Identifier: MIT */
/*
 * Where SYSCALL and SYSENTER of a guest arrive: MSRs of each CPU, and its two stubs.
 *
 * SYSCALL changes neither RSP nor any segment base, and both GS bases are the guest's. So each CPU
 * has a stub of its own, which finds the CPU's block by address and begins the frame in the running
 * vCPU. 32 bytes, or 42 where page tables are isolated (x86/isolation.c), with what is in brackets:
 *     mov [user_rsp], rsp; (mov rsp, [cr3]; mov cr3, rsp;) mov rsp, [guest_frame]; push GUEST_SS;
 *     push [user_rsp]; push r11; jmp entry
 */
#include <parvis/string.h>
#include <pv/cpu.h>
#include <x86/insn.h>
#include <x86/percpu.h>
#include <x86/regs.h>
#include <x86/x86.h>

extern uint8_t syscall_stubs[], syscall_entry[], syscall32_entry[], sysenter_entry[];

/* Appends an instruction whose last four bytes are a displacement from its end to `to`. */
static uint8_t *emit_relative(uint8_t *at, const void *op, size_t n, const void *to)
{
    int32_t rel = (int32_t)((uint64_t)to - (uint64_t)(at + n + 4));

    memcpy(at, op, n);
    memcpy(at + n, &rel, 4);
    return at + n + 4;
}

static void write_stub(uint8_t *at, struct cpu_block *block, const void *entry)
{
    at = emit_relative(at, "\x48\x89\x25", 3, &block->user_rsp);
    if (isolating) {
        at = emit_relative(at, "\x48\x8b\x25", 3, &block->cpu.arch.cr3);
        memcpy(at, "\x0f\x22\xdc", 3);
        at += 3;
    }
    at = emit_relative(at, "\x48\x8b\x25", 3, &block->guest_frame);
    memcpy(at, "\x68\x2b\xe0\x00\x00", 5);
    at = emit_relative(at + 5, "\xff\x35", 2, &block->user_rsp);
    memcpy(at, "\x41\x53", 2);
    emit_relative(at + 2, "\xe9", 1, entry);
}

/* Those of all blocks: the image can be written to for a short time only. */
static void write_stubs(void)
{
    for (unsigned int i = 0; i < NR_CPUS; i++) {
        write_stub(syscall_stubs + i * SYSCALL_STUBS_SIZE, cpu_block(i), syscall_entry);
        write_stub(syscall_stubs + i * SYSCALL_STUBS_SIZE + SYSCALL_STUBS_SIZE / 2, cpu_block(i),
                   syscall32_entry);
    }
}

void pv_cpu_init(void)
{
    struct cpu_block *block = this_block();
    uint8_t *stubs = syscall_stubs + block->number * SYSCALL_STUBS_SIZE;

    if (block->number == 0)
        write_stubs();
    wrmsr(MSR_STAR, (uint64_t)FLAT_RING3_CS32 << 48 | (uint64_t)HV_CS << 32);
    wrmsr(MSR_LSTAR, (uint64_t)stubs);
    wrmsr(MSR_CSTAR, (uint64_t)(stubs + SYSCALL_STUBS_SIZE / 2));
    wrmsr(MSR_SFMASK, X86_EFLAGS_TF | X86_EFLAGS_IF | X86_EFLAGS_DF | X86_EFLAGS_IOPL |
                          X86_EFLAGS_NT | X86_EFLAGS_RF | X86_EFLAGS_AC);
    if (!cpu_has.sysenter)
        return;
    wrmsr(MSR_SYSENTER_CS, HV_CS);
    wrmsr(MSR_SYSENTER_ESP, (uint64_t)&block->tss + offsetof(struct tss, rsp0));
    wrmsr(MSR_SYSENTER_EIP, (uint64_t)sysenter_entry);
}
