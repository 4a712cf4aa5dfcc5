# SPDX-License-Identifier: MIT
#
# Fuzzing of a fully virtualized guest's memory with libFuzzer: `make fuzz-hvm-npt`, nested page tables, `make fuzz-hvm-walk`, walks
# through its own, and `make fuzz-hvm-mmio`, the decoder of two instructions, for FUZZ_SECONDS each. (make unit runs a fixed set of
# inputs: hvm_npt, hvm_walk, hvm_mmio.)

fuzz_hvm_npt_SRCS := tests/fuzz/fuzz_hvm_npt.c $(addprefix tests/unit/,hvm_npt_random.c hvm_guest.c) $(wildcard tests/host/*.c)
fuzz_hvm_npt_LIBS := core
fuzz_hvm_walk_SRCS := tests/fuzz/fuzz_hvm_walk.c $(addprefix tests/unit/,hvm_walk_random.c hvm_walk_oracle.c hvm_guest.c) \
    $(wildcard tests/host/*.c)
fuzz_hvm_walk_LIBS := core
fuzz_hvm_mmio_SRCS := tests/fuzz/fuzz_hvm_mmio.c tests/unit/hvm_mmio_check.c hypervisor/hvm/mmio.c hypervisor/lib/x86_decode.c

.PHONY: fuzz-hvm-npt fuzz-hvm-walk fuzz-hvm-mmio
FUZZ += fuzz-hvm-npt fuzz-hvm-walk fuzz-hvm-mmio
FUZZERS += build/fuzz/fuzz_hvm_npt build/fuzz/fuzz_hvm_walk build/fuzz/fuzz_hvm_mmio
fuzz-hvm-npt: build/fuzz/fuzz_hvm_npt ## fuzzes nested page tables, FUZZ_SECONDS
	@$(PYTHON) tests/fuzz/random_seeds.py build/fuzz/corpus/hvm_npt 500
	build/fuzz/fuzz_hvm_npt -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=512 -len_control=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/hvm_npt
fuzz-hvm-walk: build/fuzz/fuzz_hvm_walk ## fuzzes walks through a guest's own page tables, FUZZ_SECONDS
	@$(PYTHON) tests/fuzz/random_seeds.py build/fuzz/corpus/hvm_walk 500
	build/fuzz/fuzz_hvm_walk -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=512 -len_control=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/hvm_walk
fuzz-hvm-mmio: build/fuzz/fuzz_hvm_mmio ## fuzzes the decoder of instructions that touch a device, FUZZ_SECONDS
	@mkdir -p build/fuzz/corpus/hvm_mmio
	build/fuzz/fuzz_hvm_mmio -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=24 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/hvm_mmio
