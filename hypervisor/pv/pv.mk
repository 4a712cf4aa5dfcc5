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
             hypervisor/pv/hypercall_page.c \
             hypervisor/pv/iret.c \
             hypervisor/pv/misc_hypercalls.c \
             hypervisor/pv/segment.c \
             hypervisor/pv/syscall.c \
             hypervisor/pv/traps.c
