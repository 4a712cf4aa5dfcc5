# SPDX-License-Identifier: MIT
HV_SRCS += hypervisor/boot/direct.asm hypervisor/boot/direct.c
CORE_SRCS += hypervisor/boot/config.c hypervisor/boot/memmap.c
# parvis.efi: the UEFI application around parvis.bin
EFI_SRCS += hypervisor/boot/efi.c hypervisor/boot/efi_files.c hypervisor/boot/efi_handoff.c
EFI_SRCS += hypervisor/boot/config.c hypervisor/boot/memmap.c
# gnu-efi brings memcpy() and memset().
EFI_SRCS += hypervisor/lib/number.c hypervisor/lib/printf.c hypervisor/lib/string.c
