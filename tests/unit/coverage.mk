# SPDX-License-Identifier: MIT
#
# `make coverage`: which lines of the hypervisor's portable code and of the tools the unit tests and the fixed random runs execute, by
# file (tests/coverage.py). What no test links is compiled too, and counts as never run.

COVERED := $(sort $(CORE_SRCS) $(LOADER_SRCS) $(LIB_SRCS) $(wildcard dom0-tools/lib/*.c dom0-tools/parvisd/*.c))

COVERAGE_PROGRAMS = $(patsubst %,build/host/coverage/unit_%,$(UNIT))

.PHONY: coverage
coverage: $$(COVERAGE_PROGRAMS) $(patsubst %.c,build/host/coverage/%.o,$(COVERED)) ## line coverage of the unit tests, by file; fails when a file is below 85 %
	@$(PYTHON) tests/coverage.py $(COVERAGE_PROGRAMS) $(COVERED)
