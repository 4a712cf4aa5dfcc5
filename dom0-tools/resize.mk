# SPDX-License-Identifier: MIT
#
# resize, for the shell of the control domain's serial lines.

TOOLS += build/dom0-tools/resize

build/dom0-tools/resize: dom0-tools/resize/resize.c | build/.deps
	@mkdir -p $(@D)
	$(call say,gcc,$@)
	$(Q)gcc -std=gnu11 $(WARN) -O2 -g -o $@ $<
