# SPDX-License-Identifier: MIT
#
# Unit tests of a fully virtualized guest's memory: nested page tables, walks through its own, the decoder of two instructions.

UNIT += hvm_npt hvm_walk hvm_walk_moment hvm_mmio
unit_hvm_npt_SRCS := tests/unit/hvm_npt.c tests/unit/hvm_npt_random.c tests/unit/hvm_guest.c $(HOST_MACHINE)
unit_hvm_npt_LIBS := core
unit_hvm_walk_SRCS := tests/unit/hvm_walk.c tests/unit/hvm_walk_random.c tests/unit/hvm_walk_oracle.c tests/unit/hvm_guest.c $(HOST_MACHINE)
unit_hvm_walk_LIBS := core
unit_hvm_walk_moment_SRCS := tests/unit/hvm_walk_moment.c hypervisor/hvm/guest_walk.c
unit_hvm_mmio_SRCS := tests/unit/hvm_mmio.c tests/unit/hvm_mmio_check.c hypervisor/hvm/mmio.c hypervisor/lib/x86_decode.c
