/* SPDX-License-Identifier: MIT */
/*
 * A fully virtualized kernel's first page tables of its own: all its memory at VIRT_BASE, in pages
 * of 4 KiB, so that each can be protected by itself, as a paravirtual kernel's are. Frame numbers
 * are those that the kernel sees; there is no other translation for it to know of.
 *
 * They lie behind the image, before there is an allocator.
 */
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/machine.h>
#include <guest/pagetable.h>

extern char _end[], _rodata[], _erodata[];

static pte_t flags_at(const char *va)
{
    if (va < _rodata)
        return PTE_KERNEL_RO;
    return va < _erodata ? PTE_KERNEL_RO | PTE_NX : PTE_KERNEL_RW | PTE_NX;
}

/* The table that an entry refers to; made, of the page at *next, if there is none. */
static pte_t *table_of(pte_t *entry, unsigned long *next)
{
    pte_t *table = pfn_to_virt(*entry ? pte_mfn(*entry) : *next);

    if (!*entry) {
        memset(table, 0, PAGE_SIZE);
        *entry = pte_make((*next)++, PTE_TABLE);
    }
    return table;
}

unsigned long hvm_map_memory(unsigned long pfns)
{
    unsigned long next = virt_to_pfn(_end);
    pte_t root = 0, *table;

    pt_root = table_of(&root, &next);
    for (unsigned long pfn = 0; pfn < pfns; pfn++) {
        unsigned long va = (unsigned long)pfn_to_virt(pfn);

        table = pt_root;
        for (unsigned int level = 4; level > 1; level--)
            table = table_of(&table[pt_index(va, level)], &next);
        table[pt_index(va, 1)] = pte_make(pfn, flags_at((char *)va));
    }
    write_cr3((uint64_t)virt_to_pfn(pt_root) << PAGE_SHIFT);
    return next;
}
