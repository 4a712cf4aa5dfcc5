# SPDX-License-Identifier: MIT
#
# Fuzzing of the core with libFuzzer: `make fuzz-core`, for FUZZ_SECONDS. (make unit runs a fixed set of inputs: core_random.)

fuzz_core_SRCS := tests/fuzz/fuzz_lives.c tests/unit/core_random.c $(wildcard tests/host/*.c)
fuzz_core_LIBS := core

.PHONY: fuzz-core
FUZZ += fuzz-core
FUZZERS += build/fuzz/fuzz_core
fuzz-core: build/fuzz/fuzz_core ## fuzzes hypercalls of the core, FUZZ_SECONDS
	@mkdir -p build/fuzz/corpus/core
	build/fuzz/fuzz_core -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=4096 -len_control=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/core
