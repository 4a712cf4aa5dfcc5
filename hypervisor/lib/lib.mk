# SPDX-License-Identifier: MIT
HV_SRCS += hypervisor/lib/string.c
CORE_SRCS += hypervisor/lib/printf.c hypervisor/lib/strlcpy.c
