/* SPDX-License-Identifier: MIT */
/*
 * Power management of ACPI (specification 6.4, chapter 4): the PM1a registers, by which the guest
 * switches the machine off and is told of the power button, and the timer at 3.579545 MHz. The
 * button is all that interrupts (SCI), by its level: from when it is pressed until the guest clears
 * its status, while it is enabled. The machine is in ACPI mode from its start.
 *
 * And what starts it anew: bit 2 of port cf9h, command feh of the keyboard controller. cf9h is
 * decoded in accesses of one byte alone, for it lies in the dword by which PCI is addressed.
 *
 * Lock: that of the devices.
 */
#include <hvm/devices.h>
#include <parvis/loader_pvh.h>
#include <xen/sched.h>

#define PM_TIMER_HZ 3579545u

#define CONTROL_SCI_EN  0x01 /* of the first byte */
#define CONTROL_SLP_EN  0x20 /* of the second, SLP_TYP below it */
#define CONTROL_SLP_TYP 0x1c

#define POWER_BUTTON 0x01 /* of the second byte of status and of enable */

#define KEYBOARD_COMMAND 0x64
#define KEYBOARD_RESET   0xfe
#define CF9_RESET        0x04

static void end(struct hvm_devices *h, uint32_t code)
{
    h->ends = true;
    h->end_code = code;
}

static void update_sci(struct hvm_devices *h)
{
    pic_set_irq(h, HVM_ACPI_SCI, h->pm.status & h->pm.enable[1] & POWER_BUTTON);
}

void pm_press_power_button(struct hvm_devices *h)
{
    h->pm.status = POWER_BUTTON;
    update_sci(h);
}

uint8_t pm_read(struct hvm_devices *h, unsigned int port)
{
    switch (port & 7) {
    case 1:
        return h->pm.status;
    case 2:
    case 3:
        return h->pm.enable[port & 1];
    case 4:
        return h->pm.control[0] | CONTROL_SCI_EN;
    case 5:
        return h->pm.control[1];
    default: /* what of status is never set */
        return 0;
    }
}

void pm_write(struct hvm_devices *h, unsigned int port, uint8_t value)
{
    switch (port & 7) {
    case 1: /* a 1 clears */
        h->pm.status &= (uint8_t)~value;
        break;
    case 2:
    case 3:
        h->pm.enable[port & 1] = value;
        break;
    case 4:
        h->pm.control[0] = value;
        break;
    case 5:
        h->pm.control[1] = value & (uint8_t)~CONTROL_SLP_EN;
        if ((value & CONTROL_SLP_EN) && (value & CONTROL_SLP_TYP) == HVM_ACPI_S5 << 2)
            end(h, SHUTDOWN_poweroff);
        break;
    }
    update_sci(h);
}

uint8_t pm_timer_read(struct hvm_devices *h, unsigned int port)
{
    return (uint8_t)(ns_to_ticks((uint64_t)h->now, PM_TIMER_HZ) >> (port & 3) * 8);
}

/* The keyboard controller: neither of its buffers is full, so who resets does not wait for it. */
uint8_t reset_read(struct hvm_devices *h __unused, unsigned int port __unused)
{
    return 0;
}

void reset_write(struct hvm_devices *h, unsigned int port, uint8_t value)
{
    if (port == KEYBOARD_COMMAND ? value == KEYBOARD_RESET : value & CF9_RESET)
        end(h, SHUTDOWN_reboot);
}
