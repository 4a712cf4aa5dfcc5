# SPDX-License-Identifier: MIT
#
# The control domain's image: Debian's kernel as ELF, an initramfs of Debian packages' files and our tools; and the
# initramfs of the stock Debian guest. What is downloaded stays in build/downloads/.
#
#   build/debian/                      unpacked packages (list: dom0-tools/dom0/packages)
#   build/dom0/vmlinuz, vmlinux        Debian's kernel as it is, and unpacked
#   build/dom0/initramfs.cpio.gz       base (Debian's files) and ours (tools, sample configurations, guests)
#   build/dom0/guest-initramfs.cpio.gz

D0 := dom0-tools/dom0
DOM0_PACKAGES := $(shell sed 's/\#.*//' $(D0)/packages)
DOM0 := build/dom0/vmlinux build/dom0/initramfs.cpio.gz

CHECKS += tests/settings.py

build/debian/.unpacked: $(D0)/packages $(D0)/fetch.sh | build/.deps
	@$(D0)/fetch.sh build/debian $(DOM0_PACKAGES)
	@touch $@

build/dom0/vmlinuz: build/debian/.unpacked
	@mkdir -p $(@D)
	@cp build/debian/boot/vmlinuz-* $@

build/dom0/vmlinux: build/dom0/vmlinuz build/dom0-tools/parvis-unpack
	$(call say,unpack,$@)
	$(Q)build/dom0-tools/parvis-unpack $< $@

XENBIN := usr/lib/xen-4.17/bin
GRUBS := usr/lib/grub-xen
# No program is linked with libgcc_s, and ldd does not name it: glibc loads it when a thread is cancelled, as libxenstore does on
# closing, and aborts when it is not there.
LIBGCC = $(shell gcc -print-file-name=libgcc_s.so.1)
build/dom0/base.cpio.gz: build/debian/.unpacked $(D0)/initramfs.sh $(D0)/modules.sh $(D0)/dom0.mk $(D0)/modules \
    $(shell find $(D0)/root -type f)
	$(call say,cpio,$@)
	$(Q)$(D0)/initramfs.sh $@ build/dom0/base build/debian $(D0)/root $(D0)/modules \
	    build/debian/$(XENBIN)/xenstored=$(XENBIN)/xenstored \
	    $(foreach c,list ls read rm write exists chmod watch,build/debian/usr/bin/xenstore-$c=usr/bin/xenstore-$c) \
	    build/debian/bin/bash=usr/bin/bash \
	    $(foreach g,x86_64-xen i386-xen_pvh,build/debian/$(GRUBS)/grub-$g.bin=$(GRUBS)/grub-$g.bin) \
	    build/debian/usr/bin/mandoc=usr/bin/mman \
	    $(LIBGCC)=usr/lib/x86_64-linux-gnu/libgcc_s.so.1 \
	    $(foreach t,l/linux v/vt100 v/vt220 x/xterm x/xterm-256color s/screen s/screen-256color t/tmux t/tmux-256color r/rxvt d/dumb,/lib/terminfo/$t=usr/lib/terminfo/$t)

DHCP_SCRIPT := usr/share/udhcpc/script
build/dom0/guest-initramfs.cpio.gz: build/debian/.unpacked $(D0)/initramfs.sh $(D0)/modules.sh $(D0)/guest-modules \
    $(shell find $(D0)/guest-root -type f) $(D0)/root/$(DHCP_SCRIPT)
	$(call say,cpio,$@)
	$(Q)$(D0)/initramfs.sh $@ build/dom0/guest build/debian $(D0)/guest-root $(D0)/guest-modules $(D0)/root/$(DHCP_SCRIPT)=$(DHCP_SCRIPT)

# Ours: a second archive behind the first, at a multiple of 4; the kernel unpacks both. Only these guests: the control domain starts
# though another does not compile. linux-calibrate goes with them, for /usr/bin/calibrate.
DOM0_GUESTS := $(addprefix build/pvguest/,hello bench) build/bench/linux-calibrate
build/dom0/initramfs.cpio.gz: build/dom0/base.cpio.gz build/dom0/vmlinuz build/dom0/guest-initramfs.cpio.gz \
    $(D0)/ours.sh $(wildcard docs/man/*) $(VERB_PAGES) dom0-tools/pvctl/pvctl.bash-completion $(TOOLS) $(DOM0_GUESTS)
	$(call say,cpio,$@)
	$(Q)$(D0)/ours.sh build/dom0/ours.cpio build/dom0/ours $(filter-out %/parvis-unpack,$(TOOLS)) -- $(DOM0_GUESTS)
	@cp build/dom0/base.cpio.gz $@ && truncate -s %4 $@ && cat build/dom0/ours.cpio >>$@

# A newer kernel of Debian's, with its modules, as control domain and as guest (tests/system/test_newer_kernel.py).
NEWER := $(addprefix build/newer/,vmlinuz vmlinux initramfs.cpio.gz guest-initramfs.cpio.gz)

build/newer/.unpacked: $(D0)/fetch.sh | build/.deps
	@$(D0)/fetch.sh -s bookworm-backports build/newer/root linux-image-amd64
	@ln -sfn root/lib/modules/$$(ls build/newer/root/lib/modules) build/newer/modules
	@touch $@

build/newer/vmlinuz: build/newer/.unpacked
	@cp build/newer/root/boot/vmlinuz-* $@

build/newer/vmlinux: build/newer/vmlinuz build/dom0-tools/parvis-unpack
	$(call say,unpack,$@)
	$(Q)build/dom0-tools/parvis-unpack $< $@

build/newer/initramfs.cpio.gz: D0_LIST := $(D0)/modules
build/newer/guest-initramfs.cpio.gz: D0_LIST := $(D0)/guest-modules
build/newer/%.cpio.gz: build/dom0/%.cpio.gz build/newer/.unpacked $(D0)/with-modules.sh $(D0)/modules.sh $(D0)/modules $(D0)/guest-modules
	$(call say,cpio,$@)
	$(Q)$(D0)/with-modules.sh $@ $< build/newer/modules $(D0_LIST)

.PHONY: dom0 newer
newer: $(NEWER) ## a newer Debian kernel to try as control domain and guest (build/newer/; from bookworm-backports)
dom0: $(DOM0) ## the control domain's kernel and initramfs (build/dom0/)

build/parvis.img: build/parvis.efi $(DOM0) $(D0)/parvis.cfg $(D0)/image.sh build/pvguest/hello
	$(call say,image,$@)
	$(Q)$(D0)/image.sh $@ build/parvis.efi $(D0)/parvis.cfg $(DOM0) build/pvguest/hello

.PHONY: image
image: build/parvis.img ## the disk image build/parvis.img: UEFI, hypervisor, control domain
