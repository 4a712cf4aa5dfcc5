# SPDX-License-Identifier: MIT
#
# Fuzzing of grants with libFuzzer: `make fuzz-grant`, for FUZZ_SECONDS. (make unit runs a fixed set of
# inputs: core_grants_fuzz.)

fuzz_grant_SRCS := tests/fuzz/fuzz_grant.c tests/unit/grant_random.c tests/unit/grant_oracle.c \
    tests/unit/pv_mm_support.c $(wildcard tests/host/*.c)
fuzz_grant_LIBS := core

.PHONY: fuzz-grant
FUZZ += fuzz-grant
FUZZERS += build/fuzz/fuzz_grant
fuzz-grant: build/fuzz/fuzz_grant ## fuzzes grants, FUZZ_SECONDS
	@mkdir -p build/fuzz/corpus/grant
	build/fuzz/fuzz_grant -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=512 -len_control=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/grant
