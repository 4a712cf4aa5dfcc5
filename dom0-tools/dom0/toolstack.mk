# SPDX-License-Identifier: MIT
#
# Debian's own toolstacks in the control domain's image, beside ours: `make run TOOLSTACK=xl`.
#
#   build/dom0/initramfs-xl.cpio.gz         the image with a third archive: what dom0-tools/dom0/toolstack/xl.files names
#   build/dom0/initramfs-libvirt.cpio.gz    that with a fourth
TOOLSTACKS := $(patsubst %.packages,%,$(notdir $(wildcard $(D0)/toolstack/*.packages)))

build/toolstack/%/.unpacked: $(D0)/toolstack/%.packages $(D0)/fetch.sh | build/.deps
	@$(D0)/fetch.sh build/toolstack/$*/root $$(sed 's/#.*//' $<)
	@touch $@

build/toolstack/%/toolstack.cpio.gz: build/toolstack/%/.unpacked $(D0)/toolstack.sh $(D0)/toolstack/%.files \
    build/dom0/base.cpio.gz $(shell find $(D0)/toolstack -type f)
	$(call say,cpio,$@)
	$(Q)$(D0)/toolstack.sh $@ build/toolstack/$*/stage build/toolstack/$*/root build/dom0/base $(D0)/toolstack/$*.files \
	    $(D0)/toolstack/$*

# At a multiple of 4; the kernel unpacks all. libvirt's is behind xl's, whose programs and scripts it uses.
build/dom0/initramfs-xl.cpio.gz: build/dom0/initramfs.cpio.gz build/toolstack/xl/toolstack.cpio.gz
build/dom0/initramfs-libvirt.cpio.gz: build/dom0/initramfs-xl.cpio.gz build/toolstack/libvirt/toolstack.cpio.gz
$(TOOLSTACKS:%=build/dom0/initramfs-%.cpio.gz):
	@cp $< $@ && truncate -s %4 $@ && cat $(word 2,$^) >>$@

.PRECIOUS: build/toolstack/%/.unpacked build/toolstack/%/toolstack.cpio.gz
.PHONY: toolstacks
toolstacks: $(foreach t,$(TOOLSTACKS),build/dom0/initramfs-$t.cpio.gz) ## the control domain's image with Debian's toolstack (TOOLSTACK=xl, libvirt)
