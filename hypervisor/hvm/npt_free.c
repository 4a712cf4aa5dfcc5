/* SPDX-License-Identifier: MIT */
/*
 * The end of a domain's nested page tables: all references of frames, then the tables, from below.
 *
 * How far it came is what is left: each step looks from the top for the first entry that there is.
 * A step is 64 small entries, a large one, or a table that is empty by then; its entry in the table
 * above goes first. The domain is dying, so nothing is mapped any more, and runs nowhere, so
 * nothing has to be flushed; others may still look frames up, or take one out (hvm/npt.c). The top
 * stays until nobody knows the domain.
 *
 * Lock: npt_lock, for a step.
 */
#include <core/base/hypercall.h>
#include <core/domain/domain_pages.h>
#include <core/state/domain.h>
#include <hvm/npt.h>
#include <hvm/npt_tables.h>
#include <port/atomic.h>
#include <xen/errno.h>

#define ENTRIES_A_STEP 64u

/* The first entry from this index on that there is; NPT_ENTRIES: none. */
static unsigned int find_entry(const uint64_t *table, unsigned int from)
{
    while (from < NPT_ENTRIES && !table[from])
        from++;
    return from;
}

static void undo_entry(uint64_t *entry)
{
    uint64_t e = *entry, n = e & PTE_PSE ? NPT_LARGE : 1;

    npt_set(entry, 0);
    for (uint64_t i = 0; i < n; i++)
        put_page(mfn_to_page(MFN(npt_mfn(e).n + i)));
}

static void undo_some(uint64_t *table, unsigned int first)
{
    for (unsigned int n = 0; first < NPT_ENTRIES && n < ENTRIES_A_STEP; n++) {
        undo_entry(&table[first]);
        first = find_entry(table, first);
    }
}

/* False: there is nothing left to do. */
static bool step(struct domain *d)
{
    uint64_t *table = d->arch.hvm.npt, *above = NULL;
    unsigned int level = NPT_TOP, i;

    while ((i = find_entry(table, 0)) < NPT_ENTRIES && !npt_is_frame(table[i], level)) {
        above = &table[i];
        table = npt_table(*above);
        level--;
    }
    if (i < NPT_ENTRIES && level == 1) {
        undo_some(table, i);
    } else if (i < NPT_ENTRIES) {
        undo_entry(&table[i]);
    } else if (above) {
        npt_set(above, 0);
        smp_mb(); /* Race: nobody finds it any more; then the heap stamps it (core/base/tlb.h) */
        free_hv_pages(table, 0);
    }
    return i < NPT_ENTRIES || above;
}

int npt_relinquish(struct domain *d)
{
    for (;;) {
        bool more;

        spin_lock(&d->arch.hvm.npt_lock);
        more = step(d);
        spin_unlock(&d->arch.hvm.npt_lock);
        if (!more)
            return 0;
        if (hypercall_preempt_check())
            return -XEN_ERESTART;
    }
}

void npt_free(struct domain *d)
{
    free_hv_pages(d->arch.hvm.npt, 0);
    d->arch.hvm.npt = NULL;
}
