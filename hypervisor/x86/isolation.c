/* SPDX-License-Identifier: MIT */
/*
 * Page-table isolation, for CPUs that read ahead what a page table maps whatever its rights are
 * (Meltdown): while a paravirtual guest runs, CR3 does not hold its L4 but a copy, one for each
 * CPU, in which of the hypervisor's slots only those are filled that the guest may read or the CPU
 * must: M2P, the domain's descriptor tables, and in the image's slot the entry code, the IDT, and
 * of the CPU's block the page with its TSS and door and the stacks of NMI, #DF, #MC, #DB. Nothing
 * of the hypervisor is global then.
 *
 * Ways in: SYSCALL's stub loads the L4 itself first (pv/cpu/door.c). All else comes by the door, a
 * stack in the block's page, and the registers go from there to v->regs once the L4 is loaded. Out:
 * by the door again. These ways are a measure of x86/speculation.c's like others, "pti".
 *
 * What a guest had in its registers would stay behind at the door, for its own programs to read:
 * the ways in and out clear it (x86/entry.inc, pv/cpu/entry.asm). What is left by an IRETQ that
 * faulted is cleared when the CPU goes to another vCPU.
 *
 * The copy is made anew on the way out when CR3 is to hold another L4, when the TLB was flushed
 * since, and when the guest came by an exception or interrupt. What was taken out of the L4 is gone
 * before the flush that its end waits for is over: on the last steps of the way out too, where an
 * exception may serve flushes (x86/entry.asm). What another CPU put in may lack in the copy, which
 * no CPU would do: the fault by that is nobody's (isolation_lacked()).
 */
#include <core/base/log.h>
#include <core/frame/frame.h>
#include <parvis/string.h>
#include <port/machine.h>

#include "insn.h"
#include "percpu.h"
#include "x86.h"

#define SLOTS          512
#define HV_FIRST       256
#define HV_END         272
#define PERDOMAIN_SLOT 260
#define IMAGE_SLOT     261
#define TABLE_FLAGS    (PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY)

_Static_assert((IMAGE_VIRT >> 39 & 511) == IMAGE_SLOT, "where the image is");

static unsigned int index_of(uint64_t va, unsigned int level)
{
    return va >> (12 + 9 * (level - 1)) & 511;
}

/* The page at va as the hypervisor's own tables have it. */
static bool show_page(uint64_t *l4, uint64_t va)
{
    const uint64_t *own = hv_l4;
    uint64_t *table = l4;

    for (unsigned int level = 4; level > 1; level--) {
        uint64_t *entry = &table[index_of(va, level)];

        own = phys_ptr(own[index_of(va, level)] & PTE_FRAME_MASK);
        if (!(*entry & PTE_PRESENT)) {
            uint64_t *below = alloc_hv_pages(0);

            if (!below)
                return false;
            memset(below, 0, PAGE_SIZE);
            *entry = frame_of(below).n << PAGE_SHIFT | TABLE_FLAGS;
        }
        table = phys_ptr(*entry & PTE_FRAME_MASK);
    }
    table[index_of(va, 1)] = own[index_of(va, 1)];
    return true;
}

bool isolation_prepare(struct cpu_block *block)
{
    extern uint8_t entry_start[], entry_end[];
    uint64_t *l4;
    bool done = true;

    if (!isolating)
        return true;
    l4 = alloc_hv_pages(0);
    if (!l4)
        return false;
    memset(l4, 0, PAGE_SIZE);
    for (uint8_t *at = entry_start; at < entry_end; at += PAGE_SIZE)
        done &= show_page(l4, (uint64_t)at);
    for (unsigned int i = IST_NMI; i <= IST_DB; i++)
        done &= show_page(l4, block->tss.ist[i - 1] - PAGE_SIZE);
    done &= show_page(l4, (uint64_t)&block->cpu) && show_page(l4, idt_address());
    block->cpu.arch.isolated_l4 = l4;
    block->cpu.arch.isolated_cr3 = frame_of(l4).n << PAGE_SHIFT;
    block->tss.rsp0 = (uint64_t)(block->door + ARRAY_SIZE(block->door));
    return done;
}

void isolation_switch(struct cpu_block *block)
{
    memset(block->door, 0, sizeof(block->door));
}

/* The guest's own, M2P, and the domain's part. memcpy() takes words: no entry is torn. */
static const struct {
    unsigned int first, end;
} shown[] = {{0, HV_FIRST + 1}, {PERDOMAIN_SLOT, PERDOMAIN_SLOT + 1}, {HV_END, SLOTS}};

static bool is_shown(unsigned int slot)
{
    bool found = false;

    for (unsigned int i = 0; i < ARRAY_SIZE(shown); i++)
        found |= slot >= shown[i].first && slot < shown[i].end;
    return found;
}

void isolate_guest(struct cpu *c)
{
    const uint64_t *l4 = phys_ptr(c->arch.cr3);
    uint64_t *copy = c->arch.isolated_l4;

    if (c->arch.isolated_from == c->arch.cr3)
        return;
    c->arch.isolated_from = c->arch.cr3;
    for (unsigned int i = 0; i < ARRAY_SIZE(shown); i++)
        memcpy(&copy[shown[i].first], &l4[shown[i].first],
               (shown[i].end - shown[i].first) * sizeof(*l4));
}

bool isolation_lacked(gva_t va)
{
    const struct arch_cpu *c = &this_block()->cpu.arch;
    unsigned int slot = index_of(va, 4);
    const uint64_t *l4;

    if (!isolating || !is_shown(slot))
        return false;
    l4 = phys_ptr(c->cr3);
    return READ_ONCE(l4[slot]) & ~c->isolated_l4[slot] & PTE_PRESENT;
}
