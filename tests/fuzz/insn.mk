# SPDX-License-Identifier: MIT
#
# Fuzzing of the decoder of instructions with libFuzzer: `make fuzz-insn`, for FUZZ_SECONDS. (make unit: lib_x86_insn.)

fuzz_insn_SRCS := tests/fuzz/fuzz_insn.c tests/unit/insn_check.c hypervisor/lib/x86_decode.c hypervisor/lib/x86_write.c

.PHONY: fuzz-insn
FUZZ += fuzz-insn
FUZZERS += build/fuzz/fuzz_insn
fuzz-insn: build/fuzz/fuzz_insn ## fuzzes the decoder of instructions, FUZZ_SECONDS
	@mkdir -p build/fuzz/corpus/insn
	build/fuzz/fuzz_insn -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=32 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/insn
