/* SPDX-License-Identifier: MIT */
/* Domain ids to domains: core/domain/domain_table.c. */
#ifndef HV_DOMAIN_TABLE_H
#define HV_DOMAIN_TABLE_H

#include <hv/types.h>
#include <xen/xen.h>

struct domain;

void domain_table_init(void);
/* Enters d under its id; DOMID_INVALID: gives it the next free one. -XEN_EEXIST, -XEN_ENOMEM,
 * -XEN_EINVAL (not an id for a domain). */
int __must_check domain_table_insert(struct domain *d);
void domain_table_remove(struct domain *d);

#endif
