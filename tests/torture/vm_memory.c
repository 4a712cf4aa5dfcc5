/* SPDX-License-Identifier: MIT */
/*
 * Memory of fully virtualized domains that comes and goes while they run, as by a balloon.
 */
#include "vm.h"

#include <core/domain/domain_pages.h>
#include <hvm/npt.h>

/* Race: when the domain ends the frame may be another's already. */
static void drop(struct page_info *pg, struct domain *d)
{
    if (!get_page(pg, d))
        return;
    clear_allocated(pg);
    put_page(pg);
}

bool vm_give_back(struct guest *g, uint64_t gfn)
{
    struct domain *d = g->v->domain;
    struct page_info *pg = get_page_from_gfn(GFN(gfn), d);
    bool ok;

    vm_cpuid(g);
    ok = pg && !npt_unmap(d, GFN(gfn), page_to_mfn(pg));
    if (ok)
        clear_allocated(pg);
    if (pg)
        put_page(pg);
    return ok;
}

static bool put_in(struct domain *d, uint64_t gfn, unsigned int order)
{
    struct page_info *pg = host_frames(d, order);

    if (!pg)
        return false;
    if (!npt_map(d, GFN(gfn), page_to_mfn(pg), order))
        return true;
    for (unsigned int i = 0; i < 1u << order; i++)
        drop(&pg[i], d);
    return false;
}

bool vm_populate(struct guest *g, uint64_t gfn, unsigned int order)
{
    vm_cpuid(g);
    return put_in(g->v->domain, gfn, order);
}

/* Somebody may give it memory already; but not there where its code is. */
void *vm_first_frames(struct domain *d, uint64_t pages)
{
    for (uint64_t gfn = 0; gfn < pages; gfn++)
        if (!put_in(d, gfn, 0) && gfn == 0)
            torture_failed("no frame for d%u", d->domain_id);
    return map_frame(npt_lookup(d, GFN(0)));
}
