# SPDX-License-Identifier: MIT
#
# Fuzzing of the loader and of the tools' kernel reader with libFuzzer: `make fuzz-loader`, for FUZZ_SECONDS each.
# The corpora stay in build/fuzz/ and grow from run to run. (make unit runs a fixed corpus of both.)

fuzz_loader_SRCS := tests/fuzz/fuzz_loader.c tests/unit/loader_support.c tests/unit/loader_judge.c \
    tests/unit/pvh_judge.c tests/unit/acpi_judge.c \
    $(wildcard hypervisor/loader/*.c) hypervisor/lib/printf.c
fuzz_kernel_image_SRCS := tests/fuzz/fuzz_kernel_image.c tests/fuzz/kernel_mutator.c tests/fuzz/kernel_pack.c dom0-tools/lib/kernel_image.c \
    dom0-tools/lib/unpack.c dom0-tools/lib/clock.c dom0-tools/lib/error.c dom0-tools/lib/plain.c dom0-tools/lib/progress.c
fuzz_kernel_image_LIBS := -lz -llzma -lzstd -llz4

build/fuzz/loader_seeds: tests/fuzz/loader_seeds.c tests/unit/loader_support.c | build/.deps
	$(call say,clang,$@)
	$(Q)clang -std=gnu11 $(WARN) -Iinclude -O1 -g -o $@ $^

build/fuzz/kernel_seeds: tests/fuzz/kernel_seeds.c tests/fuzz/kernel_pack.c | build/.deps
	$(call say,clang,$@)
	$(Q)clang -std=gnu11 $(WARN) -O1 -g -o $@ $^ -lz -llzma -lzstd -llz4

.PHONY: fuzz-loader
FUZZ += fuzz-loader
FUZZERS += build/fuzz/fuzz_loader build/fuzz/fuzz_kernel_image
fuzz-loader: build/fuzz/fuzz_loader build/fuzz/fuzz_kernel_image build/fuzz/loader_seeds build/fuzz/kernel_seeds ## fuzzes the loader and the kernel reader, FUZZ_SECONDS each
	@mkdir -p build/fuzz/corpus/loader build/fuzz/corpus/kernel_image
	@build/fuzz/loader_seeds build/fuzz/corpus/loader
	@build/fuzz/kernel_seeds build/fuzz/corpus/kernel_image
	build/fuzz/fuzz_loader -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=8192 -print_final_stats=1 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/loader
	build/fuzz/fuzz_kernel_image -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=8192 -print_final_stats=1 \
	    -rss_limit_mb=4096 -artifact_prefix=build/fuzz/ build/fuzz/corpus/kernel_image
