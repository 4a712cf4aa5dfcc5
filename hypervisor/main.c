/* SPDX-License-Identifier: MIT */
/*
 * The start of the hypervisor, from the moment when there is a struct boot_info: a list of calls,
 * in the order in which things come to need each other. The boot CPU runs it on its own stack,
 * interrupts off. The others idle from machine_start_cpus() on.
 *
 * At the end the idle loop looks for work, finds the vCPUs of the boot-time domains, and the first
 * guest runs.
 */
#include <core/base/log.h>
#include <core/console/console.h>
#include <core/guest/memory_op.h>
#include <core/guest/version.h>
#include <core/life/boot_domains.h>
#include <core/life/domain_system.h>
#include <core/life/life.h>
#include <hvm/cpu.h>
#include <hvm/hvm_ops.h>
#include <port/machine.h>
#include <port/upcalls.h>
#include <pv/cpu.h>
#include <pv/pv_ops.h>

void cpu_init(void)
{
    pv_cpu_init();
    hvm_cpu_init();
    domain_system_init_cpu();
}

void hypervisor_main(const struct boot_info *bi)
{
    log_set_level((enum log_level)bi->loglevel);
    machine_init_early(bi);
    pv_cpu_init();
    console_init();
    log_info("Parvis %s, started by %s%s%s", PARVIS_VERSION, bi->loader, bi->cmdline[0] ? ": " : "",
             bi->cmdline);
    version_set_command_line(bi->cmdline);
    memory_map_init(bi);
    machine_init_memory(bi);
    domain_system_init();
    machine_init_late(bi);
    hvm_cpu_init();
    machine_start_cpus(bi);
    guest_kinds[0] = &pv_guest_ops;
    guest_kinds[1] = &hvm_guest_ops;
    guest_kinds[2] = &pvh_guest_ops;
    machine_end_init(bi);
    boot_domains_create(bi);
    machine_idle();
}
