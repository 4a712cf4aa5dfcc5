# SPDX-License-Identifier: MIT
#
# The tests of what answers guests once more, under clang's memory sanitizer: nothing that a guest gets is a byte that nobody wrote
# (tests/host/guest_access.c looks at each copy).

MSAN := core_domctl core_domctl_vcpu core_sysctl core_platform core_physdev core_cpu_policy core_cpu_policy_set core_toolstack core_memory core_hypercall core_evtchn core_grants_op core_sched pv_entry
msan_programs := $(addprefix build/host/msan/unit_,$(MSAN))

.PHONY: msan
msan: $(msan_programs) ## builds and runs the tests of what answers guests, under the memory sanitizer
	@$(PYTHON) tests/run.py $^
