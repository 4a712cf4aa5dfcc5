/* SPDX-License-Identifier: MIT */
/*
 * Bytes out to the machine's console.
 *
 * What the log, the control domain and boot-time domains have to say goes out in the order in which
 * it comes; a newline becomes the two characters that a terminal wants.
 *
 * A UART is slow: 16 bytes take it more than a millisecond. Nobody waits for it with interrupts
 * off: bytes go to a queue, which the UART's interrupts empty. Guests write only when there is
 * room (the control domain's hypercall is issued again until then, a boot-time domain's ring keeps
 * what it has), the hypervisor's own lines are few, and all in the log anyway. A UART that takes
 * nothing for a second is given up until it does. While the machine starts, and when it ends,
 * there is nobody to hold up: whoever writes waits, within bounds.
 *
 * Lock: out_lock (RANK_CONSOLE): what one writes at once is not torn by another.
 */
#include <core/base/console_out.h>
#include <parvis/string.h>
#include <port/atomic.h>
#include <port/lock.h>
#include <port/machine.h>

#define QUEUE_SIZE 16384u
#define MOST_SENT  512u /* at once */
#define MOST_POLLS 1000000u
#define PATIENCE   SECONDS(1)

static spinlock_t out_lock = SPINLOCK_INIT(RANK_CONSOLE);
static char queue[QUEUE_SIZE];
static uint32_t in, out, lost;
static bool queued;          /* else whoever writes waits */
static bool waiting;         /* for room               */
static bool interrupts;      /* the UART's are asked for */
static s_time_t progress_at; /* when it last took a byte, or had none to take */

static void want_interrupts(bool on)
{
    if (on != interrupts)
        machine_console_interrupts(on);
    interrupts = on;
}

static void send(void)
{
    uint32_t first = out;

    if (!queued)
        return;
    while (out != in && out - first < MOST_SENT && machine_console_putc(queue[out % QUEUE_SIZE]))
        out++;
    if (out != first || out == in) {
        progress_at = clock_now();
    } else if (clock_now() - progress_at > PATIENCE) {
        lost += in - out;
        out = in;
    }
    want_interrupts(out != in || waiting);
}

static void put(char c)
{
    if (queued && in - out < QUEUE_SIZE)
        queue[in++ % QUEUE_SIZE] = c;
    else if (queued)
        lost++;
    else
        for (unsigned int i = 0; i < MOST_POLLS && !machine_console_putc(c); i++)
            cpu_relax();
}

static void put_all(const char *s, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (s[i] == '\n')
            put('\r');
        put(s[i]);
    }
}

static void say_lost(void)
{
    char text[64];
    int n = snprintf(text, sizeof(text), "\n[%u bytes of the console are lost]\n", lost);

    lost = 0;
    put_all(text, (size_t)n);
}

/* For how many bytes, all of them newlines. */
static size_t room(void)
{
    return queued ? (QUEUE_SIZE - (in - out)) / 2 : QUEUE_SIZE;
}

static void write_and_send(const char *s, size_t n)
{
    if (lost && in - out < QUEUE_SIZE / 2)
        say_lost();
    put_all(s, n);
    send();
}

void console_write(const char *s, size_t n)
{
    spin_lock(&out_lock);
    write_and_send(s, n);
    spin_unlock(&out_lock);
}

bool console_try_write(const char *s, size_t n)
{
    bool fits;

    spin_lock(&out_lock);
    fits = room() >= n;
    waiting |= !fits;
    write_and_send(s, fits ? n : 0);
    spin_unlock(&out_lock);
    return fits;
}

size_t console_room(void)
{
    size_t bytes;

    spin_lock(&out_lock);
    bytes = room();
    spin_unlock(&out_lock);
    return bytes;
}

bool console_wait(void)
{
    spin_lock(&out_lock);
    waiting = queued;
    send();
    spin_unlock(&out_lock);
    return queued;
}

bool console_send(void)
{
    bool wake;

    spin_lock(&out_lock);
    wake = waiting && room() >= QUEUE_SIZE / 4;
    if (wake)
        waiting = false;
    send();
    machine_console_interrupts(interrupts); /* it is an edge: what came meanwhile makes another */
    spin_unlock(&out_lock);
    return wake;
}

void console_queue(bool on)
{
    spin_lock(&out_lock);
    queued = on;
    while (!on && out != in)
        put(queue[out++ % QUEUE_SIZE]);
    progress_at = on ? clock_now() : 0;
    waiting = false;
    spin_unlock(&out_lock);
}
