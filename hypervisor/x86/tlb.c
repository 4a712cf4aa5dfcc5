/* SPDX-License-Identifier: MIT */
/*
 * Flushes of this CPU's TLB and caches (core/base/tlb.c says when).
 *
 * Guest user pages and the hypervisor's are global, so that a switch between guest kernel and user
 * keeps them; every other load of CR3 flushes them too, by turning CR4.PGE off and on. So a CPU
 * knows translations only of the domain that it runs now. MOV CR3 and MOV CR4 are serializing:
 * each is a full barrier.
 */
#include <port/machine.h>

#include "insn.h"
#include "percpu.h"
#include "regs.h"

void machine_load_cr3(uint64_t cr3, bool keep_global)
{
    uint64_t cr4;

    this_block()->cpu.arch.cr3 = cr3;
    this_block()->cpu.arch.isolated_from = 0;
    if (keep_global) {
        write_cr3(cr3);
        return;
    }
    this_block()->cpu.arch.flushes++;
    cr4 = read_cr4();
    write_cr4(cr4 & ~X86_CR4_PGE);
    write_cr3(cr3);
    write_cr4(cr4);
}

void machine_flush_tlb(void)
{
    uint64_t cr4 = read_cr4();

    this_block()->cpu.arch.flushes++;
    this_block()->cpu.arch.isolated_from = 0;
    write_cr4(cr4 & ~X86_CR4_PGE);
    write_cr3(read_cr3());
    write_cr4(cr4);
}

void flush_tlb_one_local(gva_t va)
{
    this_block()->cpu.arch.isolated_from = 0; /* what is cached of its upper tables goes too */
    invlpg(va);
}

void machine_flush_cache(void)
{
    wbinvd();
}
