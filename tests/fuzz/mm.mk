# SPDX-License-Identifier: MIT
#
# Fuzzing of direct paging with libFuzzer: `make fuzz-mm`, for FUZZ_SECONDS. (make unit runs a fixed set of inputs: pv_mm_fuzz.)

FUZZ_SECONDS ?= 30
FUZZ_MM_SRCS := tests/fuzz/fuzz_mm.c tests/unit/pv_mm_random.c tests/unit/pv_mm_support.c \
    $(wildcard tests/host/*.c)

# The core is compiled once more, with the fuzzer's coverage, for all fuzzers of it. What recounts is not what they are to explore.
# Comparisons are not traced, which takes a third of the time: the bytes choose operations, and are themselves compared nowhere.
EXPLORED := -fsanitize=fuzzer-no-link -fno-sanitize-coverage=trace-cmp
UNCOUNTED := tests/host/% %_oracle.c
build/fuzz/obj/%.o: %.c | build/.deps
	@mkdir -p $(@D)
	$(call say,clang,$@)
	$(Q)clang $(HOST_CFLAGS) $(if $(filter $(UNCOUNTED),$<),,$(EXPLORED)) $(if $(filter hypervisor/%,$<),-ffreestanding -DDEBUG=1) \
	    -MMD -MP -MF $(@:.o=.d) -c $< -o $@

build/fuzz/fuzz_mm: $(patsubst %.c,build/fuzz/obj/%.o,$(FUZZ_MM_SRCS) $(sort $(CORE_SRCS) $(LOADER_SRCS)))
	$(call say,clang,$@)
	$(Q)clang -fsanitize=address,undefined,fuzzer -o $@ $^ -lcmocka

.PHONY: fuzz-mm
FUZZ += fuzz-mm
FUZZERS += build/fuzz/fuzz_mm
fuzz-mm: build/fuzz/fuzz_mm ## fuzzes direct paging, FUZZ_SECONDS
	@mkdir -p build/fuzz/corpus/mm
	build/fuzz/fuzz_mm -max_total_time=$(FUZZ_SECONDS) $(FUZZ_FLAGS) -max_len=1024 -len_control=0 \
	    -artifact_prefix=build/fuzz/ build/fuzz/corpus/mm
