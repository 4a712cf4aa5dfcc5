/* SPDX-License-Identifier: MIT */
/*
 * What a CPU knows of the memory of fully virtualized guests: nested translations, and which table
 * of level 1 an address leads to. It is touched by its thread alone.
 *
 * The hypervisor gives all its guests one ASID. So what a CPU knows of one it takes for true when
 * it runs another, of any domain; and it forgets when VMRUN says so, and never else. (The CPU that
 * system tests run on forgets at each VMRUN: there no mistake of this kind can show.)
 *
 * vm_touch() is the oracle too. As long as a translation is known the frame is the domain's, held
 * by a reference: before one is taken out and its reference dropped, all CPUs have forgotten it.
 */
#include "vm.h"

#include <string.h>

#include <hvm/npt_tables.h>
#include <port/sanitize.h>

#define PAGES  32u
#define TABLES 8u

struct known {
    uint64_t key; /* frame number, or that >> 9 */
    uint64_t mfn;
    bool valid;
};

static struct vm_tlb {
    struct known page[PAGES], table[TABLES];
} __aligned(128) tlbs[HOST_MOST_CPUS];

void vm_tlb_entered(bool flush)
{
    if (flush)
        memset(&tlbs[this_cpu()->id], 0, sizeof(tlbs[0]));
}

static void look(const struct domain *d, uint64_t mfn)
{
    const struct page_info *pg = &frame_table[mfn];

    if (READ_ONCE(pg->owner) != d->domain_id || !(READ_ONCE(pg->count_info) & PGC_count_mask))
        torture_failed("d%u reaches frame %#lx, which is d%u's, with count %#lx", d->domain_id,
                       (unsigned long)mfn, READ_ONCE(pg->owner),
                       (unsigned long)READ_ONCE(pg->count_info));
}

/* Of a table that the CPU may remember although it is no more one. */
static __no_sanitize uint64_t read_entry(uint64_t table, uint64_t gfn, unsigned int level)
{
    const uint64_t *entries = read_frame(MFN(table));

    return __atomic_load_n(&entries[npt_index(gfn, level)], __ATOMIC_ACQUIRE);
}

/* Walks from the top, or from a table that is known. */
static bool find(const struct domain *d, struct vm_tlb *t, uint64_t gfn, uint64_t *mfn)
{
    struct known *k = &t->table[(gfn >> 9) % TABLES];
    bool known = k->valid && k->key == gfn >> 9;
    uint64_t table = known ? k->mfn : frame_of(d->arch.hvm.npt).n;

    for (unsigned int level = known ? 1 : NPT_TOP;; level--) {
        uint64_t e = read_entry(table, gfn, level);

        if (!(e & PTE_PRESENT))
            return false;
        if (npt_is_frame(e, level)) {
            *mfn = npt_mfn(e).n + (level == 1 ? 0 : gfn % NPT_LARGE);
            return true;
        }
        table = npt_mfn(e).n;
        if (level == 2)
            *k = (struct known){gfn >> 9, table, true};
    }
}

__attribute__((no_sanitize("address"))) bool vm_touch(const struct domain *d, uint64_t gfn,
                                                      unsigned int offset, uint64_t *load,
                                                      const uint64_t *store)
{
    struct vm_tlb *t = &tlbs[this_cpu()->id];
    struct known *k = &t->page[gfn % PAGES];
    uint64_t *at;

    if (!k->valid || k->key != gfn) {
        k->valid = false;
        if (!find(d, t, gfn, &k->mfn))
            return false;
        k->valid = true;
        k->key = gfn;
    }
    look(d, k->mfn);
    at = (uint64_t *)map_frame(MFN(k->mfn)) + offset / 8;
    if (store)
        WRITE_ONCE(*at, *store);
    else
        *load = READ_ONCE(*at);
    look(d, k->mfn);
    return true;
}
