/* SPDX-License-Identifier: MIT */
/*
 * The console of profile hvm: a 16550 at 3F8h, polled. And the end of such a machine, by ACPI: what
 * its FADT says is taken as known (include/parvis/loader_pvh.h).
 */
#include <parvis/loader_pvh.h>

#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/machine.h>

#define COM1      0x3f8
#define LSR       (COM1 + 5)
#define LSR_READY 0x01
#define LSR_EMPTY 0x20

#define PM1_SLP_EN  0x2000
#define PM1_SLP_TYP 10 /* its first bit */

static void put(char c)
{
    while (!(inb(LSR) & LSR_EMPTY))
        cpu_relax();
    outb(COM1, (uint8_t)c);
}

void uart_write(const char *text, size_t len)
{
    for (size_t i = 0; i < len; i++) {
        if (text[i] == '\n')
            put('\r');
        put(text[i]);
    }
}

bool uart_has_input(void)
{
    return inb(LSR) & LSR_READY;
}

int uart_getc(void)
{
    return uart_has_input() ? inb(COM1) : -1;
}

void acpi_end(unsigned int reason)
{
    for (;;) {
        if (reason == SHUTDOWN_poweroff)
            outw(HVM_ACPI_PM1A_CNT, HVM_ACPI_S5 << PM1_SLP_TYP | PM1_SLP_EN);
        else
            outb(HVM_ACPI_RESET, HVM_ACPI_RESET_VAL);
    }
}
