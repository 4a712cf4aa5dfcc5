# SPDX-License-Identifier: MIT
HV_SRCS += hypervisor/boot/direct.asm hypervisor/boot/direct.c
CORE_SRCS += hypervisor/boot/config.c hypervisor/boot/memmap.c
# parvis.efi: the UEFI application around parvis.bin
EFI_SRCS += hypervisor/boot/efi.c hypervisor/boot/efi_files.c hypervisor/boot/efi_handoff.c
EFI_SRCS += hypervisor/boot/efi_string.c hypervisor/boot/config.c hypervisor/boot/memmap.c hypervisor/lib/printf.c
