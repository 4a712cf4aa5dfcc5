/* SPDX-License-Identifier: MIT */
/* Claims on free memory: core/domain/claim.c. */
#ifndef CORE_CLAIM_H
#define CORE_CLAIM_H

#include <hv/types.h>

struct domain;

/* Frames others claimed are not for d. claim_set:
 * XENMEM_claim_pages, in pages d shall have in all. */
uint64_t claims_outstanding(void);
bool claim_allows(const struct domain *d, uint64_t n);
void claim_consume(struct domain *d, uint64_t n);
int __must_check claim_set(struct domain *d, uint64_t pages);

#endif
