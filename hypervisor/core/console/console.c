/* SPDX-License-Identifier: MIT */
/*
 * What is typed at the console.
 *
 * It is kept in a small ring until somebody takes it: the control domain by CONSOLEIO_read after
 * VIRQ_CONSOLE, or, where there is none, the first boot-time domain through its console ring.
 * Typing ahead of a full ring is lost. Output is core/base/console_out.c's.
 *
 * Lock: input_lock (RANK_CONSOLE).
 */
#include <core/base/console_out.h>
#include <core/console/console.h>
#include <core/domain/domain_table.h>
#include <core/event/event_channel.h>
#include <core/state/cpu.h>
#include <port/current.h>
#include <port/lock.h>
#include <port/machine.h>
#include <port/upcalls.h>

#define INPUT_SIZE   1024u
#define MOST_DRAINED 1024u /* of rings, at once */

static spinlock_t input_lock = SPINLOCK_INIT(RANK_CONSOLE);
static char input[INPUT_SIZE];
static uint32_t input_in, input_out;

void console_init(void)
{
    input_in = input_out = 0;
    console_ring_init();
}

static bool take_typed(void)
{
    bool any = false;
    int c;

    spin_lock(&input_lock);
    while ((c = machine_console_getc()) >= 0) {
        if (input_in - input_out < INPUT_SIZE)
            input[input_in++ % INPUT_SIZE] = (char)c;
        any = true;
    }
    spin_unlock(&input_lock);
    return any;
}

size_t console_read(char *to, size_t n)
{
    size_t i = 0;

    spin_lock(&input_lock);
    while (i < n && input_out != input_in)
        to[i++] = input[input_out++ % INPUT_SIZE];
    spin_unlock(&input_lock);
    return i;
}

void console_feed_boot_domain(void)
{
    if (!control_domain)
        console_ring_feed();
}

void console_poll(void)
{
    if (console_send())
        cpu_raise(this_cpu(), CPU_WORK_CONSOLE);
    if (!take_typed())
        return;
    if (control_domain)
        send_global_virq(VIRQ_CONSOLE);
    console_feed_boot_domain();
}

void console_work(void)
{
    size_t most = MIN(console_room(), (size_t)MOST_DRAINED);

    if (console_drain_rings((uint32_t)most) && !console_wait())
        cpu_raise(this_cpu(), CPU_WORK_CONSOLE);
    console_feed_boot_domain(); /* it may have made room */
}
