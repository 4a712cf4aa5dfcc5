/* SPDX-License-Identifier: MIT */
/* The interrupt controllers of a PC, two 8259A: pic.c. */
#ifndef HVM_PIC_H
#define HVM_PIC_H

#include <hv/types.h>

struct hvm_devices;

struct pic_chip {
    uint8_t irr, isr, imr; /* requested, in service, masked: a bit an input */
    uint8_t inputs;        /* the levels there */
    uint8_t elcr;          /* those that request by level; the others by an edge */
    uint8_t vector;        /* ICW2: of input 0 */
    uint8_t lowest;        /* the input of the lowest priority; the next one has the highest */
    uint8_t icw;           /* number of the initialization word that comes next; 0: none */
    bool single, icw4;     /* ICW1: ICW3 does not come; ICW4 does */
    bool auto_eoi, rotate; /* INTA ends the service at once; and then the input is the lowest */
    bool nested;           /* special fully nested mode: the slave may interrupt its own service */
    bool special_mask;     /* what is masked does not hold up lower ones while it is in service */
    bool poll, read_isr;   /* what the next read shows, else IRR */
};

struct pic {
    struct pic_chip chip[2]; /* master, slave */
    bool out;                /* the master interrupts the CPU: atomic */
};

void pic_reset(struct pic *p);
uint8_t pic_read(struct hvm_devices *h, unsigned int port);
void pic_write(struct hvm_devices *h, unsigned int port, uint8_t value);
uint8_t elcr_read(struct hvm_devices *h, unsigned int port);
void elcr_write(struct hvm_devices *h, unsigned int port, uint8_t value);
void pic_set_irq(struct hvm_devices *h, unsigned int irq, bool level);
void pic_pulse_irq(struct hvm_devices *h, unsigned int irq); /* low, and high again */
uint8_t pic_ack(struct hvm_devices *h);

#endif
