/* SPDX-License-Identifier: MIT */
/*
 * A limit for system calls that would wait for ever: see limit.h.
 */
#include "limit.h"

#include <signal.h>
#include <stddef.h>
#include <sys/time.h>

static volatile sig_atomic_t passed;
static struct sigaction before;

static void pass(int signal)
{
    (void)signal;
    passed = 1;
}

static void set_timer(unsigned int ms)
{
    const struct timeval t = {.tv_sec = ms / 1000, .tv_usec = ms % 1000 * 1000};
    const struct itimerval timer = {t, t};

    setitimer(ITIMER_REAL, &timer, NULL);
}

void limit_set(unsigned int ms)
{
    const struct sigaction a = {.sa_handler = pass}; /* no SA_RESTART: the call returns */

    passed = 0;
    sigaction(SIGALRM, &a, &before);
    set_timer(ms);
}

bool limit_passed(void)
{
    return passed;
}

void limit_clear(void)
{
    set_timer(0);
    sigaction(SIGALRM, &before, NULL);
}
