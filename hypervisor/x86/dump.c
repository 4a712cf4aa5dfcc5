/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor shows when it cannot go on: registers and the calls that led there.
 *
 * The code is compiled with frame pointers. A chain of frames is followed only inside the stack of
 * this CPU and only upwards, so a broken one ends the list and does no further harm. Entry code
 * sets RBP to 0: there the chain ends.
 */
#include <core/base/log.h>

#include "insn.h"
#include "percpu.h"
#include "symbols.h"
#include "x86.h"

/* A return address is looked up one byte before: a call may be the last instruction of its
 * function. */
static void show_code_address(uint64_t address, unsigned int back)
{
    uint64_t offset = 0;
    const char *name = symbol_lookup(address - back, &offset);

    if (name && address >= IMAGE_VIRT && address < (uint64_t)text_end)
        log_error("    %016lx %s+%#lx", (unsigned long)address, name, (unsigned long)offset + back);
    else
        log_error("    %016lx", (unsigned long)address);
}

void dump_stack(uint64_t rip, uint64_t rbp)
{
    uint64_t block = (uint64_t)this_block();

    log_error("calls:");
    show_code_address(rip, 0);
    for (unsigned int i = 0; i < 32; i++) {
        const uint64_t *frame = (const uint64_t *)rbp;

        if (rbp < block || rbp > block + CPU_OFFSET - 16 || rbp % 8 != 0)
            break;
        show_code_address(frame[1], 1);
        if (frame[0] <= rbp)
            break;
        rbp = frame[0];
    }
}

void dump_registers(const struct cpu_user_regs *r)
{
    typedef unsigned long ul;

    log_error("rip %04x:%016lx  rflags %08lx  vector %u  error code %#x", r->cs, (ul)r->rip,
              (ul)r->rflags, r->entry_vector, r->error_code);
    log_error("rsp %04x:%016lx  cr2 %016lx  cr3 %016lx", r->ss, (ul)r->rsp, (ul)read_cr2(),
              (ul)read_cr3());
    log_error("rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx", (ul)r->rax, (ul)r->rbx, (ul)r->rcx,
              (ul)r->rdx);
    log_error("rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx", (ul)r->rsi, (ul)r->rdi, (ul)r->rbp,
              (ul)r->r8);
    log_error("r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx", (ul)r->r9, (ul)r->r10, (ul)r->r11,
              (ul)r->r12);
    log_error("r13 %016lx  r14 %016lx  r15 %016lx", (ul)r->r13, (ul)r->r14, (ul)r->r15);
}
