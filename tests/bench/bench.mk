# SPDX-License-Identifier: MIT
.PHONY: bench bench-boot
bench: build/parvis.bin guests reference build/dom0/vmlinux ## what operations cost on Parvis and on Xen, in instructions (the same guest program)
	@$(PYTHON) tests/bench/compare.py

bench-boot: build/parvis.bin dom0 reference ## seconds to the control domain's prompt: Parvis, Xen, no hypervisor
	@$(PYTHON) tests/bench/compare.py --boot

.PHONY: bench-kinds
bench-kinds: build/parvis.bin dom0 reference ## Linux to a shell as a guest of each kind, on Xen too: virtual time, instructions, events (VCPUS=2)
	@$(PYTHON) tests/bench/kinds.py $(VCPUS)

.PHONY: bench-sched
bench-sched: build/parvis.bin guests dom0 ## who gets how much of 1, 2 and 4 CPUs (CPUS=1: of that many alone): weights, caps, farmers, wake-ups, noisy neighbours; fails when it is unfair
	@$(PYTHON) tests/bench/sched.py $(CPUS)

build/bench/clock: tests/bench/clock.c | build/.deps
	@mkdir -p $(@D)
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -O2 -static -o $@ $<

.PHONY: bench-clock
bench-clock: build/parvis.bin build/dom0/vmlinux build/bench/clock ## what a reading of the clock costs an application of a Linux guest
	@$(PYTHON) tests/bench/clock.py

# A plugin of the QEMU that runs here; nothing of it is in the product.
LATENCY_PLUGIN := build/bench/latency_plugin.so
$(LATENCY_PLUGIN): tests/bench/latency_plugin.c | build/.deps
	@mkdir -p $(@D)
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -O2 -shared -fPIC -fvisibility=hidden -o $@ $<

.PHONY: bench-latency
bench-latency: build/parvis.bin guests image $(LATENCY_PLUGIN) ## the longest stretches with interrupts off, in instructions
	@$(PYTHON) tests/bench/latency.py

.PHONY: bench-smp
bench-smp: build/parvis.bin dom0 reference ## boots with 1 to 8 CPUs and a parallel load on 2, against Xen, in pairs
	@$(PYTHON) tests/bench/smp.py boot
	@$(PYTHON) tests/bench/smp.py parallel

.PHONY: bench-cross
bench-cross: build/parvis.bin guests $(LATENCY_PLUGIN) ## what an event and a flush cost on both sides, from CPU to CPU
	@$(PYTHON) tests/bench/cross.py

.PHONY: check-latency
CHECKS += "make check-latency"
check-latency: build/parvis.bin guests $(LATENCY_PLUGIN)
	@$(PYTHON) tests/bench/latency.py --check
