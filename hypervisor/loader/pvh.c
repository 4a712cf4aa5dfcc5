/* SPDX-License-Identifier: MIT */
/*
 * Start of day by the PVH boot protocol: parse, plan, write, first state.
 *
 * Physical addresses are all there is: no page tables, no list of frames. So the plan is short: the
 * kernel lies where it wants to, ramdisk and start page take the highest room that is left. What is
 * checked of the kernel is that it lies in low RAM as a whole, which bounds all the rest: every
 * address here but those of high RAM is below 4 GiB.
 */
#include <parvis/loader_pvh.h>

#include "internal.h"

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/start_info.h>

#define LOW_PAGES    (HVM_LOW_END >> PAGE_SHIFT)
#define SPECIAL_GFN  (HVM_SPECIAL >> PAGE_SHIFT)
#define SPECIAL_END  (HVM_SPECIAL_END >> PAGE_SHIFT)
#define FIRST_GIB    ((1024 * MIB) >> PAGE_SHIFT) /* Linux has mapped no more at first */
#define PREFERRED    ((2048 * MIB) >> PAGE_SHIFT) /* some kernels want their ramdisk below it */
#define LEGACY_PAGES (MIB >> PAGE_SHIFT)

/* Bits of registers, attributes of segments: AMD APM vol. 2, Intel SDM vol. 3. */
#define CR0_PE          0x01u
#define CR0_ET          0x10u
#define EFLAGS_RESERVED 0x02u
#define CODE32          0xc9bu /* present, execute and read, accessed; 4 KiB units, 32 bits */
#define DATA32          0xc93u /* the same, read and write */
#define TSS32_BUSY      0x08bu
#define FLAT_LIMIT      0xffffffffu
#define TSS_LIMIT       0x67u

/* The page that ebx points to. */
struct start_page {
    struct hvm_start_info info;
    struct hvm_modlist_entry ramdisk;
    struct hvm_memmap_table_entry memmap[LOADER_PVH_RANGES];
    char cmdline[MAX_GUEST_CMDLINE];
};
_Static_assert(sizeof(struct start_page) <= PAGE_SIZE, "the start page is one page");

int loader_pvh_parse(struct loader_image *image, const void *file, uint64_t size,
                     struct loader_error *error)
{
    unsigned int nr_notes;
    int rc;

    image_begin(image, file, size);
    rc = elf_check(image, &image->entry, error) ?: elf_notes(image, &nr_notes, error)
        ?: elf_extent(image, error);
    if (rc)
        return rc;
    image->paddr_offset = 0; /* p_paddr is the address */
    if (image->pvh_entry == LOADER_NONE)
        return bad_kernel(error, "cannot be started by PVH: it lacks the ELF note PHYS32_ENTRY"
                                 " (Linux: CONFIG_PVH)");
    if (image->pvh_entry < image->phys_start || image->pvh_entry >= image->phys_end)
        return bad_kernel(error, "PHYS32_ENTRY 0x%lx lies outside the kernel (0x%lx to 0x%lx)",
                          image->pvh_entry, image->phys_start, image->phys_end);
    return 0;
}

static int check_config(const struct loader_config *config, struct loader_error *error)
{
    if (config->nr_pages < HVM_MIN_PAGES || config->nr_pages > MAX_PAGES)
        return loader_fail(error, -XEN_EINVAL, "memory: %lu pages are not between %u and %lu",
                           config->nr_pages, HVM_MIN_PAGES, MAX_PAGES);
    if (config->nr_vcpus == 0 || config->nr_vcpus > HVM_MAX_VCPUS)
        return loader_fail(error, -XEN_EINVAL, "vcpus: %u are not between 1 and %u",
                           config->nr_vcpus, HVM_MAX_VCPUS);
    return check_cmdline(config, error);
}

static void add_range(struct loader_pvh_layout *layout, uint64_t gfn, uint64_t pages, uint32_t type)
{
    layout->range[layout->nr_ranges++] = (struct loader_range){gfn, pages, type};
}

static void plan_ranges(struct loader_pvh_layout *layout, uint64_t nr_pages)
{
    uint64_t low = nr_pages < LOW_PAGES ? nr_pages : LOW_PAGES;

    add_range(layout, 0, low, XEN_HVM_MEMMAP_TYPE_RAM);
    add_range(layout, SPECIAL_GFN, 1, XEN_HVM_MEMMAP_TYPE_ACPI);
    add_range(layout, SPECIAL_GFN + 1, SPECIAL_END - SPECIAL_GFN - 1, XEN_HVM_MEMMAP_TYPE_RESERVED);
    if (nr_pages > low)
        add_range(layout, HVM_HIGH_START >> PAGE_SHIFT, nr_pages - low, XEN_HVM_MEMMAP_TYPE_RAM);
}

static int plan_kernel(struct loader_pvh_layout *layout, const struct loader_image *image,
                       const struct loader_config *config, struct loader_error *error)
{
    if (image->phys_end > HVM_LOW_END)
        return bad_kernel(error, "its segments lie at 0x%lx to 0x%lx, beyond 0x%llx where RAM ends",
                          image->phys_start, image->phys_end, HVM_LOW_END);
    layout->entry = (uint32_t)image->pvh_entry;
    layout->kernel_gfn = image->phys_start >> PAGE_SHIFT;
    layout->kernel_pages = pages_for(image->phys_end) - layout->kernel_gfn;
    return check_fits(config, pages_for(image->phys_end), "kernel", error);
}

/* The highest `pages` pages below `end` that are neither the kernel's, nor the start page (0: it
 * has no place yet), nor in the first MiB. */
static uint64_t highest(const struct loader_pvh_layout *layout, uint64_t end, uint64_t pages)
{
    uint64_t kernel_end = layout->kernel_gfn + layout->kernel_pages;

    while (end >= LEGACY_PAGES + pages) {
        uint64_t begin = end - pages, start = layout->start_info_gfn;

        if (end > layout->kernel_gfn && begin < kernel_end)
            end = layout->kernel_gfn;
        else if (start >= begin && start < end)
            end = start;
        else
            return begin;
    }
    return LOADER_NONE;
}

static uint64_t at_most(uint64_t pages, uint64_t limit)
{
    return pages < limit ? pages : limit;
}

static int plan_start(struct loader_pvh_layout *layout, const struct loader_config *config,
                      struct loader_error *error)
{
    uint64_t ramdisk = config->ramdisk ? pages_for(config->ramdisk_size) : 0;
    uint64_t low = layout->range[0].pages;
    uint64_t at;

    layout->start_info_gfn = highest(layout, at_most(low, FIRST_GIB), 1);
    at = highest(layout, at_most(low, PREFERRED), ramdisk);
    if (at == LOADER_NONE)
        at = highest(layout, low, ramdisk);
    if (at == LOADER_NONE || layout->start_info_gfn == LOADER_NONE)
        return loader_fail(
            error, -XEN_ENOMEM,
            "ramdisk and start page: no room for %lu KiB beside the kernel (at %lu to %lu KiB) in"
            " the %lu KiB below 3 GiB",
            (ramdisk + 1) << 2, layout->kernel_gfn << 2,
            (layout->kernel_gfn + layout->kernel_pages) << 2, low << 2);
    layout->ramdisk_gfn = ramdisk ? at : LOADER_NONE;
    layout->ramdisk_pages = ramdisk;
    return 0;
}

int loader_pvh_plan(struct loader_pvh_layout *layout, const struct loader_image *image,
                    const struct loader_config *config, struct loader_error *error)
{
    int rc = check_config(config, error);

    if (rc)
        return rc;
    __builtin_memset(layout, 0, sizeof(*layout));
    layout->nr_vcpus = config->nr_vcpus;
    plan_ranges(layout, config->nr_pages);
    return plan_kernel(layout, image, config, error) ?: plan_start(layout, config, error);
}

static void fill_start_page(struct start_page *page, const struct loader_pvh_layout *layout,
                            const struct loader_config *config)
{
    uint64_t paddr = layout->start_info_gfn << PAGE_SHIFT;

    __builtin_memset(page, 0, PAGE_SIZE);
    page->info.magic = XEN_HVM_START_MAGIC_VALUE;
    page->info.version = 1;
    page->info.cmdline_paddr = paddr + offsetof(struct start_page, cmdline);
    page->info.rsdp_paddr = HVM_SPECIAL;
    page->info.memmap_paddr = paddr + offsetof(struct start_page, memmap);
    page->info.memmap_entries = layout->nr_ranges;
    if (layout->ramdisk_pages) {
        page->info.nr_modules = 1;
        page->info.modlist_paddr = paddr + offsetof(struct start_page, ramdisk);
        page->ramdisk.paddr = layout->ramdisk_gfn << PAGE_SHIFT;
        page->ramdisk.size = config->ramdisk_size;
    }
    for (unsigned int i = 0; i < layout->nr_ranges; i++) {
        page->memmap[i].addr = layout->range[i].gfn << PAGE_SHIFT;
        page->memmap[i].size = layout->range[i].pages << PAGE_SHIFT;
        page->memmap[i].type = layout->range[i].type;
    }
    for (unsigned int i = 0; config->cmdline && i < MAX_GUEST_CMDLINE - 1 && config->cmdline[i];
         i++)
        page->cmdline[i] = config->cmdline[i];
}

static int write_start_page(const struct loader_pvh_layout *layout,
                            const struct loader_config *config, const struct loader_target *target,
                            struct loader_error *error)
{
    struct start_page *page = target_page(target, layout->start_info_gfn, error);

    if (!page)
        return -XEN_EFAULT;
    fill_start_page(page, layout, config);
    target->unmap(target->ctx, page, 1);
    return 0;
}

static int write_tables(const struct loader_pvh_layout *layout, const struct loader_target *target,
                        struct loader_error *error)
{
    void *page = target_page(target, SPECIAL_GFN, error);

    if (!page)
        return -XEN_EFAULT;
    write_acpi(page, HVM_SPECIAL, layout->nr_vcpus);
    target->unmap(target->ctx, page, 1);
    return 0;
}

int loader_pvh_write(const struct loader_pvh_layout *layout, const struct loader_image *image,
                     const struct loader_config *config, const struct loader_target *target,
                     struct loader_error *error)
{
    return write_kernel(image, target, error)
        ?: write_ramdisk(layout->ramdisk_gfn, layout->ramdisk_pages, config, target, error)
        ?: write_start_page(layout, config, target, error) ?: write_tables(layout, target, error);
}

/* ABI: include/xen/arch-x86/hvm/start_info.h says what a guest finds. Selectors are free. */
void loader_pvh_state(struct loader_pvh_state *state, const struct loader_pvh_layout *layout)
{
    *state = (struct loader_pvh_state){
        .eip = layout->entry,
        .ebx = (uint32_t)(layout->start_info_gfn << PAGE_SHIFT),
        .eflags = EFLAGS_RESERVED,
        .cr0 = CR0_PE | CR0_ET,
        .cs = {.selector = 0x08, .attributes = CODE32, .limit = FLAT_LIMIT},
        .data = {.selector = 0x10, .attributes = DATA32, .limit = FLAT_LIMIT},
        .tr = {.attributes = TSS32_BUSY, .limit = TSS_LIMIT},
    };
}
