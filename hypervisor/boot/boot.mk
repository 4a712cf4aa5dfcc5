# SPDX-License-Identifier: MIT
HV_SRCS += hypervisor/boot/direct.asm hypervisor/boot/direct.c
CORE_SRCS += hypervisor/boot/config.c hypervisor/boot/memmap.c
