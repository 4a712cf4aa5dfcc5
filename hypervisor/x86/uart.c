/* SPDX-License-Identifier: MIT */
/*
 * The console UART: a 16550 at COM1 or COM2, 115200 baud, 8N1. It interrupts when something was
 * typed, and, while there is something to send, when it has room.
 */
#include <port/atomic.h>
#include <port/machine.h>

#include "insn.h"
#include "x86.h"

enum {
    UART_DATA = 0,
    UART_IER = 1,
    UART_FCR = 2,
    UART_LCR = 3,
    UART_MCR = 4,
    UART_LSR = 5,
    UART_SCRATCH = 7
};
#define LSR_DATA         0x01
#define LSR_ROOM         0x20
#define LSR_ALL_SENT     0x40
#define LCR_DLAB         0x80
#define LCR_8N1          0x03
#define FCR_ENABLE_CLEAR 0x07
#define MCR_DTR_RTS_OUT2 0x0b
#define IER_RECEIVED     0x01
#define IER_ROOM         0x02
#define FIFO_SIZE        16

uint16_t uart_base; /* 0: there is none */
uint8_t uart_irq;
static unsigned int room; /* bytes the FIFO surely takes */

void uart_init(unsigned int com)
{
    uint16_t base = com == 2 ? 0x2f8 : 0x3f8;

    uart_base = 0;
    uart_irq = com == 2 ? 3 : 4;
    outb(base + UART_SCRATCH, 0x5a);
    if (inb(base + UART_SCRATCH) != 0x5a)
        return;
    outb(base + UART_IER, 0);
    outb(base + UART_LCR, LCR_DLAB);
    outb(base + UART_DATA, 1); /* divisor 1: 115200 baud */
    outb(base + UART_IER, 0);
    outb(base + UART_LCR, LCR_8N1);
    outb(base + UART_FCR, FCR_ENABLE_CLEAR);
    outb(base + UART_MCR, MCR_DTR_RTS_OUT2);
    room = 0;
    uart_base = base;
}

void machine_console_interrupts(bool on)
{
    if (!uart_base)
        return;
    outb(uart_base + UART_IER, 0);
    outb(uart_base + UART_IER, IER_RECEIVED | (on ? IER_ROOM : 0));
}

/* What is said where there is no UART is said. */
bool machine_console_putc(char c)
{
    if (!uart_base)
        return true;
    if (!room && !(inb(uart_base + UART_LSR) & LSR_ROOM))
        return false;
    room = room ? room - 1 : FIFO_SIZE - 1;
    outb(uart_base + UART_DATA, (uint8_t)c);
    return true;
}

int machine_console_getc(void)
{
    if (!uart_base || !(inb(uart_base + UART_LSR) & LSR_DATA))
        return -1;
    return inb(uart_base + UART_DATA);
}

void uart_drain(void)
{
    for (unsigned int i = 0;
         uart_base && i < 1000000 && !(inb(uart_base + UART_LSR) & LSR_ALL_SENT); i++)
        cpu_relax();
}
