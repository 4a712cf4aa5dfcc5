/* SPDX-License-Identifier: MIT */
/*
 * loader_parse(): what a kernel file asks for.
 *
 * Segments are placed by physical address: byte p of the kernel's physical space appears at
 * p - paddr_offset + virt_base. Linux needs that (its per-CPU segment has virtual address 0).
 * After this file every address in struct loader_image is consistent: the kernel lies above
 * virt_base, entry and hypercall page lie in the kernel. That it lies in a part of the address
 * space that a guest may use is plan.c's check, which knows where everything else goes.
 */
#include "internal.h"

#include <xen/features.h>

static int place(struct loader_image *image, struct loader_error *error)
{
    uint64_t start = image->phys_start, end = image->phys_end;

    if (image->virt_base == LOADER_NONE) {
        if (image->paddr_offset != LOADER_NONE)
            return bad_kernel(error, "ELF note PADDR_OFFSET needs the note VIRT_BASE");
        image->virt_base = 0;
    }
    if (image->paddr_offset == LOADER_NONE)
        image->paddr_offset = 0;
    if (image->virt_base & (PAGE_SIZE - 1))
        return bad_kernel(error, "VIRT_BASE 0x%lx is not page aligned", image->virt_base);
    if (start < image->paddr_offset)
        return bad_kernel(error, "a segment at 0x%lx lies below PADDR_OFFSET 0x%lx", start,
                          image->paddr_offset);
    if (end - image->paddr_offset > UINT64_MAX - image->virt_base - PAGE_SIZE)
        return bad_kernel(error, "does not fit above VIRT_BASE 0x%lx", image->virt_base);
    image->virt_start = (start - image->paddr_offset + image->virt_base) & ~(PAGE_SIZE - 1);
    image->virt_end =
        (end - image->paddr_offset + image->virt_base + PAGE_SIZE - 1) & ~(PAGE_SIZE - 1);
    return 0;
}

static bool in_kernel(const struct loader_image *image, uint64_t va)
{
    return va >= image->virt_start && va < image->virt_end;
}

static bool starts_with(const char *text, const char *start)
{
    for (; *start; text++, start++) {
        if (*text != *start)
            return false;
    }
    return true;
}

/* Is it a kernel for us at all? */
static int check_kind(const struct loader_image *image, unsigned int nr_notes,
                      struct loader_error *error)
{
    uint32_t refused = 1u << XENFEAT_auto_translated_physmap | 1u << XENFEAT_supervisor_mode_kernel;

    if (nr_notes == 0)
        return bad_kernel(error, "has no Xen ELF notes, so it is no paravirtual kernel");
    if (!starts_with(image->xen_version, "xen-3.0"))
        return bad_kernel(error, "ELF note XEN_VERSION is \"%s\"; \"xen-3.0\" is expected",
                          image->xen_version);
    if (image->loader[0] && !starts_with(image->loader, "generic") &&
        !starts_with(image->guest_os, "linux"))
        return bad_kernel(error, "ELF note LOADER is \"%s\"; \"generic\" is expected",
                          image->loader);
    if (image->features_required & refused)
        return bad_kernel(error, "requires the feature %s, which paravirtual guests do not get",
                          image->features_required & 1u << XENFEAT_auto_translated_physmap
                              ? "auto_translated_physmap"
                              : "supervisor_mode_kernel");
    return 0;
}

static int check_addresses(const struct loader_image *image, struct loader_error *error)
{
    if (!in_kernel(image, image->entry))
        return bad_kernel(error, "entry 0x%lx lies outside the kernel (0x%lx to 0x%lx)",
                          image->entry, image->virt_start, image->virt_end);
    if (image->hypercall_page != LOADER_NONE &&
        (image->hypercall_page & (PAGE_SIZE - 1) || !in_kernel(image, image->hypercall_page)))
        return bad_kernel(error, "HYPERCALL_PAGE 0x%lx is no page of the kernel (0x%lx to 0x%lx)",
                          image->hypercall_page, image->virt_start, image->virt_end);
    if (image->init_p2m != LOADER_NONE && image->init_p2m & (PAGE_SIZE - 1))
        return bad_kernel(error, "INIT_P2M 0x%lx is not page aligned", image->init_p2m);
    return 0;
}

void image_begin(struct loader_image *image, const void *file, uint64_t size)
{
    __builtin_memset(image, 0, sizeof(*image));
    image->file = file;
    image->size = size;
    image->virt_base = LOADER_NONE;
    image->paddr_offset = LOADER_NONE;
    image->hypercall_page = LOADER_NONE;
    image->init_p2m = LOADER_NONE;
    image->pvh_entry = LOADER_NONE;
}

int loader_parse(struct loader_image *image, const void *file, uint64_t size,
                 struct loader_error *error)
{
    unsigned int nr_notes;

    image_begin(image, file, size);
    return elf_check(image, &image->entry, error) ?: elf_notes(image, &nr_notes, error)
        ?: check_kind(image, nr_notes, error) ?: elf_extent(image, error)
        ?: place(image, error) ?: check_addresses(image, error);
}
