# SPDX-License-Identifier: MIT
#
# The core of the hypervisor, on the machine of tests/host.

HOST_MACHINE := $(wildcard tests/host/*.c)

UNIT += lib_x86_insn
unit_lib_x86_insn_SRCS := tests/unit/lib_x86_insn.c tests/unit/insn_check.c
unit_lib_x86_insn_LIBS := core

UNIT += core_lib core_heap core_heap_ahead core_timer core_time
unit_core_lib_SRCS := tests/unit/core_lib.c $(LIB_SRCS)
# What the C library has too goes by names of its own there.
$(foreach cc,$(HOSTS),$(patsubst %,build/host/$(cc)/hypervisor/lib/%.o,memory string)): \
    HOST_CFLAGS_EXTRA := -ffreestanding -fno-builtin -include tests/unit/core_lib_names.h
unit_core_heap_SRCS := tests/unit/core_heap.c $(HOST_MACHINE)
unit_core_heap_LIBS := core
unit_core_heap_ahead_SRCS := tests/unit/core_heap_ahead.c $(HOST_MACHINE)
unit_core_heap_ahead_LIBS := core
unit_core_timer_SRCS := tests/unit/core_timer.c $(HOST_MACHINE)
unit_core_timer_LIBS := core
unit_core_time_SRCS := tests/unit/core_time.c $(HOST_MACHINE)
unit_core_time_LIBS := core

UNIT += core_tlb
unit_core_tlb_SRCS := tests/unit/core_tlb.c $(addprefix hypervisor/core/base/,tlb.c wait.c cpu.c)

UNIT += core_wait
unit_core_wait_SRCS := tests/unit/core_wait.c $(HOST_MACHINE)
unit_core_wait_LIBS := core

UNIT += core_cpus
unit_core_cpus_SRCS := tests/unit/core_cpus.c $(HOST_MACHINE)
unit_core_cpus_LIBS := core

UNIT += core_evtchn
unit_core_evtchn_SRCS := tests/unit/core_evtchn.c $(HOST_MACHINE)
unit_core_evtchn_LIBS := core

UNIT += core_domain
unit_core_domain_SRCS := tests/unit/core_domain.c $(HOST_MACHINE)
unit_core_domain_LIBS := core

UNIT += core_races core_races_frames core_races_ports
unit_core_races_SRCS := tests/unit/core_races.c tests/unit/core_moment.c $(HOST_MACHINE)
unit_core_races_LIBS := core
unit_core_races_frames_SRCS := tests/unit/core_races_frames.c tests/unit/core_moment.c $(HOST_MACHINE)
unit_core_races_frames_LIBS := core
unit_core_races_ports_SRCS := tests/unit/core_races_ports.c tests/unit/core_moment.c $(HOST_MACHINE)
unit_core_races_ports_LIBS := core

UNIT += core_store_wait
unit_core_store_wait_SRCS := tests/unit/core_store_wait.c $(HOST_MACHINE)
unit_core_store_wait_LIBS := core

UNIT += core_hypercall core_sched
unit_core_hypercall_SRCS := tests/unit/core_hypercall.c $(HOST_MACHINE)
unit_core_hypercall_LIBS := core
unit_core_sched_SRCS := tests/unit/core_sched.c $(HOST_MACHINE)
unit_core_sched_LIBS := core

UNIT += core_shares
unit_core_shares_SRCS := tests/unit/core_shares.c tests/unit/share_oracle.c $(HOST_MACHINE)
unit_core_shares_LIBS := core -lm
# Under the sanitizers it runs a few sets. All of them are for objects without, which are fast.
SHARES := build/host/own/unit_core_shares
build/host/own/%.o: %.c | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc $(HOST_BASE) -O2 -MMD -MP -MF $(@:.o=.d) -c $< -o $@
$(SHARES): $(patsubst %.c,build/host/own/%.o,$(sort $(unit_core_shares_SRCS) $(CORE_SRCS) $(LOADER_SRCS)))
	$(call say,gcc,$@)
	$(Q)gcc -o $@ $^ -lcmocka -lm
CHECK_PROGRAMS += $(SHARES)
CHECKS += "$(SHARES) 1000"

UNIT += core_farmers core_rhythms
unit_core_farmers_SRCS := tests/unit/core_farmers.c $(HOST_MACHINE)
unit_core_farmers_LIBS := core
unit_core_rhythms_SRCS := tests/unit/core_rhythms.c $(HOST_MACHINE)
unit_core_rhythms_LIBS := core

UNIT += core_affinity
unit_core_affinity_SRCS := tests/unit/core_affinity.c $(HOST_MACHINE)
unit_core_affinity_LIBS := core

UNIT += core_waits
unit_core_waits_SRCS := tests/unit/core_waits.c $(HOST_MACHINE)
unit_core_waits_LIBS := core

UNIT += core_worlds core_late
unit_core_worlds_SRCS := tests/unit/core_worlds.c $(HOST_MACHINE)
unit_core_worlds_LIBS := core
unit_core_late_SRCS := tests/unit/core_late.c $(HOST_MACHINE)
unit_core_late_LIBS := core

UNIT += core_memory core_exchange
unit_core_memory_SRCS := tests/unit/core_memory.c $(HOST_MACHINE)
unit_core_memory_LIBS := core
unit_core_exchange_SRCS := tests/unit/core_exchange.c $(HOST_MACHINE)
unit_core_exchange_LIBS := core

UNIT += core_console
unit_core_console_SRCS := tests/unit/core_console.c $(HOST_MACHINE)
unit_core_console_LIBS := core

UNIT += core_random
unit_core_random_SRCS := tests/unit/random_lives_test.c tests/unit/core_random.c $(HOST_MACHINE)
unit_core_random_LIBS := core

# The page that shows how a hypercall is added, done with a copy of the tree.
LONG_CHECKS += tests/adding_a_hypercall.py
