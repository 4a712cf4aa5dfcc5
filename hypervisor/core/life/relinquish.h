/* SPDX-License-Identifier: MIT */
/* A step of the end of a domain: core/life/relinquish.c. */
#ifndef CORE_RELINQUISH_H
#define CORE_RELINQUISH_H

#include <hv/types.h>

struct domain;

/* Gives back the frames of d, which is dying and runs nowhere. -XEN_ERESTART: again. */
int __must_check relinquish_memory(struct domain *d);

#endif
