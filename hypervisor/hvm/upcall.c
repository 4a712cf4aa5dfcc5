/* SPDX-License-Identifier: MIT */
/*
 * How a guest that is told of Xen is told of its events: by a vector that it chooses, for all its
 * vCPUs (HVM_PARAM_CALLBACK_IRQ) or for one of them (HVMOP_set_evtchn_upcall_vector).
 *
 * That of all vCPUs is a level: as long as evtchn_upcall_pending is set and the guest takes
 * interrupts it has this one, before those of its local APIC, which does not know of it. That of a
 * vCPU is an interrupt of its local APIC, raised when evtchn_upcall_pending becomes 1; so whoever
 * sets that byte calls hvm_upcall(). evtchn_upcall_mask counts in neither: RFLAGS.IF does.
 *
 * Race: a vCPU's vector is there, with a full barrier, before its guest's byte is looked at; and a
 * sender sets the byte before it looks at the vector. One of them raises it, or both.
 */
#include <core/base/count.h>
#include <core/base/log.h>
#include <core/state/domain.h>
#include <hvm/hvm.h>
#include <hvm/hvm_ops.h>
#include <hvm/lapic.h>
#include <port/atomic.h>
#include <xen/errno.h>
#include <xen/hvm/params.h>

#define LOWEST_VECTOR 16

/* What HVM_PARAM_CALLBACK_IRQ says; 0: no vector. */
static uint8_t vector_of(uint64_t via)
{
    return via >> 56 == HVM_PARAM_CALLBACK_TYPE_VECTOR ? (uint8_t)via : 0;
}

bool hvm_is_callback(uint64_t via)
{
    return via >> 56 < HVM_PARAM_CALLBACK_TYPE_VECTOR || vector_of(via) >= LOWEST_VECTOR;
}

int hvm_upcall_vector(const struct vcpu *v)
{
    const struct hvm_domain *h = &v->domain->arch.hvm;
    uint8_t vector = vector_of(READ_ONCE(h->param[HVM_PARAM_CALLBACK_IRQ]));

    if (!vector || READ_ONCE(v->arch.hvm.upcall_vector) ||
        !READ_ONCE(v->vcpu_info->evtchn_upcall_pending))
        return -1;
    return vector;
}

void hvm_upcall(struct vcpu *v)
{
    uint8_t vector = READ_ONCE(v->arch.hvm.upcall_vector);

    if (!vector)
        return;
    count_event_anywhere(v, COUNTER_upcalls);
    lapic_raise(v, vector);
}

int hvm_set_upcall_vector(struct vcpu *v, uint8_t vector)
{
    if (vector < LOWEST_VECTOR)
        return refused(-XEN_EINVAL, "vector %u for events", vector);
    (void)xchg(&v->arch.hvm.upcall_vector, vector);
    if (READ_ONCE(v->vcpu_info->evtchn_upcall_pending))
        hvm_upcall(v);
    return 0;
}
