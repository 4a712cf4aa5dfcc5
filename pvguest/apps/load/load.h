/* SPDX-License-Identifier: MIT */
#ifndef LOAD_H
#define LOAD_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* What one vCPU does over and over; each turn takes at most some milliseconds. */
struct work {
    const char *name;
    int (*prepare)(void); /* once, on vCPU 0; 0 or -XEN_E*. NULL: nothing */
    void (*turn)(unsigned int vcpu);
};

extern const struct work works[]; /* ends with a NULL name */

/* Microseconds of run= and sleep=. */
extern uint64_t run_ns, sleep_ns;

/* Spins until that system time. */
void run_until(uint64_t ns);
/* Gives the processor away until that system time. */
void sleep_until(uint64_t ns);

/* Whether this moment is between begin= and end=. */
bool in_window(void);
/* Whether the next of those two has come: who waits for another in its turn gives up then, as that
 * one may be gone. */
bool time_is_up(void);

/* How late this wake-up was. */
void note_latency(uint64_t ns);
/* What the report has of that: "" when nothing was noted. */
void latency_text(char *text, size_t size);

#endif
