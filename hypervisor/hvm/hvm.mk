# SPDX-License-Identifier: MIT
# What makes a fully virtualized x86 guest; cpu/ is what only a machine can run.
CORE_SRCS += $(wildcard hypervisor/hvm/*.c)
HV_SRCS += $(filter-out %/asm-offsets.c,$(wildcard hypervisor/hvm/cpu/*.c hypervisor/hvm/cpu/*.asm))
