# SPDX-License-Identifier: MIT
#
# Unit tests of the local APIC of fully virtualized guests: on the guest of hvm_lapic_support.c, on the machine of tests/host.

HVM_LAPIC := hvm_lapic hvm_lapic_timer hvm_lapic_ipi hvm_lapic_startup hvm_lapic_moment hvm_lapic_threads

UNIT += $(HVM_LAPIC)
$(foreach t,$(HVM_LAPIC),$(eval unit_$(t)_SRCS := tests/unit/$(t).c tests/unit/hvm_lapic_support.c $(HOST_MACHINE)))
$(foreach t,$(HVM_LAPIC),$(eval unit_$(t)_LIBS := core))

UNIT += hvm_lapic_random
HVM_LAPIC_RANDOM_SRCS := tests/unit/hvm_lapic_random.c tests/unit/hvm_lapic_support.c $(HOST_MACHINE)
unit_hvm_lapic_random_SRCS := tests/unit/random_lives_test.c $(HVM_LAPIC_RANDOM_SRCS)
unit_hvm_lapic_random_LIBS := core
