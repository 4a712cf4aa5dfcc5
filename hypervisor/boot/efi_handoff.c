/* SPDX-License-Identifier: MIT */
/*
 * From the firmware's world to the image's.
 *
 * The flat image begins with the header of boot/direct.asm: sizes, and where its 64-bit entry is.
 * It is put on a multiple of 2 MiB below 4 GiB. Its first page tables, which are moved with it, map
 * the low 4 GiB at 0 (this code runs there, boot_info lies there) and the image at its linked
 * address.
 * After ExitBootServices nothing of the firmware is called or needed; its memory map becomes struct
 * boot_info's.
 */
#include "efi.h"

#include <hv/boot_config.h>

struct image_header {
    UINT32 magic, flags, checksum, header, load, load_end, image_end, entry32;
    UINT32 entry64, tables; /* offsets in the image */
    UINT32 mark;
};
#define HEADER_MAGIC 0x1badb002
#define HEADER_MARK  0x50565342
#define IMAGE_VIRT   0xffff82d040000000ull
#define SIZE_2M      0x200000ull

extern const UINT8 parvis_bin[], parvis_bin_end[];

static UINT64 image_at;

EFI_STATUS efi_alloc_low(UINTN pages, UINT64 *at)
{
    EFI_STATUS status;

    *at = LOW_4G;
    status = uefi_call_wrapper(BS->AllocatePages, 4, AllocateMaxAddress, EfiLoaderData, pages, at);
    if (EFI_ERROR(status))
        Print(L"parvis: no room for %d KiB below 4 GiB: %r\n", pages * 4, status);
    return status;
}

static const struct image_header *header(void)
{
    return (const struct image_header *)parvis_bin;
}

static UINT64 *first_tables(void)
{
    return (UINT64 *)(image_at + header()->tables);
}

/* Of the first page tables L4, both L3 and the last L2 point into the image, which is elsewhere
 * now. */
static void move_tables(void)
{
    UINT64 *entry = first_tables();

    for (UINTN i = 0; i < 8 * 512; i++)
        if (entry[i] && (i < 3 * 512 || i >= 7 * 512))
            entry[i] += image_at - header()->load;
}

EFI_STATUS efi_place_image(void)
{
    const struct image_header *h = header();
    UINT64 size = h->image_end - h->load, loaded = (UINT64)(parvis_bin_end - parvis_bin), at;
    EFI_STATUS status;

    if (h->magic != HEADER_MAGIC || h->mark != HEADER_MARK || loaded > size ||
        (UINT64)efi_place_image > LOW_4G) {
        Print(L"parvis: parvis.efi is damaged, or was loaded above 4 GiB\n");
        return EFI_LOAD_ERROR;
    }
    status = efi_alloc_low(EFI_SIZE_TO_PAGES(size + SIZE_2M), &at);
    if (EFI_ERROR(status))
        return status;
    image_at = (at + SIZE_2M - 1) & ~(SIZE_2M - 1);
    CopyMem((void *)image_at, (void *)parvis_bin, loaded);
    SetMem((void *)(image_at + loaded), size - loaded, 0);
    move_tables();
    return EFI_SUCCESS;
}

static UINT32 type_of(UINT32 efi_type)
{
    switch (efi_type) {
    case EfiConventionalMemory:
    case EfiBootServicesCode:
    case EfiBootServicesData:
        return BOOT_MEM_RAM;
    case EfiLoaderCode:
    case EfiLoaderData:
        return BOOT_MEM_LOADER;
    case EfiACPIReclaimMemory:
        return BOOT_MEM_ACPI;
    case EfiACPIMemoryNVS:
        return BOOT_MEM_NVS;
    case EfiUnusableMemory:
        return BOOT_MEM_UNUSABLE;
    default:
        return BOOT_MEM_RESERVED;
    }
}

static int convert_map(struct boot_info *bi, const UINT8 *map, UINTN size, UINTN step)
{
    UINT64 image_size = header()->image_end - header()->load;
    int rc = 0;

    for (UINTN at = 0; at + step <= size; at += step) {
        const EFI_MEMORY_DESCRIPTOR *m = (const EFI_MEMORY_DESCRIPTOR *)(map + at);

        rc |= memmap_set(bi, m->PhysicalStart, m->NumberOfPages * EFI_PAGE_SIZE, type_of(m->Type));
    }
    return rc | memmap_set(bi, image_at, image_size, BOOT_MEM_IMAGE);
}

static void __attribute__((noreturn)) jump(struct boot_info *bi)
{
    UINT64 entry = IMAGE_VIRT + header()->entry64;

    __asm__ volatile("cli; mov %0, %%cr3; jmp *%1"
                     :
                     : "r"(first_tables()), "r"(entry), "D"(bi), "S"(image_at)
                     : "memory");
    __builtin_unreachable();
}

EFI_STATUS efi_enter_image(EFI_HANDLE image, struct boot_info *bi)
{
    UINTN room = 0, size, key, step = 0;
    UINT32 version;
    UINT64 map;
    EFI_STATUS status;

    /* Its size first; then with room for what the allocation itself adds. */
    (void)uefi_call_wrapper(BS->GetMemoryMap, 5, &room, NULL, &key, &step, &version);
    room += 32 * (step ? step : sizeof(EFI_MEMORY_DESCRIPTOR));
    status = efi_alloc_low(EFI_SIZE_TO_PAGES(room), &map);
    if (EFI_ERROR(status))
        return status;
    Print(L"parvis: leaving the firmware; what follows is on the serial port com%d, not here\n",
          bi->console);
    /* The map may change under the call; the second try is the specification's. */
    for (UINTN i = 0; i < 4; i++) {
        size = room;
        status = uefi_call_wrapper(BS->GetMemoryMap, 5, &size, (EFI_MEMORY_DESCRIPTOR *)map, &key,
                                   &step, &version);
        if (!EFI_ERROR(status))
            status = uefi_call_wrapper(BS->ExitBootServices, 2, image, key);
        if (!EFI_ERROR(status))
            break;
    }
    if (EFI_ERROR(status)) {
        Print(L"parvis: the firmware does not let go: %r\n", status);
        return status;
    }
    if (convert_map(bi, (const UINT8 *)map, size, step))
        bi->nr_mem = 0; /* too many entries: the image says that there is no memory */
    jump(bi);
}
