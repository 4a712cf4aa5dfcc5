/* SPDX-License-Identifier: MIT */
/*
 * Asking a guest to end, as its kind can be asked: by the store, or, where it is told of none, by
 * its power button.
 */
#ifndef PVCTL_WISH_H
#define PVCTL_WISH_H

#include "pvctl.h"

/* The wish "poweroff" or "reboot". 0 or a negative errno. */
int __must_check wish_for(const struct call *c, const struct live_domain *l, const char *wish,
                          struct error *e);
/* The same, of one that has taken it and goes on. */
void wish_again(const struct call *c, const struct live_domain *l, const char *wish);

#endif
