/* SPDX-License-Identifier: MIT */
/* Grants between the domains of pages.c: pages_grants.c. */
#ifndef TESTS_TORTURE_PAGES_GRANTS_H
#define TESTS_TORTURE_PAGES_GRANTS_H

#include "torture.h"

/* The granter: an entry of its table is for a paravirtual domain, which is below so many; or for
 * none. */
void pages_give(struct guest *g, uint64_t gfn, unsigned int domains);
void pages_take_back(struct guest *g);

/* The user. */
void pages_grants_born(domid_t id);
void pages_map_grant(struct guest *g, domid_t granter, gva_t va);
void pages_unmap_grant(struct guest *g);
void pages_copy_grant(struct guest *g, domid_t granter);

#endif
