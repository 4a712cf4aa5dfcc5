/* SPDX-License-Identifier: MIT */
/*
 * The domain that a `foreigndom` argument names: the owner of the frames that an operation maps or
 * types.
 *
 * Every domain may name itself (DOMID_SELF) and DOMID_IO (what may be mapped of it is decided frame
 * by frame); other domains, and the hypervisor's shared frames (DOMID_XEN), are the control
 * domain's alone. The reference taken keeps the domain for the call.
 *
 * Of a domain that has a map of its own frame numbers, an operation names frames by these. The map
 * is asked here and nowhere else. Race: the frame that is found may leave its place, or the domain,
 * before it is mapped. Who maps takes a reference of it as that domain's, or fails; so it is then
 * as if it had been mapped a moment before.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/state/guest_ops.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>

int get_pg_owner(domid_t id, struct domain **out)
{
    struct domain *d = current->domain;

    if (likely(id == DOMID_SELF)) {
        *out = d;
        return 0;
    }
    if (id == DOMID_IO) {
        *out = dom_io;
        return 0;
    }
    /* ABI: to name oneself by number as the foreign domain is an error. */
    if (id == d->domain_id)
        return refused(-XEN_ESRCH, "foreign domain d%u is the caller", id);
    if (id == DOMID_XEN) {
        *out = dom_xen;
        return d->is_control ? 0 : -XEN_EPERM;
    }
    return get_domain_permitted(id, out);
}

void put_pg_owner(struct domain *d)
{
    if (unlikely(d != current->domain && d != dom_io && d != dom_xen))
        put_domain(d);
}

mfn_t pv_frame_of(const struct domain *owner, uint64_t number)
{
    return is_translated(owner) ? owner->ops->gfn_to_mfn(owner, GFN(number)) : MFN(number);
}

int pv_translate_entry(uint64_t *e, const struct domain *owner)
{
    mfn_t mfn;

    if (!(*e & PTE_PRESENT))
        return 0;
    mfn = pv_frame_of(owner, pte_mfn(*e).n);
    if (mfn_eq(mfn, INVALID_MFN))
        return refused(-XEN_EINVAL, "d%u has no frame at %#lx", owner->domain_id, pte_mfn(*e).n);
    *e = (*e & ~PTE_FRAME_MASK) | mfn.n << PAGE_SHIFT;
    return 0;
}
