/* SPDX-License-Identifier: MIT */
/*
 * The end of the machine, for those who must begin it or take part: stop.c.
 */
#ifndef X86_STOP_H
#define X86_STOP_H

#include <hv/types.h>

struct cpu_user_regs;

void __noreturn halt_for_good(void); /* this CPU */

bool machine_ends(void);
/* Before what is said at the end: stops the other CPUs. On a CPU that is one of the others it
 * returns when it may speak, if ever. machine_stop() is next. */
void begin_end(bool is_panic);
/* Another CPU ends the machine: says where this one was, in its turn. Returns on one that stands
 * already, with something of its own to say, or has said it. */
void tell_where(const struct cpu_user_regs *regs);

#endif
