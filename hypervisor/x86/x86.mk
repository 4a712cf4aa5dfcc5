# SPDX-License-Identifier: MIT
HV_SRCS += $(filter-out hypervisor/x86/asm-offsets.c,$(wildcard hypervisor/x86/*.c hypervisor/x86/*.asm))
