# SPDX-License-Identifier: MIT
#
# Fuzzing of whole paravirtual domains with libFuzzer: `make fuzz-pv`, for FUZZ_SECONDS. (make unit runs a fixed set of inputs:
# pv_random.)

fuzz_pv_SRCS := tests/fuzz/fuzz_pv.c $(addprefix tests/unit/,pv_random.c pv_random_cpu.c pv_random_memory.c pv_random_neighbour.c grant_oracle.c pv_mm_support.c) \
    $(wildcard tests/host/*.c)
fuzz_pv_LIBS := core

.PHONY: fuzz-pv
FUZZ += fuzz-pv
FUZZERS += build/fuzz/fuzz_pv
fuzz-pv: build/fuzz/fuzz_pv ## fuzzes whole paravirtual domains, FUZZ_SECONDS
	@mkdir -p build/fuzz/corpus/pv
	build/fuzz/fuzz_pv -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=1024 -len_control=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/pv
