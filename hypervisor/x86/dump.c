/* SPDX-License-Identifier: MIT */
/*
 * What the hypervisor shows when it cannot go on, besides its registers (core/base/registers.c):
 * the calls that led there.
 *
 * The code is compiled with frame pointers. A chain of frames is followed only inside the stack of
 * this CPU and only upwards, so a broken one ends the list and does no further harm. Entry code
 * sets RBP to 0: there the chain ends.
 */
#include <core/base/log.h>
#include <port/current.h>

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
        log_error("    %016lx %s+%#lx", address, name, offset + back);
    else
        log_error("    %016lx", address);
}

void dump_stack(uint64_t rip, uint64_t rbp)
{
    uint64_t block = (uint64_t)this_block();

    log_error("calls on CPU %u:", this_cpu()->id);
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
