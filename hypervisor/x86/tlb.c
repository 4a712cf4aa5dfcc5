/* SPDX-License-Identifier: MIT */
/*
 * TLB flushes, and the clock that saves some.
 *
 * The clock ticks at each full flush. A frame that stops being mapped is stamped with the time;
 * when it gets a new use, a flush is needed only if none has come since (XSA-241: the stamp is
 * taken after the last reference is gone).
 *
 * Guest user pages and the hypervisor's are global, so that a switch between guest kernel and user
 * keeps them; every other load of CR3 flushes them too, by turning CR4.PGE off and on. So a CPU
 * knows translations only of the domain that it runs now.
 */
#include <core/state/domain.h>
#include <port/current.h>
#include <port/machine.h>

#include "insn.h"
#include "regs.h"

static uint32_t clock_value = 1;  /* counts full flushes */
static uint32_t cpu0_flushed = 1; /* the clock at the only running CPU's last */

uint32_t tlb_clock(void)
{
    return __atomic_load_n(&clock_value, __ATOMIC_SEQ_CST);
}

bool tlb_flushed_since(uint32_t stamp)
{
    /* Old stamps wrap to "not yet": one flush too many, never one too few. */
    return (int32_t)(cpu0_flushed - stamp) > 0;
}

static void count_flush(void)
{
    cpu0_flushed = __atomic_add_fetch(&clock_value, 1, __ATOMIC_SEQ_CST);
}

void machine_load_cr3(uint64_t cr3, bool keep_global)
{
    this_cpu()->arch.cr3 = cr3;
    if (keep_global) {
        write_cr3(cr3);
        return;
    }
    uint64_t cr4 = read_cr4();

    write_cr4(cr4 & ~X86_CR4_PGE);
    write_cr3(cr3);
    write_cr4(cr4);
    count_flush();
}

void flush_tlb_local(void)
{
    machine_load_cr3(this_cpu()->arch.cr3, false);
}

void flush_tlb_one_local(gva_t va)
{
    invlpg(va);
}

void flush_tlb_domain(struct domain *d)
{
    if (current && current->domain == d)
        flush_tlb_local();
}

void flush_tlb_one_domain(struct domain *d, gva_t va)
{
    if (current && current->domain == d)
        flush_tlb_one_local(va);
}

void flush_tlb_all(void)
{
    flush_tlb_local();
}

void flush_cache_all(void)
{
    wbinvd();
}
