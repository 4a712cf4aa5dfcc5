# SPDX-License-Identifier: MIT
#
# parvis-unpack runs on the machine that makes images, so it needs nothing but compression libraries.

UNPACK_SRCS := dom0-tools/unpack/unpack.c dom0-tools/lib/kernel_image.c dom0-tools/lib/unpack.c \
    dom0-tools/lib/clock.c dom0-tools/lib/error.c dom0-tools/lib/plain.c dom0-tools/lib/progress.c dom0-tools/lib/write_all.c
UNPACK_LIBS := -lz -llzma -lzstd -llz4

TOOLS += build/dom0-tools/parvis-unpack

build/dom0-tools/parvis-unpack: $(UNPACK_SRCS) $(wildcard dom0-tools/lib/*.h) | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -Idom0-tools/lib -O2 -g -o $@ $(UNPACK_SRCS) $(UNPACK_LIBS)
