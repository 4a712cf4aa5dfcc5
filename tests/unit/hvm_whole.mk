# SPDX-License-Identifier: MIT
#
# Unit tests of a whole fully virtualized domain: on the domain of hvm_whole.c, on the machine of tests/host.

HVM_WHOLE := hvm_ahead hvm_exit hvm_exit_io hvm_inject hvm_exceptions hvm_nmi hvm_pause hvm_msr_cpuid hvm_domain hvm_xen hvm_xen_memory hvm_upcall hvm_counters
HVM_WHOLE_SRCS := tests/unit/hvm_whole.c tests/unit/hvm_guest.c tests/unit/loader_support.c $(HOST_MACHINE)

UNIT += $(HVM_WHOLE)
$(foreach t,$(HVM_WHOLE),$(eval unit_$(t)_SRCS := tests/unit/$(t).c $(HVM_WHOLE_SRCS)))
$(foreach t,$(HVM_WHOLE),$(eval unit_$(t)_LIBS := core))

UNIT += hvm_exit_random
HVM_EXIT_RANDOM_SRCS := $(addprefix tests/unit/,hvm_exit_random.c hvm_exit_calls.c) $(HVM_WHOLE_SRCS)
unit_hvm_exit_random_SRCS := tests/unit/random_lives_test.c $(HVM_EXIT_RANDOM_SRCS)
unit_hvm_exit_random_LIBS := core

# And of one that the control domain makes, which is paravirtual.
HVM_MADE := hvm_control hvm_foreign
UNIT += $(HVM_MADE)
$(foreach t,$(HVM_MADE),$(eval unit_$(t)_SRCS := tests/unit/$(t).c tests/unit/hvm_made.c tests/unit/hvm_guest.c tests/unit/pv_mm_support.c $(HOST_MACHINE)))
$(foreach t,$(HVM_MADE),$(eval unit_$(t)_LIBS := core))
