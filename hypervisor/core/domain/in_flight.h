/* SPDX-License-Identifier: MIT */
/*
 * Frames in flight: see in_flight.c.
 */
#ifndef CORE_DOMAIN_IN_FLIGHT_H
#define CORE_DOMAIN_IN_FLIGHT_H

#include <core/state/domain.h>

#define IN_FLIGHT_PER_CHECK 32u /* frames; then it is looked whether to give way */

/* Takes a frame out of d, which nobody uses. 0, -XEN_EINVAL, -XEN_EBUSY: as steal_page(). */
int __must_check in_flight_take(struct domain *d, gfn_t gfn);
/* Undoes what is not committed: d has its frames again, or, when it may not (XSA-159), the heap. 0
 * or -XEN_ERESTART. */
int __must_check in_flight_return(struct domain *d);
/* Frees what was taken. 0 or -XEN_ERESTART. */
int __must_check in_flight_free(struct domain *d);
/* The end of d: all goes to the heap. 0 or -XEN_ERESTART. */
int __must_check in_flight_end(struct domain *d);

#endif
