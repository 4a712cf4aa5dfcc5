# SPDX-License-Identifier: MIT
#
# Torture: the portable code with a thread for each CPU (tests/torture/torture.h), once under the thread sanitizer and once under the
# address sanitizer. Which accesses race it sees by their order, not by luck; what else goes wrong takes time: an hour of each scenario
# is `make torture SECONDS=3600`.

TORTURE := events life timers grants contexts pages
TORTURE_SECONDS := $(or $(SECONDS),5)
# In make check, where three share two processors, a minute of all on both; and in make check-long.
TORTURE_CHECK_SECONDS := 8
TORTURE_LONG_SECONDS := 20
TORTURE_SRCS := $(wildcard tests/torture/*.c tests/host/*.c)
torture_programs := build/host/tsan/torture build/host/gcc/torture

define torture_rules
build/host/$(1)/torture: $(patsubst %.c,build/host/$(1)/%.o,$(TORTURE_SRCS)) build/host/$(1)/libcore.a
	$$(call say,$(1),$$@)
	$$(Q)$(host_link_$(1)) -o $$@ $$^
endef
$(foreach cc,tsan gcc,$(eval $(call torture_rules,$(cc))))

# The thread sanitizer of older compilers cannot live with all that a kernel may do to the layout of memory.
same_layout = $(eval same_layout := $(shell setarch -R true 2>/dev/null && echo setarch -R))$(same_layout)
torture_with = $(foreach s,$(TORTURE),"$(same_layout) $(1) $s $(2)")
torture_for = $(foreach p,$(torture_programs),$(call torture_with,$p,$(1)))

# A round that failed can be made again.
CHECKS += "$(PYTHON) tests/torture/replay.py build/host/gcc/torture"

.PHONY: torture tsan
torture: $(torture_programs) ## many vCPUs on threads, at random, under TSan and ASan: SECONDS of each scenario
	@case "$(TORTURE_SECONDS)" in *[!0-9]* | 0) echo "SECONDS=$(TORTURE_SECONDS): must be a number of seconds" >&2; exit 2; esac
	@rm -f build/logs/*torture*.log
	@$(PYTHON) tests/run.py --timeout $$(($(TORTURE_SECONDS) + 600)) $(call torture_for,$(TORTURE_SECONDS)); status=$$?; \
	    awk '/: [0-9]+ rounds, / { n++; rounds += $$2; operations += $$4; steps += $$6 } \
	         END { printf "torture: %d runs without a finding: %d rounds, %d operations, %d steps\n", n, rounds, operations, steps }' \
	        build/logs/*torture*.log; exit $$status

TSAN_UNITS := $(addprefix build/host/tsan/unit_,core_cpus core_timer hvm_lapic_threads)
tsan: build/host/tsan/torture $(TSAN_UNITS) ## the same under the thread sanitizer alone, and unit tests
	@$(PYTHON) tests/run.py $(foreach p,$(TSAN_UNITS),"$(same_layout) $p") $(call torture_with,$<,$(TORTURE_SECONDS))
