# SPDX-License-Identifier: MIT
# What makes a paravirtual x86 guest.
CORE_SRCS += hypervisor/pv/bounce.c \
             hypervisor/pv/build.c \
             hypervisor/pv/callback.c \
             hypervisor/pv/context.c \
             hypervisor/pv/cpuid.c \
             hypervisor/pv/debugreg.c \
             hypervisor/pv/descriptor.c \
             hypervisor/pv/domain_ops.c \
             hypervisor/pv/emulate.c \
             hypervisor/pv/emulate_cr.c \
             hypervisor/pv/emulate_io.c \
             hypervisor/pv/emulate_msr.c \
             hypervisor/pv/hypercall.c \
             hypervisor/pv/hypercall_page.c \
             hypervisor/pv/hypercall_table.c \
             hypervisor/pv/insn.c \
             hypervisor/pv/iret.c \
             hypervisor/pv/misc_hypercalls.c \
             hypervisor/pv/segment.c \
             hypervisor/pv/show.c \
             hypervisor/pv/traps.c
# Direct paging: frame types, page tables, what changes them.
CORE_SRCS += hypervisor/pv/base_table.c \
             hypervisor/pv/flush.c \
             hypervisor/pv/foreign.c \
             hypervisor/pv/grant_map.c \
             hypervisor/pv/l4_slots.c \
             hypervisor/pv/mmu_update.c \
             hypervisor/pv/mmuext.c \
             hypervisor/pv/page_entry.c \
             hypervisor/pv/page_promote.c \
             hypervisor/pv/page_type.c \
             hypervisor/pv/pin.c \
             hypervisor/pv/ptwr.c \
             hypervisor/pv/teardown.c \
             hypervisor/pv/update_va.c
# What only a machine can run.
HV_SRCS += $(filter-out %/asm-offsets.c,$(wildcard hypervisor/pv/cpu/*.c hypervisor/pv/cpu/*.asm))
