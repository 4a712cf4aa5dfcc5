/* SPDX-License-Identifier: MIT */
/* The consoles of boot-time domains, inside core/console/console*.c; core/console/console.h is what
 * others use. */
#ifndef HV_CONSOLE_RING_H
#define HV_CONSOLE_RING_H

#include <hv/types.h>

struct domain;

void console_ring_init(void);
/* What was typed goes to the first boot-time domain's ring; how many bytes it took (the rest has no
 * room). */
size_t console_ring_input(const char *s, size_t n);
void console_ring_detach(struct domain *d); /* teardown: the ring's frame is given back */

#endif
