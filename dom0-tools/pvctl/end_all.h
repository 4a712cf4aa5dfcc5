/* SPDX-License-Identifier: MIT */
/*
 * The end of all guests.
 */
#ifndef PVCTL_END_ALL_H
#define PVCTL_END_ALL_H

#include "pvctl.h"

/* All guests power off, or, after so many seconds (0: without limit), are destroyed. Exit status.
 */
int __must_check end_all(const struct call *c, unsigned int seconds);

#endif
