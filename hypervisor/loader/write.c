/* SPDX-License-Identifier: MIT */
/*
 * loader_write(): the plan becomes memory.
 *
 * The only file that touches the domain. Everything goes through windows that the target opens
 * (struct loader_target), as long as it likes to make them; one is open at a time. What a guest may
 * rely on is written: the kernel's segments with zeros behind their file part, the whole of the
 * p2m list's, ring, start_info and table pages, the ramdisk with zeros up to the end of its page.
 */
#include "internal.h"

#include <xen/arch-x86/xen-x86_64.h>
#include <xen/start_info.h>
#include <xen/xen.h>

/* How many pages are asked for at once: enough to be quick, few enough for any window. */
#define WINDOW_PAGES 1024u

#define RFLAGS_IF 0x200u

static void *open_window(const struct loader_target *target, uint64_t pfn, uint64_t *count,
                         struct loader_error *error)
{
    uint64_t wanted = *count < WINDOW_PAGES ? *count : WINDOW_PAGES;
    void *va;

    *count = wanted;
    va = target->map(target->ctx, pfn, count);
    if (!va)
        loader_fail(error, -XEN_EFAULT, "memory: page 0x%lx of the domain could not be mapped",
                    pfn);
    return va;
}

void *target_page(const struct loader_target *target, uint64_t pfn, struct loader_error *error)
{
    uint64_t count = 1;

    return open_window(target, pfn, &count, error);
}

/* Copies `size` bytes to byte `address` of the domain's pages; from = NULL: zeros. */
static int fill(const struct loader_target *target, uint64_t address, const uint8_t *from,
                uint64_t size, struct loader_error *error)
{
    while (size) {
        uint64_t offset = address & (PAGE_SIZE - 1);
        uint64_t count = pages_for(offset + size);
        uint8_t *va = open_window(target, address >> PAGE_SHIFT, &count, error);
        uint64_t bytes = (count << PAGE_SHIFT) - offset;

        if (!va)
            return -XEN_EFAULT;
        bytes = bytes < size ? bytes : size;
        if (from) {
            __builtin_memcpy(va + offset, from, bytes);
            from += bytes;
        } else {
            __builtin_memset(va + offset, 0, bytes);
        }
        target->unmap(target->ctx, va, count);
        address += bytes;
        size -= bytes;
    }
    return 0;
}

int write_kernel(const struct loader_image *image, const struct loader_target *target,
                 struct loader_error *error)
{
    unsigned int nr = elf_nr_headers(image);

    for (unsigned int i = 0; i < nr; i++) {
        struct elf_segment s;
        uint64_t address;
        int rc = elf_segment(image, i, &s, error);

        if (rc < 0)
            return rc;
        if (rc == 0)
            continue;
        address = s.paddr - image->paddr_offset;
        rc = fill(target, address, image->file + s.offset, s.file_size, error)
                 ?: fill(target, address + s.file_size, NULL, s.mem_size - s.file_size, error);
        if (rc)
            return rc;
    }
    return 0;
}

int write_ramdisk(uint64_t pfn, uint64_t pages, const struct loader_config *config,
                  const struct loader_target *target, struct loader_error *error)
{
    uint64_t address = pfn << PAGE_SHIFT;

    if (pages == 0)
        return 0;
    return fill(target, address, config->ramdisk, config->ramdisk_size, error)
               ?: fill(target, address + config->ramdisk_size, NULL,
                       (pages << PAGE_SHIFT) - config->ramdisk_size, error);
}

/* The machine frame of each page; what is left of the last page of the list says "none". */
static int write_p2m(const struct loader_layout *layout, const struct loader_config *config,
                     const struct loader_target *target, struct loader_error *error)
{
    uint64_t per_page = PAGE_SIZE / sizeof(uint64_t);
    uint64_t page = 0, pages = pages_for(config->nr_pages * sizeof(uint64_t));

    while (page < pages) {
        uint64_t count = pages - page, pfn = page * per_page;
        uint64_t *list = open_window(target, layout->p2m_pfn + page, &count, error);

        if (!list)
            return -XEN_EFAULT;
        for (uint64_t i = 0; i < count * per_page; i++, pfn++)
            list[i] = pfn < config->nr_pages ? target->pfn_to_mfn(target->ctx, pfn) : LOADER_NONE;
        target->unmap(target->ctx, list, count);
        page += count;
    }
    return 0;
}

static void fill_console(struct start_info *si, const struct loader_layout *layout,
                         const struct loader_config *config, const struct loader_target *target)
{
    if (!config->control) {
        si->store_mfn = target->pfn_to_mfn(target->ctx, layout->store_pfn);
        si->store_evtchn = config->store_evtchn;
        si->console.domU.mfn = target->pfn_to_mfn(target->ctx, layout->console_pfn);
        si->console.domU.evtchn = config->console_evtchn;
    } else if (config->dom0_console) {
        si->console.dom0.info_off = sizeof(*si);
        si->console.dom0.info_size = config->dom0_console_size;
        __builtin_memcpy(si + 1, config->dom0_console, config->dom0_console_size);
    }
}

static void fill_start_info(struct start_info *si, const struct loader_layout *layout,
                            const struct loader_image *image, const struct loader_config *config,
                            const struct loader_target *target)
{
    __builtin_memset(si, 0, PAGE_SIZE);
    __builtin_memcpy(si->magic, "xen-3.0-x86_64", sizeof("xen-3.0-x86_64"));
    si->nr_pages = config->nr_pages;
    si->shared_info = config->shared_info;
    si->flags = config->flags & ~(uint32_t)SIF_MOD_START_PFN;
    si->flags |= config->control ? SIF_PRIVILEGED | SIF_INITDOMAIN : 0;
    fill_console(si, layout, config, target);
    si->pt_base = layout->virt_base + (layout->tables_pfn << PAGE_SHIFT);
    si->nr_pt_frames = layout->tables_pages;
    si->mfn_list = layout->p2m;
    if (layout->area[1].nr_pages) {
        si->first_p2m_pfn = layout->p2m_pfn;
        si->nr_p2m_frames = layout->p2m_pages;
    }
    if (layout->ramdisk_pages) {
        si->mod_start = layout->virt_base + (layout->ramdisk_pfn << PAGE_SHIFT);
        si->mod_len = config->ramdisk_size;
    }
    if (layout->ramdisk_pages && image->mod_start_pfn) {
        si->mod_start = layout->ramdisk_pfn;
        si->flags |= SIF_MOD_START_PFN;
    }
    for (unsigned int i = 0; config->cmdline && i < MAX_GUEST_CMDLINE - 1 && config->cmdline[i];
         i++)
        si->cmd_line[i] = (int8_t)config->cmdline[i];
}

static int write_start_info(const struct loader_layout *layout, const struct loader_image *image,
                            const struct loader_config *config, const struct loader_target *target,
                            struct loader_error *error)
{
    struct start_info *si = target_page(target, layout->start_info_pfn, error);

    if (!si)
        return -XEN_EFAULT;
    fill_start_info(si, layout, image, config, target);
    target->unmap(target->ctx, si, 1);
    if (config->control)
        return 0;
    return fill(target, layout->store_pfn << PAGE_SHIFT, NULL, PAGE_SIZE, error)
               ?: fill(target, layout->console_pfn << PAGE_SHIFT, NULL, PAGE_SIZE, error);
}

int loader_write(const struct loader_layout *layout, const struct loader_image *image,
                 const struct loader_config *config, const struct loader_target *target,
                 struct loader_error *error)
{
    return write_kernel(image, target, error)
        ?: write_ramdisk(layout->ramdisk_pfn, layout->ramdisk_pages, config, target, error)
        ?: write_p2m(layout, config, target, error) ?: tables_write(layout, target, error)
        ?: write_start_info(layout, image, config, target, error);
}

/* ABI: events are masked by shared_info, not by the interrupt flag; flat segments; FPU as after
 * reset. */
void loader_context(struct vcpu_guest_context *context, const struct loader_layout *layout,
                    uint64_t cr3_mfn)
{
    __builtin_memset(context, 0, sizeof(*context));
    context->flags = VGCF_in_kernel | VGCF_online;
    context->user_regs.rip = layout->entry;
    context->user_regs.rsp = layout->stack;
    context->user_regs.rsi = layout->start_info;
    context->user_regs.rflags = RFLAGS_IF;
    context->user_regs.cs = FLAT_KERNEL_CS64;
    context->user_regs.ss = FLAT_KERNEL_SS64;
    context->user_regs.ds = FLAT_KERNEL_DS64;
    context->user_regs.es = FLAT_KERNEL_DS64;
    context->user_regs.fs = FLAT_KERNEL_DS64;
    context->user_regs.gs = FLAT_KERNEL_DS64;
    context->kernel_ss = FLAT_KERNEL_SS64;
    context->kernel_sp = layout->stack;
    context->ctrlreg[3] = cr3_mfn << PAGE_SHIFT;
}
