# SPDX-License-Identifier: MIT
#
# Tests of the control interface and of grants, on the machine of tests/host.

CONTROL_TESTS := core_domctl core_domctl_vcpu core_sysctl core_platform core_physdev core_subop core_cpu_policy core_cpu_policy_set core_toolstack
CONTROL_TEST_SRCS := $(wildcard tests/host/*.c) tests/unit/core_support.c

UNIT += $(CONTROL_TESTS)
$(foreach t,$(CONTROL_TESTS),$(eval unit_$(t)_SRCS := tests/unit/$(t).c $(CONTROL_TEST_SRCS)))
$(foreach t,$(CONTROL_TESTS),$(eval unit_$(t)_LIBS := core))

# Each advisory of docs/advisories.md names tests that exist.
CHECKS += tests/advisories.py
