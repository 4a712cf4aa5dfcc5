/* SPDX-License-Identifier: MIT */
/*
 * The clock by which all of the tools wait: since the machine's start, and never set. A file of
 * its own, so that tests have a clock that goes when they say.
 */
#ifndef PARVIS_TOOLS_CLOCK_H
#define PARVIS_TOOLS_CLOCK_H

#include <stdint.h>

uint64_t now_ms(void);
uint64_t now_ns(void);

#endif
