# SPDX-License-Identifier: MIT
#
# resize, for the shell of the control domain's serial lines.

TOOLS += build/dom0-tools/resize

build/dom0-tools/resize: dom0-tools/resize/resize.c dom0-tools/lib/clock.c dom0-tools/lib/clock.h | build/.deps
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -Idom0-tools/lib -O2 -g -o $@ $(filter %.c,$^)
