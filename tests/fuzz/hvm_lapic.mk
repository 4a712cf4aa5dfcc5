# SPDX-License-Identifier: MIT
#
# Fuzzing of the local APIC of fully virtualized guests with libFuzzer: `make fuzz-hvm-lapic`, for FUZZ_SECONDS. (make unit runs a fixed
# set of inputs: hvm_lapic_random.)

fuzz_hvm_lapic_SRCS := tests/fuzz/fuzz_lives.c tests/unit/hvm_lapic_random.c tests/unit/hvm_lapic_support.c $(wildcard tests/host/*.c)
fuzz_hvm_lapic_LIBS := core

.PHONY: fuzz-hvm-lapic
FUZZ += fuzz-hvm-lapic
FUZZERS += build/fuzz/fuzz_hvm_lapic
fuzz-hvm-lapic: build/fuzz/fuzz_hvm_lapic ## fuzzes the local APIC of fully virtualized guests, FUZZ_SECONDS
	@$(PYTHON) tests/fuzz/random_seeds.py build/fuzz/corpus/hvm_lapic 2000
	build/fuzz/fuzz_hvm_lapic -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=2048 -len_control=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/hvm_lapic
