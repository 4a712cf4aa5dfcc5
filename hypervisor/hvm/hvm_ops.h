/* SPDX-License-Identifier: MIT */
/* The functions behind struct guest_ops of a fully virtualized domain, and the table itself. */
#ifndef HVM_HVM_OPS_H
#define HVM_HVM_OPS_H

#include <core/base/hypercall.h>
#include <core/state/guest_ops.h>

extern const struct hypercall_set hvm_hypercalls; /* hvm/hypercall_table.c */
/* hvm/build.c */
int __must_check hvm_build(struct domain *d, const struct build_args *args, gfn_t *store,
                           gfn_t *console);

extern const struct guest_ops hvm_guest_ops; /* hvm/domain_ops.c */

#endif
