/* SPDX-License-Identifier: MIT */
/*
 * Being told to stop in the middle: see interrupt.h.
 */
#define _GNU_SOURCE
#include "interrupt.h"

#include <errno.h>
#include <signal.h>
#include <stddef.h>
#include <string.h>

static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT};
#define NR_SIGNALS (sizeof(signals) / sizeof(signals[0]))

static volatile sig_atomic_t came;

static void note(int signal)
{
    came = signal;
}

static void set_all(void (*from)(int), void (*to)(int))
{
    for (size_t i = 0; i < NR_SIGNALS; i++) {
        struct sigaction now, wish = {.sa_handler = to}; /* no SA_RESTART: what waits wakes up */

        if (sigaction(signals[i], NULL, &now) == 0 && now.sa_handler == from)
            sigaction(signals[i], &wish, NULL);
    }
}

void interrupt_catch(void)
{
    set_all(SIG_DFL, note);
}

int interrupt_came(void)
{
    return came;
}

int interrupt_check(const char *name, struct error *e)
{
    if (!came)
        return 0;
    return error_set(e, -EINTR, "%s: interrupted by SIG%s", name, sigabbrev_np(came));
}

void interrupt_release(void)
{
    int signal = came;

    set_all(note, SIG_DFL);
    came = 0;
    if (signal)
        raise(signal);
}
