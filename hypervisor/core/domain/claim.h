/* SPDX-License-Identifier: MIT */
/* Claims on free memory: core/domain/claim.c. */
#ifndef CORE_CLAIM_H
#define CORE_CLAIM_H

#include <hv/types.h>

struct domain;

uint64_t claims_outstanding(void); /* frames, of all domains */
/* May d have n more frames, beside what others claimed? */
bool claim_allows(const struct domain *d, uint64_t n);
/* d got n frames. Its page_alloc_lock is held. */
void claim_consume(struct domain *d, uint64_t n);
void claim_end(struct domain *d); /* which is dying */
/* XENMEM_claim_pages: what d shall have in all; 0 ends its claim. -XEN_EINVAL, -XEN_ENOMEM. */
int __must_check claim_set(struct domain *d, uint64_t pages);

#endif
