/* SPDX-License-Identifier: MIT */
/*
 * A fully virtualized domain as far as its devices are concerned: d1 with one vCPU, whose console
 * ring's other end is the control domain's, and short ways to its ports.
 */
#ifndef TESTS_UNIT_HVM_DEVICES_SUPPORT_H
#define TESTS_UNIT_HVM_DEVICES_SUPPORT_H

#include "core_test.h"

#include <hvm/devices.h>
#include <xen/io/console.h>

extern struct domain *dom0, *d;
extern struct vcpu *v;
extern struct xencons_interface *ring;
extern struct hvm_devices *devices; /* d's */
extern bool lines_are_played;       /* by the test: they are no device's */

void hvm_machine_init(void);
void hvm_machine_fini(void); /* d and the control domain are destroyed; nothing is left */
/* For cmocka. */
int hvm_setup(void **state);
int hvm_teardown(void **state);

/* Of the guest; and what holds of the devices is looked at after each. */
uint32_t in_bytes(unsigned int port, unsigned int bytes);
void out_bytes(unsigned int port, unsigned int bytes, uint32_t value);
#define in8(port)         ((uint8_t)in_bytes(port, 1))
#define out8(port, value) out_bytes(port, 1, value)

/* How many events the control domain got from the console's port since it was asked last: 0 or 1,
 * for a bit is what it gets. */
unsigned int ring_events(void);

/* What must hold of d's devices after whatever was done; ends the test if it does not. */
void check_devices(void);

#endif
