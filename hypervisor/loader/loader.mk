# SPDX-License-Identifier: MIT
LOADER_SRCS += hypervisor/loader/error.c hypervisor/loader/elf.c hypervisor/loader/notes.c \
    hypervisor/loader/parse.c hypervisor/loader/plan.c hypervisor/loader/tables.c \
    hypervisor/loader/write.c hypervisor/loader/pvh.c hypervisor/loader/acpi.c
