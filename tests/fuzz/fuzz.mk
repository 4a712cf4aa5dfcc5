# SPDX-License-Identifier: MIT
#
# Fuzzing with libFuzzer. NAME is listed in another tests/fuzz/*.mk:
#
#   FUZZERS += build/fuzz/fuzz_NAME
#   fuzz_NAME_SRCS := tests/fuzz/fuzz_NAME.c [other sources]
#   fuzz_NAME_LIBS := [core] [-lxml2 ...]     core = the hypervisor's portable code and the loader (libcore.a)
#
# It is linked from the objects of clang's unit tests, so that each source is compiled once: they count for libFuzzer which edges ran,
# which is nothing to the unit tests.

FUZZ_SECONDS ?= 30
# In make check from the same seed, a share of three seconds of a processor; in make check-long from another one each time, and for longer.
fuzz_checks = $(foreach f,$(FUZZ),"make $f FUZZ_SECONDS=5 FUZZ_FLAGS=-seed=1")
fuzz_long_checks = $(foreach f,$(FUZZ),"make $f FUZZ_SECONDS=20")

# What recounts, and what stands for a machine, is not what fuzzers are to explore; nor are tests that none of them links.
UNCOUNTED := tests/host/% %_oracle.c tests/unit/fake_%
# Comparisons are traced where input is parsed. Elsewhere, where it takes a third of the time, the bytes choose operations, and are
# themselves compared nowhere.
PARSERS := dom0-tools/% hypervisor/loader/% tests/fuzz/kernel_%
explored = $(if $(filter $(UNCOUNTED),$(1))$(call plainly,$(1)),,-fsanitize=fuzzer-no-link $(if $(filter $(PARSERS),$(1)),,-fno-sanitize-coverage=trace-cmp))

.SECONDEXPANSION:
fuzz_objects = $(patsubst %.c,build/host/clang/%.o,$(fuzz_$(1)_SRCS)) $(if $(filter core,$(fuzz_$(1)_LIBS)),build/host/clang/libcore.a)
build/fuzz/fuzz_%: $$(call fuzz_objects,$$*)
	$(call say,clang,$@)
	$(Q)clang -fuse-ld=lld $(SANITIZE),fuzzer -o $@ $^ $(filter-out core,$(fuzz_$*_LIBS)) -lcmocka
