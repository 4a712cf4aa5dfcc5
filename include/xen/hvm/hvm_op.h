/* SPDX-License-Identifier: MIT */
/*
 * hvm_op(cmd, void *arg): what is of fully virtualized domains alone.
 *
 * set_param, get_param: a parameter of a domain (params.h). A domain names itself by DOMID_SELF;
 * the control domain names any. -XEN_ESRCH no such domain; -XEN_EPERM another's, or not the
 * caller's to set; -XEN_EINVAL no such parameter or value, or a paravirtual domain.
 *
 * set_evtchn_upcall_vector: this vCPU of the caller's domain is told of events by an interrupt of
 * its local APIC, with this vector (16 to 255; an edge, with EOI), each time when
 * evtchn_upcall_pending becomes 1; HVM_PARAM_CALLBACK_IRQ counts for it no more. -XEN_ENOENT: there
 * is no such vCPU.
 */
#ifndef XEN_HVM_HVM_OP_H
#define XEN_HVM_HVM_OP_H

#include <xen/xen.h>

#define HVMOP_set_param 0 /* in: all */
#define HVMOP_get_param 1 /* in: domid, index; out: value */
struct xen_hvm_param {
    domid_t domid;
    uint16_t pad;
    uint32_t index; /* HVM_PARAM_* */
    uint64_t value;
};
typedef struct xen_hvm_param xen_hvm_param_t;

#define HVMOP_pagetable_dying          9 /* refused, -XEN_ENOSYS */
#define HVMOP_set_evtchn_upcall_vector 23
struct xen_hvm_evtchn_upcall_vector {
    uint32_t vcpu;
    uint8_t vector;
};
typedef struct xen_hvm_evtchn_upcall_vector xen_hvm_evtchn_upcall_vector_t;

#endif
