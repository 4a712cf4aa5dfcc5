/* SPDX-License-Identifier: MIT */
/* How an ACPI guest switches itself off, how any PC starts anew, and the ACPI timer: pm.c. */
#ifndef HVM_PM_H
#define HVM_PM_H

#include <hv/types.h>

struct hvm_devices;

struct pm {
    uint8_t enable[2], control[2]; /* as written, but for the bits that are not kept */
    uint8_t status;                /* the second byte; the first is 0 */
};

uint8_t pm_read(struct hvm_devices *h, unsigned int port);
void pm_write(struct hvm_devices *h, unsigned int port, uint8_t value);
void pm_press_power_button(struct hvm_devices *h);
uint8_t pm_timer_read(struct hvm_devices *h, unsigned int port);
/* Port cf9h, and what is left of the keyboard controller */
uint8_t reset_read(struct hvm_devices *h, unsigned int port);
void reset_write(struct hvm_devices *h, unsigned int port, uint8_t value);

/* The battery clock: cmos.c */
#define CMOS_24H 0x02 /* of status register B, as it starts: and in BCD */
uint8_t cmos_read(struct hvm_devices *h, unsigned int port);
void cmos_write(struct hvm_devices *h, unsigned int port, uint8_t value);

#endif
