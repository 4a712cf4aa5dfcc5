/* SPDX-License-Identifier: MIT */
#ifndef CORE_CONSOLE_OUT_H
#define CORE_CONSOLE_OUT_H

#include <hv/types.h>

void console_write(const char *s, size_t n); /* raw, to the console: core/base/console_out.c */

#endif
