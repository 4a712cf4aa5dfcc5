# SPDX-License-Identifier: MIT
#
# Unit tests of direct paging: on the guest of pv_mm_support.c, on the machine of tests/host.

PV_MM_SRCS := tests/unit/pv_mm_support.c tests/unit/pv_mm_random.c
PV_MM := pv_mm_types pv_mm_update pv_mm_preempt pv_mm_used pv_mm_one pv_mm_ptwr pv_mm_walk pv_mm_grant pv_mm_fuzz pv_tlb pv_flushes pv_traps pv_cpu pv_context pv_show

UNIT += $(PV_MM)
$(foreach t,$(PV_MM),$(eval unit_$(t)_SRCS := tests/unit/$(t).c $(PV_MM_SRCS) $(HOST_MACHINE)))
$(foreach t,$(PV_MM),$(eval unit_$(t)_LIBS := core))

UNIT += pv_counters
unit_pv_counters_SRCS := tests/unit/pv_counters.c tests/unit/grant_oracle.c $(PV_MM_SRCS) $(HOST_MACHINE)
unit_pv_counters_LIBS := core

UNIT += core_boot_domains
unit_core_boot_domains_SRCS := tests/unit/core_boot_domains.c tests/unit/loader_support.c $(PV_MM_SRCS) $(HOST_MACHINE)
unit_core_boot_domains_LIBS := core

UNIT += pv_random
PV_RANDOM_SRCS := $(addprefix tests/unit/,pv_random.c pv_random_cpu.c pv_random_memory.c pv_random_neighbour.c grant_oracle.c pv_mm_support.c) $(HOST_MACHINE)
unit_pv_random_SRCS := tests/unit/pv_random_test.c $(PV_RANDOM_SRCS)
unit_pv_random_LIBS := core
