/* SPDX-License-Identifier: MIT */
/*
 * Between the files of the UEFI application parvis.efi: efi.c (what happens, in order), efi_files.c
 * (reads files), efi_handoff.c (leaves the firmware and enters the image). All run as a UEFI
 * application, one thread, firmware's page tables, memory from the firmware.
 */
#ifndef BOOT_EFI_H
#define BOOT_EFI_H

#include <efi.h>
#include <efilib.h>

#include <parvis/boot_info.h>

#define LOW_4G 0xffffffffull /* what the first page tables of the image map */

/* --- efi_files.c --- */
/* Opens the volume that parvis.efi was loaded from, and finds its own folder there. */
EFI_STATUS efi_open_volume(EFI_HANDLE image);
/* Reads a file from the own folder, else from the root of the volume. Says what it loaded, or where
 * it looked. */
EFI_STATUS efi_load_file(const char *name, UINT64 *start, UINT64 *size);
/* The load options as text. */
void efi_command_line(EFI_HANDLE image, char *to, UINTN size);

/* --- efi_handoff.c --- */
/* Pages below 4 GiB, of the loader's data. Says so when there are none. */
EFI_STATUS efi_alloc_low(UINTN pages, UINT64 *at);
/* Copies the hypervisor's image (parvis.bin, linked in) to where it will run. */
EFI_STATUS efi_place_image(void);
/* Leaves boot services, completes the memory map and jumps. Returns only if it failed before the
 * point of no return. */
EFI_STATUS efi_enter_image(EFI_HANDLE image, struct boot_info *bi);

#endif
