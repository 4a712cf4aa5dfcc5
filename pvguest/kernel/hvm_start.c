/* SPDX-License-Identifier: MIT */
/*
 * Start of day of a fully virtualized kernel in C: from what PVH tells to guest_main().
 *
 * It arrives on the tables of pvh_start.asm, with nothing but a stack. What PVH told is in memory
 * that will be the allocator's, so it is put into a start_info first, in which all of the kernel
 * reads it. Descriptor tables come before all that may fault; then the console.
 */
#include <xen/arch-x86/hvm/start_info.h>

#include <guest/console.h>
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/machine.h>
#include <guest/pagetable.h>

static start_info_t told;

void guest_start_pvh(uint32_t paddr);

/* Its memory is the range that begins at 0. */
static unsigned long count_pages(const struct hvm_start_info *si)
{
    const struct hvm_memmap_table_entry *map = phys_to_virt(si->memmap_paddr);

    for (uint32_t i = 0; si->version >= 1 && i < si->memmap_entries; i++)
        if (map[i].type == XEN_HVM_MEMMAP_TYPE_RAM && !map[i].addr)
            return map[i].size >> PAGE_SHIFT;
    return 0;
}

static void read_start_info(const struct hvm_start_info *si)
{
    const char *cmdline = phys_to_virt(si->cmdline_paddr);

    told.nr_pages = count_pages(si);
    told.flags = si->flags;
    if (si->cmdline_paddr)
        memcpy(told.cmd_line, cmdline, strnlen(cmdline, sizeof(told.cmd_line) - 1));
    start_info = &told;
}

static void map_memory(void)
{
    unsigned long pages = start_info->nr_pages, most = LINEAR_MAX >> PAGE_SHIFT;
    unsigned long first = hvm_map_memory(pages < most ? pages : most);

    memory_init(start_info, (unsigned long)pfn_to_virt(first));
}

void guest_start_pvh(uint32_t paddr)
{
    guest_kind = KIND_HVM;
    read_start_info(phys_to_virt(paddr));
    percpu_init(0);
    console_init();
    traps_init();
    map_memory();
    lapic_init();
    events_enable();
    guest_run();
}
