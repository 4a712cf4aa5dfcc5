/* SPDX-License-Identifier: MIT */
/* The serial port of a PC, a 16550A, whose line ends in a console ring: uart.c. */
#ifndef HVM_UART_H
#define HVM_UART_H

#include <core/sched/timer.h>
#include <hv/types.h>
#include <xen/event_channel.h>

struct hvm_devices;
struct xencons_interface;

struct uart_fifo {
    uint8_t byte[16];
    uint8_t first, count;
};

struct uart {
    uint8_t divisor[2], ier, fcr, lcr, mcr, msr, scr; /* as the data sheet names them */
    bool overrun;                                     /* LSR: a byte came that had no room */
    bool thre; /* the transmitter became empty, and nobody has been told */
    struct uart_fifo rx, tx;
    struct xencons_interface *ring; /* NULL: nobody listens; others write to it at any time */
    evtchn_port_t port;
    uint32_t out_prod, in_cons; /* our indices: what the page has of them is never read */
    bool owed;                  /* they moved, and the other end does not know */
    struct timer timer;         /* set then */
};

void uart_reset(struct hvm_devices *h);
void uart_attach(struct hvm_devices *h, struct xencons_interface *ring, evtchn_port_t port);
/* Moves what can be moved between the FIFOs and the ring, and tells the PIC. */
void uart_move(struct hvm_devices *h);
uint8_t uart_read(struct hvm_devices *h, unsigned int port);
void uart_write(struct hvm_devices *h, unsigned int port, uint8_t value);

#endif
