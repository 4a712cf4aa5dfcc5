/* SPDX-License-Identifier: MIT */
/*
 * Flushes of this CPU's TLB and caches (core/base/tlb.c says when).
 *
 * Guest user pages and the hypervisor's are global, so that a switch between guest kernel and user
 * keeps them; every other load of CR3 flushes them too, in one of three ways (flush_way.h). So a
 * CPU knows translations only of the domain that it runs now. MOV CR3 and MOV CR4 are serializing:
 * each is a full barrier.
 */
#include <port/machine.h>

#include "flush_way.h"
#include "insn.h"
#include "percpu.h"
#include "regs.h"

static inline void flush_and_load(uint64_t cr3)
{
    uint64_t cr4;

    if (flush_way == FLUSH_BY_CR4) {
        cr4 = read_cr4();
        write_cr4(cr4 & ~X86_CR4_PGE);
        write_cr3(cr3);
        write_cr4(cr4);
        return;
    }
    write_cr3(cr3);
    if (flush_way == FLUSH_BY_INVPCID)
        invpcid_all();
}

void machine_load_cr3(uint64_t cr3, bool keep_global)
{
    this_block()->cpu.arch.cr3 = cr3;
    this_block()->cpu.arch.isolated_from = 0;
    if (keep_global) {
        write_cr3(cr3);
        return;
    }
    this_block()->cpu.arch.flushes++;
    flush_and_load(cr3);
}

void machine_flush_tlb(void)
{
    this_block()->cpu.arch.flushes++;
    this_block()->cpu.arch.isolated_from = 0;
    flush_and_load(read_cr3());
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
