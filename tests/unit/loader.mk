# SPDX-License-Identifier: MIT
#
# Tests of the loader and of the kernel reader of the tools. They link the objects of the loader alone.

loader_host = $(patsubst %,hypervisor/loader/%.c,error elf notes parse plan tables write pvh acpi) hypervisor/lib/printf.c

UNIT += loader_parse loader_layout loader_hostile loader_kernel_image
unit_loader_parse_SRCS := tests/unit/loader_parse.c tests/unit/loader_support.c $(loader_host)
unit_loader_layout_SRCS := tests/unit/loader_layout.c tests/unit/loader_support.c \
    tests/unit/loader_judge.c $(loader_host)
unit_loader_hostile_SRCS := tests/unit/loader_hostile.c tests/fuzz/fuzz_loader.c \
    tests/unit/loader_support.c tests/unit/loader_judge.c tests/unit/pvh_judge.c tests/unit/acpi_judge.c $(loader_host)
unit_loader_kernel_image_SRCS := tests/unit/loader_kernel_image.c tests/fuzz/fuzz_kernel_image.c \
    dom0-tools/lib/kernel_image.c dom0-tools/lib/unpack.c dom0-tools/lib/clock.c dom0-tools/lib/error.c dom0-tools/lib/plain.c dom0-tools/lib/progress.c
unit_loader_kernel_image_LIBS := -lz -llzma -lzstd -llz4

# Start of day of fully virtualized domains.
UNIT += loader_pvh loader_acpi
unit_loader_pvh_SRCS := tests/unit/loader_pvh.c tests/unit/pvh_judge.c tests/unit/acpi_judge.c tests/unit/loader_support.c $(loader_host)
unit_loader_acpi_SRCS := tests/unit/loader_acpi.c tests/unit/acpi_judge.c $(loader_host)
