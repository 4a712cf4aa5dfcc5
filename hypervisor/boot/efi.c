/* SPDX-License-Identifier: MIT */
/*
 * parvis.efi: how the hypervisor starts under UEFI.
 *
 * Reads parvis.cfg and the files that it names from the volume that parvis.efi itself came from
 * (its own folder first, then the root), copies the hypervisor's image, which is part of this
 * application, to its place, leaves boot services and enters the image with a struct boot_info, as
 * direct start does. Whatever is wrong is said on the firmware's console, with the file and where
 * it was looked for, and the firmware goes on with its next boot option.
 */
#include "efi.h"

#include <hv/boot_config.h>

/* Below 4 GiB, as this application is (efi_place_image() makes sure). */
static struct boot_info boot_info, *const bi = &boot_info;

/* Called by gnu-efi's start code, which has changed to the calling convention of this file already:
 * no EFIAPI. */
EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table);

/* config_parse() wants a module: it is loaded the first time that it is named. */
static int find_module(struct boot_info *info, const char *name)
{
    struct boot_module *m = &info->modules[info->nr_modules];

    if (config_module(info, name) >= 0)
        return config_module(info, name);
    if (info->nr_modules == BOOT_MAX_MODULES) {
        Print(L"parvis: more than %d files\n", BOOT_MAX_MODULES);
        return -1;
    }
    if (EFI_ERROR(efi_load_file(name, &m->start, &m->size)))
        return -1;
    CopyMem(m->name, (void *)name, strlena((const CHAR8 *)name) + 1); /* the parser bounds it */
    return (int)info->nr_modules++;
}

static EFI_STATUS read_config(void)
{
    struct config_error error;
    UINT64 start, size;
    EFI_STATUS status = efi_load_file("parvis.cfg", &start, &size);

    if (EFI_ERROR(status))
        return status;
    if (config_parse(bi, (const char *)start, size, find_module, &error) ||
        config_parse_cmdline(bi, &error)) {
        Print(L"parvis: %a\n", error.text);
        return EFI_LOAD_ERROR;
    }
    return EFI_SUCCESS;
}

static void find_tables(EFI_SYSTEM_TABLE *st)
{
    EFI_GUID acpi2 = ACPI_20_TABLE_GUID, acpi1 = ACPI_TABLE_GUID;

    bi->efi_system_table = (UINT64)st;
    for (UINTN i = 0; i < st->NumberOfTableEntries; i++) {
        EFI_CONFIGURATION_TABLE *t = &st->ConfigurationTable[i];

        if (CompareGuid(&t->VendorGuid, &acpi2) == 0)
            bi->rsdp = (UINT64)t->VendorTable;
        else if (!bi->rsdp && CompareGuid(&t->VendorGuid, &acpi1) == 0)
            bi->rsdp = (UINT64)t->VendorTable;
    }
}

static EFI_STATUS start(EFI_HANDLE image, EFI_SYSTEM_TABLE *st)
{
    EFI_STATUS status;

    config_defaults(bi);
    CopyMem(bi->loader, "UEFI", 5);
    efi_command_line(image, bi->cmdline, sizeof(bi->cmdline));
    status = efi_open_volume(image);
    if (!EFI_ERROR(status))
        status = read_config();
    if (!EFI_ERROR(status))
        status = efi_place_image();
    if (EFI_ERROR(status))
        return status;
    find_tables(st);
    return efi_enter_image(image, bi);
}

EFI_STATUS efi_main(EFI_HANDLE image, EFI_SYSTEM_TABLE *system_table)
{
    EFI_STATUS status;

    InitializeLib(image, system_table);
    Print(L"parvis: started by UEFI %d.%02d\n", system_table->Hdr.Revision >> 16,
          (system_table->Hdr.Revision & 0xffff) / 10);
    status = start(image, system_table);
    Print(L"parvis: not started: %r\n", status);
    return status;
}
