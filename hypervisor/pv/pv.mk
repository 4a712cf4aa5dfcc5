# SPDX-License-Identifier: MIT
# What makes a paravirtual x86 guest; cpu/ is what only a machine can run.
CORE_SRCS += $(wildcard hypervisor/pv/*.c)
HV_SRCS += $(filter-out %/asm-offsets.c,$(wildcard hypervisor/pv/cpu/*.c hypervisor/pv/cpu/*.asm))
