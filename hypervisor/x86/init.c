/* SPDX-License-Identifier: MIT */
/*
 * The machine's start, as three lists of calls (port/machine.h), and the idle loop. The other CPUs
 * come after it: x86/smp.c.
 */
#include <core/base/log.h>
#include <core/frame/frame.h>
#include <hv/x86_init.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/upcalls.h>

#include "acpi.h"
#include "flush_way.h"
#include "fpu.h"
#include "insn.h"
#include "speculation.h"
#include "percpu.h"
#include "x86.h"

void machine_init_early(const struct boot_info *bi)
{
    uart_init(bi->console);
    debug_exit_port = (uint16_t)bi->debug_exit;
    init_descriptors();
    detect_features();
    init_control_registers();
    log_info("TLB: flushed by %s", flush_ways[flush_way]);
    init_speculation(bi);
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
    init_time(control, bi->tsc_stable);
    if (!isolation_prepare(&cpu0_block))
        panic("no memory for isolated page tables");
    init_irq();
    apic_timer_init();
    this_cpu()->arch.apic_id = apic_id();
}

void machine_idle(void)
{
    struct cpu *c = this_cpu();

    for (;;) {
        while (__atomic_load_n(&c->pending, __ATOMIC_RELAXED))
            cpu_do_pending();
        if (c->running != c->idle)
            enter_guest();
        report_nmi();
        if (heap_clear_ahead())
            sti_nop_cli(); /* what came meanwhile */
        else
            sti_hlt_cli();
    }
}
