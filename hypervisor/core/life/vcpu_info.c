/* SPDX-License-Identifier: MIT */
/*
 * Where a vCPU's struct vcpu_info is.
 *
 * It begins in shared_info. A guest may move it, once, to a page of its own: the page is held by a
 * general and a writable reference until the domain ends, so that the hypervisor may write to it at
 * any time without looking. What the old place held is copied, and the vCPU is told that every
 * selector may have something pending: an event that came to the old place in between is not lost.
 *
 * Locks: d->evtchn.lock guards the place. Who sends may hold another domain's lock alone; how no
 * event is lost then is said in core/event/evtchn.c. d->lock, because a vCPU whose place another
 * one moves must be down, have left its CPU, and stay so meanwhile: who brings it down takes it out
 * of the run queue before he lets go of the lock, and who brings it up has the lock too, or (the
 * control domain, which gives it a context) has paused the whole domain, and the mover with it.
 */
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/guest_memory.h>
#include <core/life/vcpu_info.h>
#include <core/sched/vcpu_time.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <parvis/string.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>

void vcpu_info_init(struct vcpu *v)
{
    struct shared_info *s = v->domain->shared_info;

    v->vcpu_info =
        s && v->vcpu_id < XEN_LEGACY_MAX_VCPUS ? &s->vcpu_info[v->vcpu_id] : &v->own_info;
    v->vcpu_info->evtchn_upcall_mask = 1;
    v->vcpu_info_mfn = INVALID_MFN;
}

/* Race: senders, and other vCPUs of the guest, write there. */
static void copy_words(struct vcpu_info *to, const struct vcpu_info *from)
{
    _Static_assert(sizeof(*to) % sizeof(uint64_t) == 0, "it is words");
    for (unsigned int i = 0; i < sizeof(*to) / sizeof(uint64_t); i++)
        WRITE_ONCE(((uint64_t *)(void *)to)[i],
                   READ_ONCE(((const uint64_t *)(const void *)from)[i]));
}

/* Both locks are held. */
static int move_to(struct vcpu *v, struct page_info *pg, uint32_t offset)
{
    struct vcpu_info *from = v->vcpu_info, *to;

    if (!mfn_eq(v->vcpu_info_mfn, INVALID_MFN))
        return refused(-XEN_EINVAL, "vcpu %u has registered its vcpu_info already", v->vcpu_id);
    if (v != current && !(READ_ONCE(v->pause_flags) & VPF_down))
        return refused(-XEN_EINVAL, "vcpu %u is up", v->vcpu_id);
    if (v != current && __atomic_load_n(&v->sched.on_cpu, __ATOMIC_ACQUIRE))
        return -XEN_ERESTART; /* Race: it went down, but its CPU still writes its time */
    to = (struct vcpu_info *)((char *)map_guest_frame(v->domain, page_to_mfn(pg)) + offset);
    if (from == &v->own_info) {
        memset(to, 0, sizeof(*to)); /* ABI: a vCPU that had none begins with an empty one, masked */
        to->evtchn_upcall_mask = 1;
    } else {
        copy_words(to, from);
    }
    v->vcpu_info_mfn = page_to_mfn(pg);
    __atomic_store_n(&v->vcpu_info, to, __ATOMIC_SEQ_CST); /* model: move_to.place */
    WRITE_ONCE(to->evtchn_pending_sel, ~0ul);              /* model: move_to.sel */
    WRITE_ONCE(to->evtchn_upcall_pending, 1);              /* model: move_to.upcall */
    if (v->domain->ops->upcall)
        v->domain->ops->upcall(v);
    vcpu_time_write(v);
    return 0;
}

long vcpu_info_register(struct vcpu *v, const struct vcpu_register_vcpu_info *info)
{
    uint32_t offset = info->offset;
    struct domain *d = v->domain;
    struct page_info *pg;
    int rc;

    /* XSA-327: within the page, and aligned as the structure's words are, or atomic operations
     * would cross pages. */
    if (offset > PAGE_SIZE - sizeof(struct vcpu_info) || offset % _Alignof(struct vcpu_info))
        return refused(-XEN_ENXIO, "vcpu_info at offset %#x", offset);
    pg = get_writable_from_gfn(GFN(info->mfn), d);
    if (!pg)
        return refused(-XEN_EINVAL, "frame %#lx cannot be written by the domain", info->mfn);

    spin_lock(&d->lock); /* model: vcpu_info_register.lock */
    spin_lock(&d->evtchn.lock);
    rc = move_to(v, pg, offset); /* model: vcpu_info_register.move */
    spin_unlock(&d->evtchn.lock);
    spin_unlock(&d->lock);
    if (rc)
        d->ops->put_writable(pg);
    return rc;
}

void vcpu_info_unmap(struct vcpu *v)
{
    mfn_t mfn = v->vcpu_info_mfn;

    if (mfn_eq(mfn, INVALID_MFN))
        return;
    unmap_guest_frame(v->domain, v->vcpu_info);
    v->vcpu_info = &v->own_info;
    v->vcpu_info_mfn = INVALID_MFN;
    v->domain->ops->put_writable(mfn_to_page(mfn));
}
