/* SPDX-License-Identifier: MIT */
/*
 * The machine's start, as three lists of calls (hv/x86_init.h), and who this CPU is.
 *
 * One CPU runs; the others stay where the firmware left them, and the log says how many there are.
 * All that belongs to a CPU is in its block (percpu.h) or reached from it.
 */
#include <core/base/log.h>
#include <hv/x86_init.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/upcalls.h>

#include "acpi.h"
#include "fpu.h"
#include "insn.h"
#include "percpu.h"
#include "x86.h"

struct cpu_block cpu0_block;

struct cpu *this_cpu(void)
{
    return &this_block()->cpu;
}

struct cpu *cpu_by_id(unsigned int id)
{
    BUG_ON(id != 0);
    return &cpu0_block.cpu;
}

unsigned int machine_nr_cpus(void)
{
    return 1;
}

uint32_t machine_apic_id(unsigned int cpu)
{
    return cpu_by_id(cpu)->arch.apic_id;
}

void machine_init_early(const struct boot_info *bi)
{
    uart_init(bi->console);
    debug_exit_port = (uint16_t)bi->debug_exit;
    init_descriptors(&cpu0_block);
    detect_features();
    init_control_registers();
    init_fpu();
    for (unsigned int i = 0; i < bi->nr_modules; i++)
        log_info("module %s: %lu bytes at %#lx", bi->modules[i].name, bi->modules[i].size,
                 bi->modules[i].start);
}

void machine_init_late(const struct boot_info *bi)
{
    bool control = false;

    for (unsigned int i = 0; i < bi->nr_domains; i++)
        control |= bi->domains[i].is_control;
    init_acpi(bi->rsdp);
    if (!acpi.found)
        panic("no ACPI tables: interrupt controllers and timers cannot be found");
    init_efi(bi->efi_system_table);
    pic_disable();
    init_apic();
    init_time(control);
    init_irq();
    apic_timer_init();
    cpu0_block.cpu.arch.apic_id = apic_id();
    log_info("CPUs: %u; number %#x runs all domains, any other is parked", acpi.nr_cpus, apic_id());
}

void machine_idle(void)
{
    struct cpu *c = this_cpu();

    for (;;) {
        while (__atomic_load_n(&c->pending, __ATOMIC_RELAXED))
            cpu_do_pending();
        if (c->running != c->idle)
            enter_guest();
        sti_hlt_cli();
    }
}
