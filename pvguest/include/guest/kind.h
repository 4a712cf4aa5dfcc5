/* SPDX-License-Identifier: MIT */
/*
 * How the kernel was started, and so what it runs on. One binary has an entry for each way:
 *
 *     pv    paravirtualized (start.asm): in ring 3 on page tables that the hypervisor checks. All
 *           that is the machine's is asked for by hypercalls.
 *     pvh   fully virtualized, by PVH (pvh_start.asm), and CPUID tells of Xen: CPU and page tables
 *           are its own, events, time, console and store are the hypervisor's.
 *     hvm   the same without Xen: a bare machine with a local APIC, a UART, ACPI's power-off.
 */
#ifndef GUEST_KIND_H
#define GUEST_KIND_H

#include <stdbool.h>

enum guest_kind { KIND_PV, KIND_PVH, KIND_HVM };

extern enum guest_kind guest_kind;

static inline bool is_pv(void)
{
    return guest_kind == KIND_PV;
}

static inline bool has_hypercalls(void)
{
    return guest_kind != KIND_HVM;
}

#endif
