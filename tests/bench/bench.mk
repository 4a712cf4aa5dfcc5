# SPDX-License-Identifier: MIT
.PHONY: bench bench-boot
bench: build/parvis.bin guests reference ## what operations cost on Parvis and on Xen, in instructions (the same guest program)
	@$(PYTHON) tests/bench/compare.py

bench-boot: build/parvis.bin dom0 reference ## seconds to the control domain's prompt: Parvis, Xen, no hypervisor
	@$(PYTHON) tests/bench/compare.py --boot
