/* SPDX-License-Identifier: MIT */
/*
 * The line of the guest's UART is a console ring, as a paravirtual guest has it, and the other end
 * is served in the same way: by the hypervisor for boot-time domains, else in the control domain.
 * The guest knows of neither ring nor events; so the hypervisor is the ring's front end, on the
 * guest's way in: what comes over the port wakes vCPU 0, which has the UART look at the ring.
 */
#include <core/domain/domain_pages.h>
#include <core/domain/guest_memory.h>
#include <core/state/guest_ops.h>
#include <hvm/devices.h>
#include <hvm/hvm.h>
#include <port/atomic.h>
#include <xen/errno.h>

int hvm_console_attach(struct domain *d, gfn_t ring, evtchn_port_t port)
{
    struct page_info *pg = get_writable_from_gfn(ring, d);

    if (!pg)
        return -XEN_EINVAL;
    d->arch.hvm.console = pg;
    hvm_uart_attach(d, map_guest_frame(d, page_to_mfn(pg)), port);
    return 0;
}

/* When the devices do not look at it any more. */
void hvm_console_detach(struct domain *d)
{
    struct page_info *pg = d->arch.hvm.console;

    d->arch.hvm.console = NULL;
    if (pg)
        put_page(pg);
}

bool hvm_console_pending(const struct vcpu *v)
{
    return !v->domain->arch.hvm.xen && READ_ONCE(v->vcpu_info->evtchn_upcall_pending);
}

/* All events are the console's: the guest has no other port. */
void hvm_console_look(struct vcpu *v)
{
    struct shared_info *s = v->domain->shared_info;
    struct vcpu_info *info = v->vcpu_info;

    if (likely(!hvm_console_pending(v)))
        return;
    WRITE_ONCE(info->evtchn_upcall_pending, 0);
    (void)xchg(&info->evtchn_pending_sel, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(s->evtchn_pending); i++)
        if (READ_ONCE(s->evtchn_pending[i]))
            (void)xchg(&s->evtchn_pending[i], 0);
    hvm_uart_ring_moved(v->domain);
}
