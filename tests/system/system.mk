# SPDX-License-Identifier: MIT
#
# System tests: each tests/system/test_*.py boots QEMU and drives the console. The guests that misbehave
# (tests/system/guests) are built here, into build/bad-guests/, and programs for the control domain into build/system/.

BAD_GUESTS := $(patsubst tests/system/guests/%.asm,build/bad-guests/%,$(wildcard tests/system/guests/*.asm))

build/bad-guests/%: tests/system/guests/%.asm tests/system/guests/guest.inc tests/system/guests/guest.lds | build/.deps
	$(call say,nasm,$@)
	$(Q)nasm -f elf64 -Itests/system/guests/ $< -o $@.o
	$(Q)ld -nostdlib -static -z noexecstack --build-id=none --no-warn-rwx-segments -T tests/system/guests/guest.lds \
	    $@.o -o $@

SYSTEM_PROGRAMS := $(addprefix build/system/,vdso_clock control_calls)
CHECK_PROGRAMS += $(SYSTEM_PROGRAMS)
$(SYSTEM_PROGRAMS): build/system/%: tests/system/%.c $(shell find include/xen -name '*.h') | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -Iinclude -O2 -static -o $@ $<

.PHONY: system bad-guests soak
bad-guests: $(BAD_GUESTS)

# In make check-long alone: what another kernel, another folder could change; and all of calibrate, whose parts test_kinds, test_bench and
# test_constants_of have.
LONG_ALONE := $(patsubst %,tests/system/test_%.py,calibrate newer_kernel path_with_blanks)

# The longest begin first, so that at the end no processor waits for one of them.
LONGEST_TESTS := $(patsubst %,tests/system/test_%.py,toolstack kinds churn bad_guests soak smp pvh disks guest_alone network bad_domains killed \
    bad_pvh guest_programs isolation life linux_guest)
SYSTEM_TESTS := $(LONGEST_TESTS) $(filter-out $(LONGEST_TESTS) $(LONG_ALONE),$(sort $(wildcard tests/system/test_*.py)))
# What each has beyond that by --long, where make check has the like of it by another way. The longest first here too.
LONG_TESTS := network hvm toolstack disks guest_programs churn smp bad_hvm kinds
LONG_CHECKS += $(LONG_TESTS:%="$(PYTHON) tests/system/test_%.py --long") "$(PYTHON) tests/system/test_disks.py --debian" $(foreach t,$(LONG_ALONE),"$(PYTHON) $t")
system: image bad-guests guests toolstacks $(SYSTEM_PROGRAMS) $(REFERENCE) ## boots Parvis in QEMU and drives it: all system tests
	@$(MAKE) hv DEBUG=1
	@$(PYTHON) tests/run.py $(foreach t,$(SYSTEM_TESTS),"$(PYTHON) $t")

CYCLES ?= 10000
soak: image guests ## domains with a disk and an interface come and go: CYCLES=10000; each hundred is a line, here and in build/soak.csv
	@$(PYTHON) tests/system/test_soak.py --cycles $(CYCLES)
