/* SPDX-License-Identifier: MIT */
/*
 * The guest of hvm_walk_random.h. Its tables are in the first eight pages, each with entries at the
 * four places to which addresses lead, so that most walks get far.
 */
#include "hvm_walk_random.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#define TABLES 8u
#define SLOTS  4u

/* Low, above 4 GiB, and the end of what there may be. */
const uint64_t walk_gfns[ORACLE_PAGES] = {
    0, 1,     2,     3,       4,        5,        6,         7,         8,
    9, 0x1ff, 0x200, 0xfffff, 0x100000, 0x100001, 0x4000000, 0xffffffe, 0xfffffff};

static struct oracle_memory oracle;

struct stream {
    const uint8_t *data;
    size_t n;
};

static unsigned int take(struct stream *s)
{
    if (!s->n)
        return 0;
    s->n--;
    return *s->data++;
}

struct domain *walk_guest_init(void)
{
    struct domain *d;

    hvm_guest_init(1024);
    host_domain(0, true, 1, 0);
    d = host_domain(1, false, 1, 0);
    d->max_pages = 64;
    for (unsigned int i = 0; i < ORACLE_PAGES; i++)
        if (npt_map(d, GFN(walk_gfns[i]), page_to_mfn(host_frames(d, 0)), 0))
            abort();
    return d;
}

uint8_t *walk_page(const struct domain *d, uint64_t gfn)
{
    return map_frame(npt_lookup(d, GFN(gfn)));
}

/* ---- what the guest is like ---- */

static uint64_t any_entry(struct stream *s)
{
    unsigned int what = take(s), flags = take(s);
    uint64_t e = walk_gfns[what % ORACLE_PAGES] << 12 | (flags & 0x7e) | 1;

    if (!(flags & 0x80))
        e |= 6; /* most allow everything */
    switch (what >> 4) {
    case 0:
        return e & ~1ull;
    case 1:
        return e | 0x80;
    case 2:
        return (e & ~0x3fffff000ull) | 0x80; /* aligned, and large */
    case 3:
        return (e & ~0x3ff000ull) | 0x80 | (uint64_t)take(s) << 13;
    case 4:
        return e | 1ull << (36 + take(s) % 28);
    case 5:
        return e | 1ull << 63;
    case 6:
        return e | (uint64_t)take(s) << 8;
    case 7:
        return (uint64_t)take(s) << 56 | (uint64_t)take(s) << 32 | (uint64_t)take(s) << 8 | flags;
    }
    return e;
}

static unsigned int slot_index(unsigned int slot, unsigned int of)
{
    return slot == SLOTS - 1 ? of - 1 : slot;
}

static void make_tables(const struct domain *d, struct stream *s, bool narrow)
{
    for (unsigned int i = 0; i < ORACLE_PAGES; i++)
        memset(walk_page(d, walk_gfns[i]), 0, PAGE_SIZE);
    for (unsigned int i = 0; i < TABLES * SLOTS; i++) {
        uint64_t e = any_entry(s);
        uint8_t *table = walk_page(d, i / SLOTS);

        /* mostly to tables */
        if (take(s) % 4)
            e = (e & ~0xffff000ull) | (uint64_t)take(s) % TABLES << 12;
        memcpy(table + slot_index(i % SLOTS, narrow ? 1024 : 512) * (narrow ? 4u : 8u), &e,
               narrow ? 4 : 8);
    }
    for (unsigned int i = 0; i < ORACLE_PAGES; i++) {
        oracle.gfn[i] = walk_gfns[i];
        memcpy(oracle.page[i], walk_page(d, walk_gfns[i]), PAGE_SIZE);
    }
}

static struct guest_paging any_registers(struct stream *s)
{
    unsigned int kind = take(s), flags = take(s), top = take(s), low = take(s);
    struct guest_paging g = {.cr0 = X86_CR0_PE};

    if (kind % 16)
        g.cr0 |= X86_CR0_PG;
    if (kind % 3 && kind % 16)
        g.cr4 |= X86_CR4_PAE;
    if (kind % 3 == 2 && kind % 16)
        g.efer |= EFER_LMA | EFER_LME;
    g.cr0 |= flags & 1 ? X86_CR0_WP : 0;
    g.cr4 |= (flags & 2 ? X86_CR4_SMEP : 0) | (flags & 4 ? X86_CR4_SMAP : 0) |
             (flags & 8 ? X86_CR4_PSE : 0);
    g.efer |= flags & 16 ? EFER_NXE : 0;
    g.cr3 = walk_gfns[top % 16 ? top % TABLES : top % ORACLE_PAGES] << 12 | (low & 0x1f);
    if (low & 0x80)
        g.cr3 |= 0xfe0; /* the last four pointers of PAE */
    if (low & 0x40)
        g.cr3 |= (uint64_t)take(s) << 32;
    return g;
}

static uint64_t any_address(struct stream *s, const struct guest_paging *g)
{
    unsigned int slots = take(s), low = take(s);
    uint64_t va = (uint64_t)take(s) << 4 | low % 16;

    if (g->efer & EFER_LMA) {
        for (unsigned int i = 0; i < 4; i++)
            va |= (uint64_t)slot_index(slots >> 2 * i & 3, 512) << (12 + 9 * i);
        va = (uint64_t)((int64_t)(va << 16) >> 16);
        if (low >> 4 == 0)
            va ^= 1ull << (47 + take(s) % 17);
        return va;
    }
    if (g->cr4 & X86_CR4_PAE) {
        for (unsigned int i = 0; i < 2; i++)
            va |= (uint64_t)slot_index(slots >> 2 * i & 3, 512) << (12 + 9 * i);
        va |= (uint64_t)(slots >> 4 & 3) << 30;
    } else {
        for (unsigned int i = 0; i < 2; i++)
            va |= (uint64_t)slot_index(slots >> 2 * i & 3, 1024) << (12 + 10 * i);
    }
    return low >> 4 ? va : va | 1ull << 33;
}

/* ---- and what becomes of it ---- */

static void differs(const struct guest_paging *g, uint64_t va, const char *what)
{
    fprintf(stderr, "cr0 %#lx cr3 %#lx cr4 %#lx efer %#lx cpl %u ac %u, at %#lx: %s\n",
            (unsigned long)g->cr0, (unsigned long)g->cr3, (unsigned long)g->cr4,
            (unsigned long)g->efer, g->cpl, g->ac, (unsigned long)va, what);
    abort();
}

static bool check_walk(const struct domain *d, const struct guest_paging *g, uint64_t va,
                       uint32_t access)
{
    struct guest_walk_fault f = {0}, expected_f = {0};
    uint64_t gpa = 0, expected = 0;
    bool ok = guest_walk(d, g, va, access, &gpa, &f);

    if (ok != oracle_walk(&oracle, g, va, access & PFEC_WRITE, access & PFEC_INSN, &expected,
                          &expected_f))
        differs(g, va, ok ? "was let through" : "was refused");
    if (ok && gpa != expected)
        differs(g, va, "is another address");
    if (!ok && (f.va != expected_f.va || f.code != expected_f.code))
        differs(g, va, "is another fault");
    for (unsigned int i = 0; i < ORACLE_PAGES; i++)
        if (memcmp(oracle.page[i], walk_page(d, walk_gfns[i]), PAGE_SIZE))
            differs(g, va, "changed other bits");
    return ok && g->cr0 & X86_CR0_PG;
}

unsigned int walk_random_run(struct domain *d, const uint8_t *data, size_t n)
{
    struct stream s = {data, n};
    struct guest_paging g = any_registers(&s);
    unsigned int reached = 0;

    make_tables(d, &s, !(g.cr4 & X86_CR4_PAE));
    for (unsigned int i = 0; s.n && i < 32; i++) {
        static const uint32_t accesses[4] = {0, PFEC_WRITE, PFEC_INSN, 0};
        unsigned int how = take(&s);

        g.cpl = how & 4 ? 3 : how & 8 ? 1 : 0;
        g.ac = how & 16;
        reached += check_walk(d, &g, any_address(&s, &g), accesses[how % 4]);
    }
    hvm_recount(d, NULL);
    return reached;
}
