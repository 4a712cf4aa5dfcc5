# SPDX-License-Identifier: MIT
CORE_SRCS += $(wildcard hypervisor/core/*.c)
