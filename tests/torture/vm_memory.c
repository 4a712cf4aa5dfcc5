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
    ok = pg && !npt_unmap(d, GFN(gfn));
    if (ok)
        clear_allocated(pg);
    if (pg)
        put_page(pg);
    return ok;
}

bool vm_populate(struct guest *g, uint64_t gfn, unsigned int order)
{
    struct domain *d = g->v->domain;
    struct page_info *pg;

    vm_cpuid(g);
    pg = host_frames(d, order);
    if (!pg)
        return false;
    if (!npt_map(d, GFN(gfn), page_to_mfn(pg), order))
        return true;
    for (unsigned int i = 0; i < 1u << order; i++)
        drop(&pg[i], d);
    return false;
}
