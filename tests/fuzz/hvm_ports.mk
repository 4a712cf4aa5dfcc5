# SPDX-License-Identifier: MIT
#
# Fuzzing of the devices of a fully virtualized domain with libFuzzer: `make fuzz-hvm-ports`, for FUZZ_SECONDS. (make unit runs a fixed
# set of inputs: hvm_ports_random.)

fuzz_hvm_ports_SRCS := tests/fuzz/fuzz_lives.c tests/unit/hvm_ports_random.c tests/unit/hvm_devices_support.c $(wildcard tests/host/*.c)
fuzz_hvm_ports_LIBS := core

.PHONY: fuzz-hvm-ports
FUZZ += fuzz-hvm-ports
FUZZERS += build/fuzz/fuzz_hvm_ports
fuzz-hvm-ports: build/fuzz/fuzz_hvm_ports ## fuzzes the devices of a fully virtualized domain, FUZZ_SECONDS
	@$(PYTHON) tests/fuzz/random_seeds.py build/fuzz/corpus/hvm_ports 2000
	build/fuzz/fuzz_hvm_ports -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=2048 -len_control=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/hvm_ports
