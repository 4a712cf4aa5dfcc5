/* SPDX-License-Identifier: MIT */
/*
 * Port: this CPU and who runs on it.
 *
 * struct cpu sits at the top of each CPU's stack block, which is aligned to its size: the machine
 * build finds it from the stack pointer (no GS: the guest owns both GS bases, so that its syscalls
 * need no SWAPGS pair), in place: cpu_of_stack(). In the host build it is its thread's.
 */
#ifndef PORT_CURRENT_H
#define PORT_CURRENT_H

#include <core/state/cpu.h>

/* No function begins on one CPU and ends on another, so the compiler may ask once in each. */
__attribute__((const)) struct cpu *(this_cpu)(void);
struct cpu *cpu_by_id(unsigned int id);

#define current (this_cpu()->running)

#endif
