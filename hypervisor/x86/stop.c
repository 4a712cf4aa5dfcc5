/* SPDX-License-Identifier: MIT */
/*
 * Ends: panic, power off, reboot, and the crash that a test can see.
 *
 * What is not an ordinary end is told to QEMU's debug-exit port when parvis.cfg names it; then, or
 * where no such port answers, the machine is switched off: what was said is on the console. Where
 * ACPI cannot do it the CPU halts for good. Nothing here allocates, and a panic waits for no lock.
 */
#include <core/base/console_out.h>
#include <core/base/log.h>
#include <port/atomic.h>
#include <port/machine.h>

#include "acpi.h"
#include "insn.h"
#include "x86.h"

uint16_t debug_exit_port;

#define PORT_RESET           0xcf9
#define RESET_FULL           0x06
#define PORT_KEYBOARD        0x64
#define KEYBOARD_PULSE_RESET 0xfe

static void __noreturn halt(void)
{
    for (;;)
        __asm__ volatile("cli; hlt");
}

static void reboot(void)
{
    acpi_reset();
    outb(PORT_RESET, 0x02);
    outb(PORT_RESET, RESET_FULL);
    wait_a_moment();
    outb(PORT_KEYBOARD, KEYBOARD_PULSE_RESET);
    wait_a_moment();
    /* The last way that always works: an exception with no table to look in. */
    lidt(&(struct table_pointer){.limit = 0, .base = 0});
    __asm__ volatile("int3");
}

void machine_stop(enum stop_kind kind)
{
    cli();
    console_queue(false);
    uart_drain(); /* what was said last is what one wants to know */
    /* A real machine has something else there, or nothing, which reads as 0xff: leave it alone. */
    if (kind != STOP_POWEROFF && kind != STOP_REBOOT && debug_exit_port &&
        inb(debug_exit_port) == 0)
        outb(debug_exit_port, (uint8_t)kind);
    if (kind == STOP_REBOOT)
        reboot();
    acpi_power_off();
    log_error("halted: this machine cannot be switched off by ACPI");
    halt();
}

void panic(const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    ignore_locks();
    console_queue(false);
    log_error("panic: %s", text);
    dump_stack((uint64_t)__builtin_return_address(0), *(uint64_t *)__builtin_frame_address(0));
    machine_stop(STOP_PANIC);
}
