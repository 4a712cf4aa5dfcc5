/* SPDX-License-Identifier: MIT */
/*
 * The control domain's own memory.
 */
#ifndef PARVIS_TOOLS_MEMORY_H
#define PARVIS_TOOLS_MEMORY_H

#include <stdint.h>

/* Bytes that programs can have before the kernel has to take any from them; 0: it does not say. */
uint64_t memory_available(void);

#endif
