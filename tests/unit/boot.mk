# SPDX-License-Identifier: MIT
# What runs before and below the core: configuration, memory map, ACPI tables, symbols.
BOOT_PARSE_SRCS := $(addprefix hypervisor/lib/,number.c printf.c strlcpy.c)

# Where indirect branches and returns stand, of the images that `make check` built.
CHECKS += tests/branches.py
# And what is the last that they do before a guest.
CHECKS += tests/ways_out.py
# And that whatever copies to or from a guest has a way out, and another try.
CHECKS += tests/fixups.py

UNIT += boot_config boot_memmap x86_acpi x86_spec x86_spec_sites x86_symbols x86_tsc
unit_boot_config_SRCS := tests/unit/boot_config.c hypervisor/boot/config.c $(BOOT_PARSE_SRCS)
unit_boot_memmap_SRCS := tests/unit/boot_memmap.c hypervisor/boot/memmap.c
unit_x86_acpi_SRCS := tests/unit/x86_acpi.c hypervisor/x86/acpi_parse.c
unit_x86_spec_SRCS := tests/unit/x86_spec.c hypervisor/x86/spec_choice.c
unit_x86_spec_sites_SRCS := tests/unit/x86_spec_sites.c hypervisor/x86/spec_sites.c
unit_x86_tsc_SRCS := tests/unit/x86_tsc.c tests/unit/x86_log.c hypervisor/x86/tsc_compare.c $(BOOT_PARSE_SRCS)
unit_x86_symbols_SRCS := tests/unit/x86_symbols.c hypervisor/x86/symbols.c

# x86/ itself, where what only a machine can do goes by names of the tests' own.
UNIT += x86_speculation x86_smp x86_apic x86_irq x86_fault x86_isolation x86_spinlock x86_time x86_tlb hvm_svm
unit_hvm_svm_SRCS := tests/unit/hvm_svm.c hypervisor/hvm/cpu/svm.c
unit_x86_speculation_SRCS := tests/unit/x86_speculation.c tests/unit/x86_log.c \
    $(addprefix hypervisor/x86/,speculation.c spec_choice.c spec_sites.c) $(BOOT_PARSE_SRCS)
unit_x86_smp_SRCS := tests/unit/x86_smp.c tests/unit/x86_log.c $(addprefix hypervisor/x86/,smp.c tsc_compare.c) $(BOOT_PARSE_SRCS)
unit_x86_apic_SRCS := tests/unit/x86_apic.c tests/unit/x86_log.c hypervisor/x86/apic.c $(BOOT_PARSE_SRCS)
unit_x86_fault_SRCS := tests/unit/x86_fault.c tests/unit/x86_log.c hypervisor/x86/fault.c $(BOOT_PARSE_SRCS)
unit_x86_isolation_SRCS := tests/unit/x86_isolation.c hypervisor/x86/isolation.c $(BOOT_PARSE_SRCS)
unit_x86_spinlock_SRCS := tests/unit/x86_spinlock.c hypervisor/x86/spinlock.c $(BOOT_PARSE_SRCS)
unit_x86_tlb_SRCS := tests/unit/x86_tlb.c hypervisor/x86/tlb.c $(BOOT_PARSE_SRCS)
unit_x86_time_SRCS := tests/unit/x86_time.c tests/unit/x86_log.c $(addprefix hypervisor/x86/,time.c features.c) $(BOOT_PARSE_SRCS)
unit_x86_irq_SRCS := tests/unit/x86_irq.c tests/unit/x86_log.c $(addprefix hypervisor/x86/,irq.c ioapic.c msi.c) $(BOOT_PARSE_SRCS)

$(foreach cc,$(HOSTS),$(patsubst %,build/host/$(cc)/hypervisor/%.o,$(addprefix x86/,apic fault features ioapic irq isolation msi smp speculation spinlock time tlb) hvm/cpu/svm)): \
    HOST_CFLAGS_EXTRA := -ffreestanding -DDEBUG=1 -include tests/unit/x86_names.h
