/* SPDX-License-Identifier: MIT */
/*
 * The IOAPICs' pins: ioapic.c, for irq.c, which holds its lock around all of it.
 */
#ifndef X86_IOAPIC_H
#define X86_IOAPIC_H

#include <hv/types.h>

#define MAX_GSIS 128u

bool ioapic_has_gsi(unsigned int gsi);
void ioapic_set(unsigned int gsi, uint8_t vector, bool level, bool active_low); /* masked */
void ioapic_route(unsigned int gsi, uint32_t apic_id);                          /* below 0xff */
void ioapic_mask(unsigned int gsi, bool masked);
int __must_check ioapic_read_register(uint64_t base, uint32_t reg, uint32_t *value);

#endif
