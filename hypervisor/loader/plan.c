/* SPDX-License-Identifier: MIT */
/*
 * loader_plan(): the order of things in the domain's memory.
 *
 * From virt_base on, page by page (start_info.h tells guests the same):
 *
 *   kernel | ramdisk | p2m list | start_info | store | console | page tables | stack | room | ...
 *
 * The kernel begins where it wants to, so there may be free pages before it (Linux: 16 MiB). The
 * initial mapping ends at the first multiple of 4 MiB that leaves at least 512 KiB of room. Two
 * things may move behind that end, unmapped, when the kernel's notes say so: the ramdisk
 * (MOD_START_PFN), and the p2m list (INIT_P2M), which is then mapped at an address of its own with
 * page tables of its own right after it. That way neither takes up the kernel's address space.
 *
 * The page tables map themselves, so how many there are depends on how many there are: the
 * number is raised until it is enough. It converges because more tables never need fewer.
 *
 * All of this is arithmetic on numbers below 2^52, checked once: nr_pages bounds whatever fits.
 */
#include "internal.h"

#include <xen/features.h>
#include <xen/start_info.h>

#define ROOM_PAGES ((512ULL << 10) >> PAGE_SHIFT)
#define MAP_ALIGN  (4 * MIB)

int check_cmdline(const struct loader_config *config, struct loader_error *error)
{
    uint64_t length = 0;

    while (config->cmdline && length < MAX_GUEST_CMDLINE && config->cmdline[length])
        length++;
    if (length >= MAX_GUEST_CMDLINE)
        return loader_fail(error, -XEN_EINVAL, "cmdline: longer than %u bytes",
                           MAX_GUEST_CMDLINE - 1);
    return 0;
}

static int check_config(const struct loader_image *image, const struct loader_config *config,
                        struct loader_error *error)
{
    if (config->nr_pages == 0 || config->nr_pages > MAX_PAGES)
        return loader_fail(error, -XEN_EINVAL, "memory: %lu pages are not between 1 and %lu",
                           config->nr_pages, MAX_PAGES);
    if (config->control && image->has_supported_features &&
        !(image->features_supported & 1u << XENFEAT_dom0))
        return bad_kernel(error, "its notes say that it cannot be the control domain");
    if (config->dom0_console_size > PAGE_SIZE - sizeof(struct start_info))
        return loader_fail(error, -XEN_EINVAL, "console: %u bytes of information are too many",
                           config->dom0_console_size);
    return 0;
}

/* Rounded up. */
static uint64_t mib(uint64_t pages)
{
    return (pages >> 8) + ((pages & 255) != 0);
}

int check_fits(const struct loader_config *config, uint64_t pages, const char *what,
               struct loader_error *error)
{
    if (pages <= config->nr_pages)
        return 0;
    return loader_fail(error, -XEN_ENOMEM, "%s: needs %lu MiB, the domain has %lu MiB", what,
                       mib(pages), config->nr_pages >> 8);
}

static uint64_t take_pages(uint64_t *next, uint64_t count)
{
    uint64_t pfn = *next;

    *next += count;
    return pfn;
}

/* A range that a guest may map: one canonical half, none of it the hypervisor's. */
static int check_area(const struct loader_area *area, const char *what, struct loader_error *error)
{
    uint64_t last = area->va + (area->nr_pages << PAGE_SHIFT) - 1;
    bool low = last < 1ULL << 47;
    bool high = area->va >= HYPERVISOR_END;

    if (last < area->va || !(low || high))
        return bad_kernel(error, "%s from 0x%lx to 0x%lx is no range that a guest may map", what,
                          area->va, last);
    return 0;
}

/* The end of the initial mapping for `pages` pages in use, relative to virt_base, in pages. */
static uint64_t map_end(const struct loader_image *image, uint64_t pages)
{
    uint64_t bytes = (pages + ROOM_PAGES) << PAGE_SHIFT;
    uint64_t into = (image->virt_base + bytes) & (MAP_ALIGN - 1);

    return (bytes + (into ? MAP_ALIGN - into : 0)) >> PAGE_SHIFT;
}

/* What comes before the page tables. */
static int plan_front(struct loader_layout *layout, const struct loader_image *image,
                      const struct loader_config *config, uint64_t *next,
                      struct loader_error *error)
{
    uint64_t p2m_pages = pages_for(config->nr_pages * sizeof(uint64_t));
    int rc;

    layout->kernel_pfn = (image->virt_start - image->virt_base) >> PAGE_SHIFT;
    layout->kernel_pages = (image->virt_end - image->virt_start) >> PAGE_SHIFT;
    *next = layout->kernel_pfn + layout->kernel_pages;
    layout->ramdisk_pages = config->ramdisk ? pages_for(config->ramdisk_size) : 0;
    rc = check_fits(config, *next, "kernel", error)
             ?: check_fits(config, *next + layout->ramdisk_pages, "kernel and ramdisk", error);
    if (rc)
        return rc;
    if (layout->ramdisk_pages && !image->mod_start_pfn)
        layout->ramdisk_pfn = take_pages(next, layout->ramdisk_pages);
    if (image->init_p2m == LOADER_NONE) {
        layout->p2m_pages = p2m_pages;
        layout->p2m_pfn = take_pages(next, p2m_pages);
    }
    layout->start_info_pfn = take_pages(next, 1);
    if (!config->control) {
        layout->store_pfn = take_pages(next, 1);
        layout->console_pfn = take_pages(next, 1);
    }
    return 0;
}

/* The page tables of the initial mapping, the stack, and where the mapping ends. */
static int plan_map(struct loader_layout *layout, const struct loader_image *image,
                    const struct loader_config *config, uint64_t *next, struct loader_error *error)
{
    struct loader_area *area = &layout->area[0];
    uint64_t needed = 1, end;
    int rc;

    layout->tables_pfn = *next;
    area->va = image->virt_base;
    area->pfn = 0;
    do {
        layout->tables_pages = needed;
        end = map_end(image, layout->tables_pfn + needed + 1);
        area->nr_pages = end;
        rc = check_area(area, "its initial mapping", error);
        if (rc)
            return rc;
        tables_plan(area, NULL, layout->tables_pfn, &needed);
    } while (needed > layout->tables_pages);

    *next += layout->tables_pages;
    layout->stack_pfn = take_pages(next, 1);
    rc = check_fits(config, *next + ROOM_PAGES, "kernel and what it starts with", error);
    if (rc)
        return rc;
    layout->virt_base = image->virt_base;
    layout->virt_end = image->virt_base + (end << PAGE_SHIFT);
    layout->cr3_pfn = area->tables[3].pfn;
    /* What a small domain does not have cannot be mapped. */
    area->nr_pages = end < config->nr_pages ? end : config->nr_pages;
    *next = area->nr_pages;
    return 0;
}

static bool overlap(const struct loader_area *a, const struct loader_area *b)
{
    return a->va <= b->va + ((b->nr_pages << PAGE_SHIFT) - 1) &&
           b->va <= a->va + ((a->nr_pages << PAGE_SHIFT) - 1);
}

/* The p2m list at an address of its own, and its page tables. */
static int plan_p2m(struct loader_layout *layout, const struct loader_image *image,
                    const struct loader_config *config, uint64_t *next, struct loader_error *error)
{
    struct loader_area *area = &layout->area[1];
    uint64_t tables;
    int rc;

    area->va = image->init_p2m;
    area->nr_pages = pages_for(config->nr_pages * sizeof(uint64_t));
    area->pfn = *next;
    rc = check_area(area, "its p2m list", error);
    if (rc)
        return rc;
    if (overlap(area, &layout->area[0]))
        return bad_kernel(error, "INIT_P2M 0x%lx lies in the initial mapping", image->init_p2m);
    tables_plan(area, &layout->area[0], area->pfn + area->nr_pages, &tables);
    layout->p2m_pages = area->nr_pages + tables;
    layout->p2m_pfn = take_pages(next, layout->p2m_pages);
    return 0;
}

/* What lies behind the initial mapping. */
static int plan_back(struct loader_layout *layout, const struct loader_image *image,
                     const struct loader_config *config, uint64_t *next, struct loader_error *error)
{
    if (layout->ramdisk_pages && image->mod_start_pfn)
        layout->ramdisk_pfn = take_pages(next, layout->ramdisk_pages);
    if (image->init_p2m != LOADER_NONE) {
        int rc = plan_p2m(layout, image, config, next, error);

        if (rc)
            return rc;
    }
    layout->pages_used = *next;
    return check_fits(config, *next, "kernel, ramdisk and what it starts with", error);
}

int loader_plan(struct loader_layout *layout, const struct loader_image *image,
                const struct loader_config *config, struct loader_error *error)
{
    uint64_t next;
    int rc;

    __builtin_memset(layout, 0, sizeof(*layout));
    layout->ramdisk_pfn = LOADER_NONE;
    layout->store_pfn = LOADER_NONE;
    layout->console_pfn = LOADER_NONE;
    layout->hypercall_pfn = LOADER_NONE;

    rc = check_cmdline(config, error) ?: check_config(image, config, error)
        ?: plan_front(layout, image, config, &next, error)
        ?: plan_map(layout, image, config, &next, error)
        ?: plan_back(layout, image, config, &next, error);
    if (rc)
        return rc;
    if (image->hypercall_page != LOADER_NONE)
        layout->hypercall_pfn = (image->hypercall_page - image->virt_base) >> PAGE_SHIFT;
    layout->entry = image->entry;
    layout->stack = image->virt_base + ((layout->stack_pfn + 1) << PAGE_SHIFT);
    layout->start_info = image->virt_base + (layout->start_info_pfn << PAGE_SHIFT);
    layout->p2m = layout->area[1].nr_pages ? layout->area[1].va
                                           : image->virt_base + (layout->p2m_pfn << PAGE_SHIFT);
    return 0;
}
