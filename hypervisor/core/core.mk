# SPDX-License-Identifier: MIT
HV_SRCS += hypervisor/core/main.c
CORE_SRCS += $(filter-out %/main.c,$(wildcard hypervisor/core/*.c))
