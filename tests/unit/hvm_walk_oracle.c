/* SPDX-License-Identifier: MIT */
/*
 * The oracle of hvm_walk_oracle.h. One function for each kind of tables, written out; numbers of
 * bits as the manuals give them. They find the last entry; what all allow together comes behind,
 * the same for all kinds.
 */
#include "hvm_walk_oracle.h"

#include <string.h>

struct path {
    struct oracle_memory *m;
    const struct guest_paging *g;
    uint64_t va, gpa;
    unsigned int n;
    uint64_t entry[4]; /* those that give rights */
    uint8_t *last;     /* where the last of them is */
    bool missing, reserved;
};

static uint8_t *byte_at(struct oracle_memory *m, uint64_t gpa)
{
    for (unsigned int i = 0; i < ORACLE_PAGES; i++)
        if (m->gfn[i] == gpa >> 12)
            return &m->page[i][gpa & 4095];
    return NULL;
}

static uint64_t load(struct path *p, uint64_t gpa, unsigned int bytes, bool has_rights)
{
    uint8_t *at = byte_at(p->m, gpa);
    uint64_t e = 0;

    if (at)
        memcpy(&e, at, bytes);
    else
        memset(&e, 0xff, bytes);
    if (has_rights) {
        p->last = at;
        p->entry[p->n++] = e;
    }
    p->missing = !(e & 1);
    return e;
}

static void mark(const struct path *p, unsigned int bits)
{
    if (p->last) /* else it was all ones */
        *p->last |= (uint8_t)bits;
}

static bool any_of(uint64_t e, unsigned int from, unsigned int to)
{
    for (unsigned int bit = from; bit <= to; bit++)
        if (e >> bit & 1)
            return true;
    return false;
}

static void walk_32(struct path *p)
{
    uint64_t e = load(p, (p->g->cr3 & 0xfffff000) + (p->va >> 22 << 2), 4, true);

    if (p->missing)
        return;
    if (e & 0x80 && p->g->cr4 & 0x10) {
        p->reserved = any_of(e, 21, 21);
        p->gpa = (e & 0xffc00000) + ((e >> 13 & 0xff) << 32) + (p->va & 0x3fffff);
        return;
    }
    mark(p, 0x20);
    e = load(p, (e & 0xfffff000) + ((p->va >> 12 & 0x3ff) << 2), 4, true);
    p->gpa = (e & 0xfffff000) + (p->va & 0xfff);
}

/* The last two levels, which PAE and 64-bit paging have both. */
static void walk_below(struct path *p, uint64_t table, unsigned int last_reserved)
{
    bool nxe = p->g->efer & 0x800;
    uint64_t e = load(p, (table & 0xffffffffff000) + ((p->va >> 21 & 0x1ff) << 3), 8, true);

    if (p->missing)
        return;
    p->reserved =
        any_of(e, 40, last_reserved) || (!nxe && e >> 63) || (e & 0x80 && any_of(e, 13, 20));
    p->gpa = (e & 0xfffffffe00000) + (p->va & 0x1fffff);
    if (p->reserved || e & 0x80)
        return;
    mark(p, 0x20);
    e = load(p, (e & 0xffffffffff000) + ((p->va >> 12 & 0x1ff) << 3), 8, true);
    p->reserved = any_of(e, 40, last_reserved) || (!nxe && e >> 63);
    p->gpa = (e & 0xffffffffff000) + (p->va & 0xfff);
}

static void walk_pae(struct path *p)
{
    uint64_t e = load(p, (p->g->cr3 & 0xffffffe0) + (p->va >> 30 << 3), 8, false);

    p->reserved = any_of(e, 1, 2) || any_of(e, 6, 8) || any_of(e, 40, 63);
    if (!p->missing && !p->reserved)
        walk_below(p, e, 62);
}

static void walk_64(struct path *p)
{
    bool nxe = p->g->efer & 0x800;
    uint64_t e = load(p, (p->g->cr3 & 0xffffffffff000) + ((p->va >> 39 & 0x1ff) << 3), 8, true);

    p->reserved = any_of(e, 40, 51) || (!nxe && e >> 63) || any_of(e, 7, 7);
    if (p->missing || p->reserved)
        return;
    mark(p, 0x20);
    e = load(p, (e & 0xffffffffff000) + ((p->va >> 30 & 0x1ff) << 3), 8, true);
    p->reserved = any_of(e, 40, 51) || (!nxe && e >> 63) || (e & 0x80 && any_of(e, 13, 29));
    p->gpa = (e & 0xfffffc0000000) + (p->va & 0x3fffffff);
    if (p->missing || p->reserved || e & 0x80)
        return;
    mark(p, 0x20);
    walk_below(p, e, 51);
}

static bool permitted(const struct path *p, bool write, bool fetch)
{
    bool user = p->g->cpl == 3, all_user = true, all_write = true, none_nx = true;

    for (unsigned int i = 0; i < p->n; i++) {
        all_write &= p->entry[i] >> 1 & 1;
        all_user &= p->entry[i] >> 2 & 1;
        none_nx &= !(p->entry[i] >> 63);
    }
    if (fetch && !none_nx)
        return false;
    if (user && !all_user)
        return false;
    if (write && !all_write && (user || p->g->cr0 & 1u << 16))
        return false;
    if (!user && all_user && fetch && p->g->cr4 & 1u << 20) /* SMEP */
        return false;
    if (!user && all_user && !fetch && p->g->cr4 & 1u << 21 && !p->g->ac) /* SMAP */
        return false;
    return true;
}

static uint32_t code_of(const struct path *p, bool write, bool fetch, bool tells_fetch)
{
    return (p->missing ? 0 : 1u) | (write ? 2u : 0) | (p->g->cpl == 3 ? 4u : 0) |
           (!p->missing && p->reserved ? 8u : 0) | (fetch && tells_fetch ? 16u : 0);
}

bool oracle_walk(struct oracle_memory *m, const struct guest_paging *g, uint64_t va, bool write,
                 bool fetch, uint64_t *gpa, struct guest_walk_fault *f)
{
    bool paging = g->cr0 >> 31 & 1, is_64 = paging && g->efer & 0x400, pae = g->cr4 & 0x20;
    struct path p = {.m = m, .g = g, .va = is_64 ? va : va & 0xffffffff};

    f->va = p.va;
    f->code = GUEST_NOT_CANONICAL;
    *gpa = p.va;
    if (!paging)
        return true;
    if (is_64 && va >= 0x800000000000 && va < 0xffff800000000000)
        return false;
    if (is_64)
        walk_64(&p);
    else if (pae)
        walk_pae(&p);
    else
        walk_32(&p);
    f->code = code_of(&p, write, fetch, g->cr4 & 1u << 20 || ((is_64 || pae) && g->efer & 0x800));
    if (p.missing || p.reserved || !permitted(&p, write, fetch))
        return false;
    mark(&p, write ? 0x60 : 0x20);
    *gpa = p.gpa;
    return true;
}
