# SPDX-License-Identifier: MIT
#
# Fuzzing of direct paging with libFuzzer: `make fuzz-mm`, for FUZZ_SECONDS. (make unit runs a fixed set of inputs: pv_mm_fuzz.)

fuzz_mm_SRCS := tests/fuzz/fuzz_mm.c tests/unit/pv_mm_random.c tests/unit/pv_mm_support.c \
    $(wildcard tests/host/*.c)
fuzz_mm_LIBS := core

.PHONY: fuzz-mm
FUZZ += fuzz-mm
FUZZERS += build/fuzz/fuzz_mm
fuzz-mm: build/fuzz/fuzz_mm ## fuzzes direct paging, FUZZ_SECONDS
	@mkdir -p build/fuzz/corpus/mm
	build/fuzz/fuzz_mm -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=1024 -len_control=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/mm
