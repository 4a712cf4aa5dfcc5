# SPDX-License-Identifier: MIT
#
# A disk with Debian on it, for a guest: `make guest-disk`, `make run GUEST_DISK=build/guest-disk.img`. Who has written to it keeps
# it: it is made when it is not there, and never anew.

.PHONY: guest-disk
guest-disk: build/guest-disk.img ## a disk with Debian on it, for a guest (make run GUEST_DISK=build/guest-disk.img)

build/guest-disk.img: | build/.deps
	$(call say,debian,$@)
	$(Q)$(D0)/guest-disk.sh $@
