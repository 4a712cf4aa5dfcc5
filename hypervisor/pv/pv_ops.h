/* SPDX-License-Identifier: MIT */
/*
 * The functions behind struct guest_ops of a paravirtual domain (core/state/guest_ops.h says what
 * each does), so that the table in pv/domain_ops.c can name them.
 */
#ifndef PV_OPS_H
#define PV_OPS_H

#include <core/state/guest_ops.h>

/* pv/context.c */
int __must_check pv_set_context(struct vcpu *v, const struct vcpu_guest_context *c);
void pv_get_context(struct vcpu *v, struct vcpu_guest_context *c);
/* pv/build.c */
int __must_check pv_build(struct domain *d, const struct build_args *args, gfn_t *store,
                          gfn_t *console);
int __must_check pv_relinquish_vcpus(struct domain *d); /* pv/teardown.c */
int __must_check pv_undo_frame(struct page_info *pg, struct domain *d);
/* pv/grant_map.c */
int __must_check pv_grant_map(uint64_t host_addr, mfn_t frame, unsigned int flags);
int __must_check pv_grant_unmap(uint64_t host_addr, mfn_t frame, unsigned int flags,
                                uint64_t new_addr);

/* pv/traps.c */
void pv_page_fault(struct vcpu *v, uint64_t cr2);
void pv_exception(struct vcpu *v, uint64_t dr6);
bool pv_bring_in(struct vcpu *v, uint64_t at);

extern const struct guest_ops pv_guest_ops; /* pv/domain_ops.c */

#endif
