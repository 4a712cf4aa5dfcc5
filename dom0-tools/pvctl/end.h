/* SPDX-License-Identifier: MIT */
/*
 * Ends of guests that pvctl asks for (shutdown.c), and that of all of them (end_all.c).
 */
#ifndef PVCTL_END_H
#define PVCTL_END_H

#include "pvctl.h"

/* shutdown.c: the wish "poweroff" or "reboot", as this kind of guest can be asked. */
int __must_check wish_for(const struct call *c, const struct live_domain *l, const char *wish,
                          struct error *e);
/* The same, of one that has taken it and goes on. */
void wish_again(const struct call *c, const struct live_domain *l, const char *wish);
/* end_all.c: all guests power off, or, after so many seconds (0: without limit), are destroyed.
 * Exit status. */
int __must_check end_all(const struct call *c, unsigned int seconds);

#endif
