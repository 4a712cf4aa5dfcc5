# SPDX-License-Identifier: MIT
#
# Real Xen as the oracle: Debian's Xen 4.17 and its toolstack, unpacked from packages, never installed.
#
#   build/reference/xen.elf            the hypervisor, for `qemu -kernel`
#   build/reference/initramfs.cpio.gz  our control domain's image with xl and xenconsoled added

REFERENCE_PACKAGES := xen-hypervisor-4.17-amd64 xen-utils-4.17 libxenmisc4.17 libxencall1 libxendevicemodel1 \
    libxenevtchn1 libxenforeignmemory1 libxengnttab1 libxenstore4 libxentoolcore1 libxentoollog1 libxenhypfs1 \
    libyajl2 libfdt1 libnl-3-200 libnl-route-3-200 libuuid1
REFERENCE := build/reference/xen.elf build/reference/initramfs.cpio.gz

build/reference/.unpacked: tests/reference/reference.mk $(D0)/fetch.sh | build/.deps
	@$(D0)/fetch.sh build/reference/root $(REFERENCE_PACKAGES)
	@touch $@

build/reference/xen.elf: build/reference/.unpacked
	@zcat build/reference/root/boot/xen-4.17-amd64.gz > $@

build/reference/xl.cpio.gz: build/reference/.unpacked tests/reference/xl.sh
	$(call say,cpio,$@)
	$(Q)tests/reference/xl.sh $@ build/reference/xl build/reference/root

build/reference/initramfs.cpio.gz: build/dom0/initramfs.cpio.gz build/reference/xl.cpio.gz
	@cat $^ > $@

.PHONY: reference
reference: $(REFERENCE) ## Debian's Xen 4.17 as packages, for comparisons (build/reference/)
