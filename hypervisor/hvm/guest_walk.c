/* SPDX-License-Identifier: MIT */
/*
 * A walk through a guest's own page tables, as the CPU makes it (AMD APM volume 2, chapter 5; Intel
 * SDM volume 3, chapter 4): from a virtual address to a physical one of the guest's.
 *
 * Four kinds: no paging, 32-bit, PAE, 64-bit of four levels. Tables lie anywhere in the guest's
 * memory, and it may change them meanwhile. So each entry is read once, and nothing in it is
 * trusted but to say where the next one is. What is no memory reads as ones, as on a bus without an
 * answer. The page directory pointers of PAE are read from memory with the others: so does a CPU
 * with nested paging. (QEMU marks them as accessed, by a bit that must be 0: it may be set.)
 *
 * Rights are those of all entries on the way together. An entry is marked accessed before the next
 * one is read; the last one, and it as dirty, when the rights suffice. A mark is an exchange that
 * fails if the entry is not what was read; then all is done anew, a few times. A guest that changes
 * entries without end gets the fault of a page that is not there: at some moment it was so for all
 * that it can tell, and kernels try again.
 *
 * Left out: five levels, protection keys, shadow stacks, which guests are not offered.
 */
#include <core/domain/domain_pages.h>
#include <core/domain/guest_memory.h>
#include <core/state/domain.h>
#include <hvm/guest_walk.h>
#include <hvm/npt.h>
#include <port/atomic.h>

#define MOST_TRIES     4u
#define BITS(from, to) ((2ull << (to)) - (1ull << (from))) /* both among them */

enum { NO_PAGING, PAGING_32, PAGING_PAE, PAGING_64 };

struct walk {
    const struct domain *d;
    const struct guest_paging *g;
    int kind;
    uint32_t access; /* PFEC_WRITE, PFEC_INSN, PFEC_USER */
    gva_t va;
    uint64_t gpa;
    uint64_t rights; /* RW, USER: all entries have it; NX: one has it */
    uint32_t code;   /* of the fault */
};

enum outcome { FOUND, FAULT, AGAIN };

static int paging_kind(const struct guest_paging *g)
{
    if (!(g->cr0 & X86_CR0_PG))
        return NO_PAGING;
    if (g->efer & EFER_LMA)
        return PAGING_64;
    return g->cr4 & X86_CR4_PAE ? PAGING_PAE : PAGING_32;
}

static unsigned int level_shift(const struct walk *w, unsigned int level)
{
    return PAGE_SHIFT + (w->kind == PAGING_32 ? 10 : 9) * (level - 1);
}

/* Entries do not straddle frames: tables are aligned to what they hold. */
static uint64_t read_entry(const struct walk *w, uint64_t at)
{
    struct page_info *pg = get_page_from_mfn(npt_lookup(w->d, GFN(at >> PAGE_SHIFT)), w->d);
    uint64_t e = w->kind == PAGING_32 ? UINT32_MAX : UINT64_MAX;
    const char *table;

    if (!pg)
        return e;
    table = read_frame(page_to_mfn(pg));
    if (w->kind == PAGING_32)
        e = READ_ONCE(*(const uint32_t *)(table + (at & ~PAGE_MASK)));
    else
        e = READ_ONCE(*(const uint64_t *)(table + (at & ~PAGE_MASK)));
    put_page(pg);
    return e;
}

/* Sets bits in what was read as e. false: it is another by now. */
static bool mark_entry(const struct walk *w, uint64_t at, uint64_t e, uint64_t bits)
{
    struct page_info *pg;
    char *table, *place;
    bool ok;

    if ((e & bits) == bits)
        return true;
    pg = get_page_from_mfn(npt_lookup(w->d, GFN(at >> PAGE_SHIFT)), w->d);
    if (!pg)
        return false;
    table = map_guest_frame(w->d, page_to_mfn(pg));
    place = table + (at & ~PAGE_MASK);
    if (w->kind == PAGING_32)
        ok = cmpxchg((uint32_t *)place, (uint32_t)e, (uint32_t)(e | bits)) == e;
    else
        ok = cmpxchg((uint64_t *)place, e, e | bits) == e;
    unmap_guest_frame(w->d, table);
    put_page(pg);
    return ok;
}

/* Does the entry refer to a page? (In pointers of PAE that bit is reserved.) */
static bool is_page(const struct walk *w, uint64_t e, unsigned int level)
{
    if (level == 1)
        return true;
    return e & PTE_PSE && (w->kind == PAGING_32 ? w->g->cr4 & X86_CR4_PSE : level <= 3);
}

/* Bits that must be 0. */
static uint64_t reserved_bits(const struct walk *w, unsigned int level, bool page)
{
    bool large = page && level > 1;
    uint64_t bits;

    if (w->kind == PAGING_32)
        return large ? BITS(21, 21) : 0;
    bits = BITS(NPT_ADDRESS_BITS, w->kind == PAGING_PAE ? 62 : 51);
    if (w->kind == PAGING_PAE && level == 3)
        return bits | PTE_NX | BITS(6, 8) | BITS(1, 2);
    if (!(w->g->efer & EFER_NXE))
        bits |= PTE_NX;
    if (level == 4)
        bits |= PTE_PSE;
    return large ? bits | BITS(13, level_shift(w, level) - 1) : bits;
}

/* Where the page, or the table, is that an entry refers to. */
static uint64_t target(const struct walk *w, uint64_t e, unsigned int level, bool page)
{
    if (w->kind == PAGING_32 && page && level == 2) /* bits 32 to 39 stand in its middle */
        return (e & BITS(22, 31)) | (e & BITS(13, 20)) << 19;
    return e & PTE_FRAME_MASK & ~(page ? (1ull << level_shift(w, level)) - 1 : 0);
}

/* The page directory pointers of PAE give and refuse nothing, and have no accessed bit. */
static bool has_rights(const struct walk *w, unsigned int level)
{
    return w->kind != PAGING_PAE || level != 3;
}

/* The table at the top, and at which level it stands. */
static uint64_t top_table(const struct walk *w, unsigned int *level)
{
    *level = w->kind == PAGING_32 ? 2 : w->kind == PAGING_PAE ? 3 : 4;
    return w->g->cr3 & (w->kind == PAGING_64    ? PTE_FRAME_MASK
                        : w->kind == PAGING_PAE ? BITS(5, 31)
                                                : BITS(12, 31));
}

static bool is_permitted(const struct walk *w)
{
    const struct guest_paging *g = w->g;
    uint64_t rights = w->rights;

    if (w->access & PFEC_INSN && rights & PTE_NX)
        return false;
    if (w->access & PFEC_USER)
        return rights & PTE_USER && (!(w->access & PFEC_WRITE) || rights & PTE_RW);
    if (w->access & PFEC_WRITE && g->cr0 & X86_CR0_WP && !(rights & PTE_RW))
        return false;
    if (!(rights & PTE_USER))
        return true;
    return w->access & PFEC_INSN ? !(g->cr4 & X86_CR4_SMEP) : !(g->cr4 & X86_CR4_SMAP) || g->ac;
}

static enum outcome fault(struct walk *w, uint32_t code)
{
    w->code = w->access | code;
    return FAULT;
}

/* The last entry is this. */
static enum outcome found(struct walk *w, uint64_t at, uint64_t e)
{
    uint64_t marks = PTE_ACCESSED | (w->access & PFEC_WRITE ? PTE_DIRTY : 0);

    if (!is_permitted(w))
        return fault(w, PFEC_PRESENT);
    return mark_entry(w, at, e, marks) ? FOUND : AGAIN;
}

static enum outcome walk_once(struct walk *w)
{
    unsigned int level;
    uint64_t table = top_table(w, &level);

    w->rights = PTE_RW | PTE_USER;
    for (;; level--) {
        unsigned int shift = level_shift(w, level);
        uint64_t index = w->va >> shift & (w->kind == PAGING_32 ? 1023 : 511);
        uint64_t at = table + index * (w->kind == PAGING_32 ? 4 : 8), e = read_entry(w, at);
        bool page = is_page(w, e, level);

        if (!(e & PTE_PRESENT))
            return fault(w, 0);
        if (e & reserved_bits(w, level, page))
            return fault(w, PFEC_PRESENT | PFEC_RESERVED);
        if (has_rights(w, level))
            w->rights = (w->rights & (e | PTE_NX)) | (e & PTE_NX);
        table = target(w, e, level, page);
        if (page) {
            w->gpa = table | (w->va & ((1ull << shift) - 1));
            return found(w, at, e);
        }
        if (has_rights(w, level) && !mark_entry(w, at, e, PTE_ACCESSED))
            return AGAIN;
    }
}

static enum outcome walk(struct walk *w)
{
    for (unsigned int i = 0; i < MOST_TRIES; i++) {
        enum outcome o = walk_once(w);

        if (o != AGAIN)
            return o;
    }
    return fault(w, 0);
}

static bool is_canonical(gva_t va)
{
    return (uint64_t)((int64_t)(va << 16) >> 16) == va;
}

/* Do error codes tell of fetches? */
static bool tells_fetches(const struct walk *w)
{
    return w->g->cr4 & X86_CR4_SMEP || (w->kind != PAGING_32 && w->g->efer & EFER_NXE);
}

bool guest_walk(const struct domain *d, const struct guest_paging *g, gva_t va, uint32_t access,
                uint64_t *gpa, struct guest_walk_fault *f)
{
    struct walk w = {.d = d, .g = g, .kind = paging_kind(g)};

    w.va = w.kind == PAGING_64 ? va : (uint32_t)va;
    w.access = (access & (PFEC_WRITE | PFEC_INSN)) | (g->cpl == 3 ? PFEC_USER : 0);
    *f = (struct guest_walk_fault){.va = w.va, .code = GUEST_NOT_CANONICAL};
    if (w.kind == NO_PAGING) {
        *gpa = w.va;
        return true;
    }
    if (!is_canonical(w.va))
        return false;
    if (walk(&w) == FOUND) {
        *gpa = w.gpa;
        return true;
    }
    f->code = w.code & ~(tells_fetches(&w) ? 0 : PFEC_INSN);
    return false;
}
