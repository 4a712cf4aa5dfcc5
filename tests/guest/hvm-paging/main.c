/* SPDX-License-Identifier: MIT */
/*
 * Shows: a guest may switch paging off and on, leave long mode and come back, and be in each mode
 * that a CPU has: compatibility mode, no paging, 32-bit paging, PAE, real mode. In each of them
 * what the hypervisor carries out is right: CPUID, ports, string instructions to memory (by the
 * tables of that mode), the local APIC's registers.
 *
 * modes.asm goes through them, and counts those in which all was as it should.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-paging";

#define MODES 9

void modes_run(uint32_t *worked, uint64_t paging_32, uint64_t paging_pae);

/* 4 GiB where they are, in pages of 4 MiB. */
static uint64_t tables_32(void)
{
    uint32_t *top = test_page();

    for (uint32_t i = 0; i < 1024; i++)
        top[i] = i << 22 | PTE_PSE | PTE_RW | PTE_PRESENT;
    return (uint64_t)virt_to_pfn(top) << PAGE_SHIFT;
}

/* The same in pages of 2 MiB. */
static uint64_t tables_pae(void)
{
    uint64_t *top = test_page();

    for (uint64_t i = 0; i < 4; i++) {
        uint64_t *table = test_page();

        top[i] = (uint64_t)virt_to_pfn(table) << PAGE_SHIFT | PTE_PRESENT;
        for (uint64_t k = 0; k < 512; k++)
            table[k] = i << 30 | k << 21 | PTE_PSE | PTE_RW | PTE_PRESENT;
    }
    return (uint64_t)virt_to_pfn(top) << PAGE_SHIFT;
}

void test_main(void)
{
    static uint32_t worked;
    uint64_t small = tables_32(), large = tables_pae();

    for (unsigned int round = 1; round <= 20; round++) {
        modes_run(&worked, small, large);
        CHECK_EQ(worked, round * MODES, "in each mode all was as it should");
    }
}
