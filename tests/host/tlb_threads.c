/* SPDX-License-Identifier: MIT */
/*
 * The TLB of a CPU that is a thread (cpus.c): small, touched by its thread alone, and, like a real
 * one, full of what was once true until the CPU flushes.
 *
 * It keeps translations of pages and, for a step less on the next walk, which table of level 1 an
 * address leads to. A walk reads entries as they are at that moment, and sets accessed and dirty
 * only in an entry that still is what was read.
 *
 * host_touch() is a guest's load or store. It is the oracle too: the frame that is reached is no
 * checked table when it is written, and of the owner that it had when it was learned; and a
 * remembered table is still one, or nobody's. That a flush comes between the look and the store
 * cannot be: this CPU would have to take part in it.
 */
#include "tlb_threads.h"

#include <string.h>

#include <core/base/tlb.h>
#include <core/state/guest_ops.h>
#include <pv/mm.h>
#include <pv/pv_mm.h>

#define PAGES  32u
#define TABLES 8u

struct known {
    uint64_t key; /* address >> 12 or >> 21 */
    uint32_t mfn;
    domid_t owner;
    bool valid, rw, global;
};

static struct thread_tlb {
    uint64_t cr3;
    struct known page[PAGES], table[TABLES];
} __aligned(128) tlbs[HOST_MOST_CPUS];

static struct thread_tlb *mine(void)
{
    return &tlbs[this_cpu()->id];
}

/* As x86/context.c does. */
void host_thread_switch(struct vcpu *prev, struct vcpu *next)
{
    struct domain *pd = is_idle(prev) ? NULL : prev->domain;
    struct domain *nd = is_idle(next) ? NULL : next->domain;

    if (pd)
        pd->ops->save(prev);
    tlb_switch_begin(pd, nd);
    if (nd)
        nd->ops->load(next);
    else
        load_cr3(0);
    tlb_switch_end(pd, nd);
}

void host_thread_load_cr3(uint64_t cr3, bool keep_global)
{
    struct thread_tlb *t = mine();

    t->cr3 = cr3;
    for (unsigned int i = 0; i < PAGES; i++)
        t->page[i].valid &= keep_global && t->page[i].global;
    memset(t->table, 0, sizeof(t->table));
}

void host_thread_flush(void)
{
    host_thread_load_cr3(mine()->cr3, false);
}

void host_thread_flush_one(gva_t va)
{
    struct thread_tlb *t = mine();

    t->page[(va >> PAGE_SHIFT) % PAGES].valid = false;
    memset(t->table, 0, sizeof(t->table));
}

static domid_t owner_of(uint64_t mfn)
{
    return READ_ONCE(frame_table[mfn].owner);
}

static void look(const struct known *k, bool written, bool is_table, const char *what)
{
    const struct page_info *pg = &frame_table[k->mfn];
    uint64_t x = READ_ONCE(pg->type_info), type = x & PGT_type_mask;
    domid_t owner = READ_ONCE(pg->owner);
    bool used = (x & PGT_count_mask) && (x & PGT_validated);

    if (owner != k->owner && owner != DOMID_INVALID)
        panic("%s: CPU %u reaches frame %#x of d%u, which is d%u's now", what, this_cpu()->id,
              k->mfn, k->owner, owner);
    if (written && used && type != PGT_writable_page)
        panic("%s: CPU %u writes frame %#x, whose type is %#lx", what, this_cpu()->id, k->mfn,
              (unsigned long)x);
    if (is_table && used && type != PGT_l1_page_table)
        panic("%s: CPU %u walks frame %#x, whose type is %#lx", what, this_cpu()->id, k->mfn,
              (unsigned long)x);
}

/* The entry of a table for va; 0: it leads nowhere. A frame that is free may still be reached,
 * until it gets its next use: nor may the address sanitizer mind. */
__attribute__((no_sanitize("address"))) static uint64_t entry(uint64_t table, gva_t va,
                                                              unsigned int shift, uint64_t set)
{
    uint64_t *p = (uint64_t *)map_frame(MFN(table)) + (va >> shift & 511);

    for (;;) {
        uint64_t e = __atomic_load_n(p, __ATOMIC_ACQUIRE); /* on x86 each load is so */

        if ((e & (PTE_PRESENT | PTE_USER)) != (PTE_PRESENT | PTE_USER) || !mfn_valid(pte_mfn(e)))
            return 0;
        if (set & PTE_DIRTY && !(e & PTE_RW))
            set &= ~(uint64_t)PTE_DIRTY;
        if ((e & set) == set || cmpxchg(p, e, e | set) == e)
            return e;
    }
}

static const struct known *find_table(struct thread_tlb *t, gva_t va)
{
    struct known *k = &t->table[(va >> 21) % TABLES];
    uint64_t table = t->cr3 >> PAGE_SHIFT;
    bool rw = true;

    if (k->valid && k->key == va >> 21)
        return k;
    for (unsigned int shift = 39; shift > 12; shift -= 9) {
        uint64_t e = entry(table, va, shift, PTE_ACCESSED);

        if (!e)
            return NULL;
        rw &= !!(e & PTE_RW);
        table = pte_mfn(e).n;
    }
    *k = (struct known){va >> 21, (uint32_t)table, owner_of(table), true, rw, false};
    return k;
}

static const struct known *find_page(struct thread_tlb *t, gva_t va, bool write)
{
    struct known *k = &t->page[(va >> PAGE_SHIFT) % PAGES];
    const struct known *table;
    uint64_t e;

    if (k->valid && k->key == va >> PAGE_SHIFT && (!write || k->rw))
        return k;
    table = find_table(t, va);
    if (!table)
        return NULL;
    e = entry(table->mfn, va, PAGE_SHIFT, PTE_ACCESSED | (write ? PTE_DIRTY : 0));
    look(table, false, true, "a remembered table");
    if (!e)
        return NULL;
    *k = (struct known){va >> PAGE_SHIFT,        (uint32_t)pte_mfn(e).n,
                        owner_of(pte_mfn(e).n),  true,
                        table->rw && e & PTE_RW, e & PTE_GLOBAL};
    return k;
}

__attribute__((no_sanitize("address"))) bool host_touch(gva_t va, uint64_t *load,
                                                        const uint64_t *store)
{
    struct thread_tlb *t = mine();
    const struct known *k = t->cr3 ? find_page(t, va, store) : NULL;
    uint64_t *at;

    if (!k || (store && !k->rw))
        return false;
    at = (uint64_t *)((char *)map_frame(MFN(k->mfn)) + (va & ~PAGE_MASK));
    look(k, store, false, "before");
    if (store)
        WRITE_ONCE(*at, *store);
    else
        *load = READ_ONCE(*at);
    look(k, store, false, "after");
    return true;
}
