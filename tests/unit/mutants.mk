# SPDX-License-Identifier: MIT
#
# `make mutants`: leaves safety measures of the hypervisor out, one at a time, and says which test notices (tests/mutants.py).
# Not part of make check, where tests/style.py only looks whether what they leave out is still there: it tests the tests.

MUTANT_PROGRAMS := pv_tlb pv_flushes pv_context pv_mm_types pv_mm_used pv_mm_one pv_mm_preempt pv_mm_update pv_mm_ptwr pv_mm_walk pv_mm_fuzz pv_random pv_entry core_grants_fuzz core_grants_lock core_grants_op core_heap core_heap_ahead core_tlb core_wait core_hypercall core_subop core_timer \
    core_time core_domain core_evtchn core_physdev core_affinity core_sched core_worlds core_shares core_farmers core_rhythms core_late core_waits core_races core_races_frames \
    core_races_ports x86_time hvm_npt hvm_inject hvm_exit hvm_msr_cpuid hvm_walk_moment \
    hvm_lapic_threads hvm_lapic_moment hvm_lapic_startup hvm_nmi hvm_control hvm_foreign hvm_xen hvm_upcall hvm_xen_memory \
    hvm_counters pv_counters hvm_exit_io hvm_exceptions hvm_pause hvm_ports hvm_uart hvm_uart_ring hvm_lapic hvm_svm x86_tlb x86_spec x86_spec_sites x86_speculation x86_fault x86_isolation x86_smp pv_traps lib_x86_insn
MUTANT_GUESTS := bounce entry evtchn hypercall-garbage multicall pagetable smp-copies syscall
MUTANT_TORTURE = $(patsubst %.c,build/host/gcc/%.o,$(TORTURE_SRCS))

.PHONY: mutants
mutants: $(addprefix build/host/gcc/unit_,$(MUTANT_PROGRAMS)) build/host/gcc/torture build/parvis.bin $(addprefix build/tests/guest/,$(MUTANT_GUESTS)) ## leaves safety measures out, one at a time: does a test notice?
	@MUTANT_NASM="$(NASM_INC)" MUTANT_LINK="$(HV_LINK) $(HV_OBJ)/symbols.o" MUTANT_CFLAGS="$(HOST_CFLAGS) -ffreestanding -DDEBUG=1" \
	    $(foreach p,$(MUTANT_PROGRAMS),OBJECTS_$(p)="$(patsubst %.c,build/host/gcc/%.o,$(unit_$(p)_SRCS))") \
	    OBJECTS_torture="$(MUTANT_TORTURE)" $(PYTHON) tests/mutants.py
