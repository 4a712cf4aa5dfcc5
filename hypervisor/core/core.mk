# SPDX-License-Identifier: MIT
# The rooms of core: who may call whom is in docs/architecture.md, and tests/style.py holds it.
HV_SRCS += hypervisor/main.c
CORE_SRCS += $(wildcard hypervisor/core/*/*.c)
