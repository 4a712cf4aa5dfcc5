# SPDX-License-Identifier: MIT
#
# Unit tests: one cmocka program a line group, built with gcc and with clang under ASan and UBSan.
# A test NAME is listed here, or in another tests/unit/*.mk of its own, so:
#
#   UNIT += NAME
#   unit_NAME_SRCS := tests/unit/NAME.c [other sources, of tests or of dom0-tools/lib]
#   unit_NAME_LIBS := [core] [-lxml2 ...]     core = the hypervisor's portable code and the loader (libcore.a)
#
# and becomes build/host/CC/unit_NAME. `make unit` builds and runs them all.

.SECONDEXPANSION:
# What test $(2) is linked from, under compiler $(1).
unit_objects = $(patsubst %.c,build/host/$(1)/%.o,$(unit_$(2)_SRCS)) \
    $(if $(filter core,$(unit_$(2)_LIBS)),build/host/$(1)/libcore.a)

define unit_rules
build/host/$(1)/unit_%: $$$$(call unit_objects,$(1),$$$$*)
	$$(call say,$(1),$$@)
	$$(Q)$(host_link_$(1)) -o $$@ $$^ $$(filter-out core,$$(unit_$$*_LIBS)) -lcmocka
endef
$(foreach cc,$(HOSTS),$(eval $(call unit_rules,$(cc))))

unit_programs = $(foreach cc,gcc clang,$(patsubst %,build/host/$(cc)/unit_%,$(UNIT)))

# What tries a great deal, or waits, does so in make check as gcc compiled it, under the sanitizers; as clang did, in make check-long, and by the
# fuzzers, which are clang's.
BY_ONE_COMPILER := $(addprefix build/host/clang/unit_,loader_hostile hvm_lapic_moment hvm_lapic_random hvm_exit_random core_worlds core_late \
    pv_mm_fuzz pv_mm_ptwr tools_config_each tools_config_random tools_hotplug_killed tools_progress tools_pvctl_cpus tools_reader tools_rename_killed tools_resize)
checked_units = $(filter-out $(BY_ONE_COMPILER),$(unit_programs))
LONG_CHECKS += $(BY_ONE_COMPILER)

# The rules that tests/style.py holds the sources against do fire.
CHECKS += tests/rules_test.py

unit: $$(unit_programs) ## builds (gcc and clang, sanitizers) and runs the unit tests
	@$(PYTHON) tests/run.py $(unit_programs)
