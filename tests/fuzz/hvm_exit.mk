# SPDX-License-Identifier: MIT
#
# Fuzzing of the exits of a fully virtualized domain with libFuzzer: `make fuzz-hvm-exit`, for FUZZ_SECONDS. (make unit runs a fixed set
# of inputs: hvm_exit_random.)

fuzz_hvm_exit_SRCS := tests/fuzz/fuzz_lives.c $(addprefix tests/unit/,hvm_exit_random.c hvm_exit_calls.c hvm_whole.c hvm_guest.c) $(wildcard tests/host/*.c)
fuzz_hvm_exit_LIBS := core

.PHONY: fuzz-hvm-exit
FUZZ += fuzz-hvm-exit
FUZZERS += build/fuzz/fuzz_hvm_exit
fuzz-hvm-exit: build/fuzz/fuzz_hvm_exit ## fuzzes the exits of a fully virtualized domain, FUZZ_SECONDS
	@$(PYTHON) tests/fuzz/random_seeds.py build/fuzz/corpus/hvm_exit 2000
	build/fuzz/fuzz_hvm_exit -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=2048 -len_control=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/hvm_exit
