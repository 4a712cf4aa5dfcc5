/* SPDX-License-Identifier: MIT */
/* The interval timer of a PC, an 8254, and the part of port 61h that belongs to it: pit.c. */
#ifndef HVM_PIT_H
#define HVM_PIT_H

#include <core/sched/timer.h>
#include <hv/types.h>

struct hvm_devices;

struct pit_channel {
    uint8_t control; /* bits 5 to 0 of its control word: bytes, mode, BCD */
    bool gate;       /* it may count */
    bool loaded;     /* it has a count since the control word */
    uint32_t count;  /* 1 to 65536 */
    uint64_t held;   /* how far it had come when the gate closed */
    s_time_t start;  /* since when it has been counting, if the gate is open */
    uint8_t low;     /* of two bytes the first, written; */
    bool write_high; /* the second comes next */
    bool read_high;  /* the second is read next */
    bool latched;    /* until it is read: */
    uint16_t latch;  /* the counter, */
    bool has_status; /* and before that, */
    uint8_t status;  /* the status */
};

struct pit {
    struct pit_channel channel[3];
    uint8_t port61;     /* bits 3 to 0 */
    s_time_t edge;      /* when channel 0 interrupts next; INT64_MAX: not, or when it was taken */
    struct timer timer; /* set for that */
};

void pit_reset(struct hvm_devices *h);
/* IRQ 0 does not wait in the PIC (any more). */
void pit_irq_is_gone(struct hvm_devices *h);
uint8_t pit_read(struct hvm_devices *h, unsigned int port);
void pit_write(struct hvm_devices *h, unsigned int port, uint8_t value);
uint8_t port61_read(struct hvm_devices *h, unsigned int port);
void port61_write(struct hvm_devices *h, unsigned int port, uint8_t value);

#endif
