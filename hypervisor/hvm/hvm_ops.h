/* SPDX-License-Identifier: MIT */
/* The functions behind struct guest_ops of a fully virtualized domain, and the table itself. */
#ifndef HVM_HVM_OPS_H
#define HVM_HVM_OPS_H

#include <core/base/hypercall.h>
#include <core/state/guest_ops.h>
#include <parvis/loader_pvh.h>

extern const struct hypercall_set hvm_hypercalls; /* hvm/hypercall_table.c */
/* hvm/build.c */
int __must_check hvm_build(struct domain *d, const struct build_args *args, gfn_t *store,
                           gfn_t *console);

/* hvm/param.c */
int __must_check hvm_param(struct domain *d, bool set, uint32_t index, uint64_t *value);
/* hvm/context.c */
int __must_check hvm_set_context(struct vcpu *v, const struct vcpu_guest_context *ctxt);
/* hvm/build.c, context.c: vCPU 0 is to run, from here. */
void hvm_begin(struct vcpu *v, const struct loader_pvh_layout *layout);
/* hvm/instruction.c */
int __must_check hvm_copy(const struct vcpu *v, void *hv, gva_t va, size_t n, bool write);
/* hvm/physmap.c */
int __must_check hvm_add_to_physmap(struct domain *d, const struct xen_add_to_physmap *a);
/* hvm/upcall.c */
void hvm_upcall(struct vcpu *v);
int __must_check hvm_set_upcall_vector(struct vcpu *v, uint8_t vector);

extern const struct guest_ops hvm_guest_ops, pvh_guest_ops; /* hvm/domain_ops.c */

#endif
