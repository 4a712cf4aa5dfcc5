# SPDX-License-Identifier: MIT
#
# Fuzzing of the core with libFuzzer: `make fuzz-core`, for FUZZ_SECONDS. (make unit runs a fixed set of inputs: core_random.)
# Objects are those of mm.mk.

FUZZ_SECONDS ?= 30
FUZZ_CORE_SRCS := tests/fuzz/fuzz_core.c tests/unit/core_random.c $(wildcard tests/host/*.c)

build/fuzz/fuzz_core: $(patsubst %.c,build/fuzz/obj/%.o,$(FUZZ_CORE_SRCS) $(sort $(CORE_SRCS) $(LOADER_SRCS)))
	$(call say,clang,$@)
	$(Q)clang -fsanitize=address,undefined,fuzzer -o $@ $^

.PHONY: fuzz-core
FUZZ += fuzz-core
FUZZERS += build/fuzz/fuzz_core
fuzz-core: build/fuzz/fuzz_core ## fuzzes hypercalls of the core, FUZZ_SECONDS
	@mkdir -p build/fuzz/corpus/core
	build/fuzz/fuzz_core -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=4096 -len_control=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/core
