/* SPDX-License-Identifier: MIT */
/*
 * Port: waiting for another CPU.
 *
 * Interrupts are off in the hypervisor, so a CPU that waits hears nothing; and whom it waits for
 * may wait for it to flush its TLB. Hence every loop that waits for another CPU makes its turns
 * with spin_wait(), which does what this CPU is asked for meanwhile. (tests/style.py holds that no
 * loop waits otherwise.) A wait that does not end is a fault of the hypervisor's: it tells who
 * waits for whom, and stops.
 *
 *     struct wait w = WAIT("its lock", cpu);
 *     while (!done)
 *         spin_wait(&w);
 */
#ifndef PORT_WAIT_H
#define PORT_WAIT_H

#include <hv/types.h>

#define NO_CPU ~0u

struct wait {
    const char *what;   /* is waited for */
    unsigned int cpu;   /* which has to do it; NO_CPU: not known */
    unsigned int turns; /* made so far */
    uint64_t looked;    /* clock_ticks() at the last look at the clock; 0: none yet */
    uint64_t waited;    /* ticks, until then */
};

#define WAIT(what_, cpu_) ((struct wait){.what = (what_), .cpu = (cpu_)})

/* One turn of a wait: serves this CPU's flush requests. Ends in panic() after some seconds. */
void spin_wait(struct wait *w);

#endif
