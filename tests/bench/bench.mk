# SPDX-License-Identifier: MIT
.PHONY: bench bench-boot
bench: build/parvis.bin guests reference build/dom0/vmlinux ## what operations cost on Parvis and on Xen, in instructions (the same guest program)
	@$(PYTHON) tests/bench/bench.py

bench-boot: build/parvis.bin dom0 reference ## seconds to the control domain's prompt: Parvis, Xen, no hypervisor
	@$(PYTHON) tests/bench/bench.py --boot

.PHONY: bench-measures
bench-measures: build/parvis.bin guests ## what each measure against speculation costs a paravirtual guest, in instructions
	@$(PYTHON) tests/bench/bench.py --measures

.PHONY: bench-kinds
bench-kinds: build/parvis.bin dom0 reference ## Linux to a shell as a guest of each kind, on Xen too: virtual time, instructions, events (VCPUS=2)
	@$(PYTHON) tests/bench/kinds.py $(VCPUS)

.PHONY: bench-sched
bench-sched: build/parvis.bin guests dom0 reference build/bench/guest-files/.made $(LINUX_OPS) ## who gets how much of 1, 2 and 4 CPUs (CPUS=1: of that many alone): weights, caps, farmers, wake-ups, noisy neighbours; fails when it is unfair
	@$(PYTHON) tests/bench/sched.py $(CPUS)
	@$(PYTHON) tests/bench/sched_devices.py

build/bench/clock: tests/bench/clock.c | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -O2 -static -o $@ $<

.PHONY: bench-clock
bench-clock: build/parvis.bin build/dom0/vmlinux build/bench/clock ## what a reading of the clock costs an application of a Linux guest
	@$(PYTHON) tests/bench/clock.py

build/bench/elapsed: tests/bench/elapsed.c | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -O2 -static -o $@ $<

.PHONY: bench-tools
bench-tools: build/parvis.bin dom0 build/bench/elapsed ## virtual milliseconds of list, create, destroy with 0, 50, 200 domains, of 40 creates at once, of Linux from a bzImage; xl on Xen beside it (build/bench/tools.json)
	@$(MAKE) -s reference || echo "parvis: Xen's packages cannot be had: its column is left out" >&2
	@$(PYTHON) tests/bench/tools.py --json build/bench/tools.json

# A plugin of the QEMU that runs here; nothing of it is in the product.
LATENCY_PLUGIN := build/bench/latency_plugin.so
$(LATENCY_PLUGIN): tests/bench/latency_plugin.c | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -O2 -shared -fPIC -fvisibility=hidden -o $@ $<

.PHONY: bench-latency
bench-latency: build/parvis.bin guests image $(LATENCY_PLUGIN) ## the longest stretches with interrupts off, in instructions
	@$(PYTHON) tests/bench/latency.py
LONG_CHECKS += "$(PYTHON) tests/bench/latency.py"

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

# ---- the comparison: tests/bench/compare/ ----------------------------------------------------------

COMPARE := tests/bench/compare
EVENTS_PLUGIN := build/bench/events_plugin.so
$(EVENTS_PLUGIN): $(COMPARE)/events_plugin.c $(COMPARE)/tlb.c $(COMPARE)/tlb.h | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -O2 -shared -fPIC -fvisibility=hidden -o $@ $(filter %.c,$^)

LINUX_OPS := build/bench/linux-ops
$(LINUX_OPS): $(wildcard tests/bench/linux/*.c tests/bench/linux/*.h) | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -O2 -static -pthread -o $@ $(filter %.c,$^)

build/bench/linux-calibrate: tests/bench/calibrate/linux.c | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -O2 -static -pthread -s -o $@ $<

# What guests get beside their own files: hackbench, iperf3, with their libraries; without the network their rows are left out,
# and the next time it is tried again.
build/bench/guest-files/.made: $(COMPARE)/guest-files.sh $(D0)/fetch.sh | build/.deps
	$(call say,files,$@)
	$(Q)$(COMPARE)/guest-files.sh build/bench/guest-files build/bench/packages

NEEDED_TO_COMPARE := build/parvis.bin dom0 build/pvguest/bench $(EVENTS_PLUGIN) $(LINUX_OPS) build/bench/guest-files/.made
.PHONY: compare compare-diff
COMPARE_KNOWS := QUICK COLUMNS ROWS LIST CPU MEM KERNEL CONSTANTS
# Of the environment COLUMNS is the terminal's width. CPU=, MEM=, KERNEL=: setup.py.
COMPARED_COLUMNS = $(if $(filter command,$(origin COLUMNS)),$(COLUMNS))
ifdef LIST
compare:
	@$(PYTHON) $(COMPARE)/run.py --list
else
ASKED = $(PYTHON) $(COMPARE)/run.py $(if $(filter 1,$(QUICK)),--quick) --rows "$(ROWS)" $(if $(CONSTANTS),--constants $(CONSTANTS)) $(COMPARED_COLUMNS)
.PHONY: compare-asked
compare-asked: build/.deps
	@$(PYTHON) $(COMPARE)/model.py $(CONSTANTS)
	@$(ASKED) --check
compare: compare-asked $(NEEDED_TO_COMPARE) $(filter newer,$(KERNEL)) ## native, Parvis and Xen, paravirtual and fully virtualized, side by side: build/compare/report.html (20 minutes on 2 CPUs, 40 at most; QUICK=1: 8; a part: COLUMNS="parvis-pv xen-pv" ROWS="io null_call"; LIST=1: their names)
	@$(MAKE) -s reference || echo "parvis: Xen's packages cannot be had: its columns are left out" >&2
	@$(ASKED)
endif

compare-diff: build/.deps ## what changed from one run of `make compare` to another (OLD=run.json NEW=run.json)
	@$(if $(and $(OLD),$(NEW)),,$(error two runs are wanted: make compare-diff OLD=run.json NEW=run.json))$(PYTHON) $(COMPARE)/diff.py $(OLD) $(NEW)

.PHONY: constants
constants: build/.deps ## what `calibrate` said on a machine (LOG=console.txt), as constants for `make compare CONSTANTS=build/compare/constants.json`
	@$(if $(LOG),,$(error what calibrate said is wanted: make constants LOG=console.txt))$(PYTHON) tests/bench/calibrate/constants_of.py --out build/compare/constants.json $(LOG)

.PHONY: check-compare
CHECKS += tests/bench/calibrate/test_constants_of.py
CHECKS += $(COMPARE)/test_model.py $(COMPARE)/test_compare.py $(COMPARE)/test_compare_run.py "make check-compare"
CHECK_PROGRAMS += $(EVENTS_PLUGIN) $(LINUX_OPS) build/bench/guest-files/.made
check-compare: build/parvis.bin dom0 $(EVENTS_PLUGIN) $(LINUX_OPS) build/bench/guest-files/.made
	@$(PYTHON) $(COMPARE)/check.py
LONG_CHECKS += "$(PYTHON) $(COMPARE)/check.py --long"
