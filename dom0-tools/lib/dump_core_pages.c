/* SPDX-License-Identifier: MIT */
/*
 * Which pages a domain has, for a core dump: see dump_core.h.
 *
 * All that is read here is the guest's, which may write it meanwhile, and anything into it: each
 * value is read once, a number that is wrong finds no page, and no walk goes on without end.
 */
#include <errno.h>
#include <stddef.h>
#include <string.h>

#include <xen/xen.h>

#include "dump_core.h"

#define LIST_ENTRIES (HOST_PAGE_SIZE / sizeof(uint64_t))
_Static_assert(LIST_ENTRIES == DUMP_STEP, "a step is a page of a list");

/* Devices below 4 GiB may push memory up by so much. Numbers beyond what it may have and this are
 * not looked at: a guest says of numbers what it likes, and each takes time. */
#define HOLE_PAGES (UINT64_C(1) << 20)
#define MOST_FRAME (UINT64_C(1) << 40) /* above: bits by which Linux marks what is not its own */

/* A page table's entry. */
#define ENTRY_PRESENT 1u
#define ENTRY_LARGE   0x80u
#define ENTRY_FRAME   UINT64_C(0x000ffffffffff000)
#define LEVELS        4u
/* Slots of the level-4 table that are the hypervisor's. */
#define FIRST_HYPERVISOR_SLOT 256u
#define LAST_HYPERVISOR_SLOT  271u

/* A copy of a page of the domain; -errno: there is none. */
static int read_frame(const struct dump_pages *p, uint64_t frame, uint64_t out[LIST_ENTRIES])
{
    int missing = 0, rc;
    void *va;

    rc = p->h->ops->foreign_map_some(p->h, p->d->domid, &frame, 1, &missing, &va);
    if (rc)
        return rc;
    if (!missing)
        memcpy(out, va, HOST_PAGE_SIZE);
    rc = p->h->ops->foreign_unmap(p->h, va, 1);
    return missing ? missing : rc;
}

/* The frame at a virtual address. */
static int walk(const struct dump_pages *p, uint64_t address, uint64_t *frame)
{
    uint64_t table[LIST_ENTRIES], at = p->table;

    for (unsigned int level = LEVELS; level > 0; level--) {
        uint64_t entry;
        int rc = read_frame(p, at, table);

        if (rc)
            return rc;
        entry = table[address >> (12 + 9 * (level - 1)) & (LIST_ENTRIES - 1)];
        if (!(entry & ENTRY_PRESENT) || (level > 1 && (entry & ENTRY_LARGE)))
            return -ENOENT;
        at = (entry & ENTRY_FRAME) / HOST_PAGE_SIZE;
    }
    *frame = at;
    return 0;
}

/* The frame of the tree's leaf of this number. */
static int climb(const struct dump_pages *p, uint64_t leaf, uint64_t *frame)
{
    uint64_t page[LIST_ENTRIES];
    int rc = leaf / LIST_ENTRIES < LIST_ENTRIES ? read_frame(p, p->tree, page) : -ENOENT;

    if (rc == 0)
        rc = read_frame(p, page[leaf / LIST_ENTRIES], page);
    if (rc == 0)
        *frame = page[leaf % LIST_ENTRIES];
    return rc;
}

/* ---- a guest that publishes nothing ---- */

struct search {
    struct dump_pages *p;
    unsigned int tables; /* that may still be looked at */
    bool found;
};

#define MOST_TABLES 4096u /* 8 GiB of small pages */

static bool is_start_info(const struct search *s, const struct start_info *at)
{
    struct start_info i;

    memcpy(&i, at, sizeof(i));
    if (memcmp(i.magic, "xen-3.0-x86_64", 14) != 0 || i.mfn_list % HOST_PAGE_SIZE ||
        i.shared_info != s->p->d->shared_info_frame * HOST_PAGE_SIZE)
        return false;
    s->p->list = i.mfn_list;
    s->p->end = i.nr_pages;
    return true;
}

/* Pages that a table of the lowest level maps. */
static int look_at_pages(struct search *s, const uint64_t table[LIST_ENTRIES])
{
    uint64_t frames[LIST_ENTRIES];
    int missing[LIST_ENTRIES] = {0}, rc;
    unsigned int n = 0;
    const char *va;
    void *map;

    for (unsigned int i = 0; i < LIST_ENTRIES; i++)
        if (table[i] & ENTRY_PRESENT)
            frames[n++] = (table[i] & ENTRY_FRAME) / HOST_PAGE_SIZE;
    if (n == 0)
        return 0;
    rc = s->p->h->ops->foreign_map_some(s->p->h, s->p->d->domid, frames, n, missing, &map);
    if (rc)
        return rc;
    va = map;
    for (unsigned int i = 0; i < n && !s->found; i++)
        s->found = !missing[i] &&
                   is_start_info(s, (const struct start_info *)(va + (size_t)i * HOST_PAGE_SIZE));
    return s->p->h->ops->foreign_unmap(s->p->h, map, n);
}

/* Depth first; a table that cannot be read has nothing. */
static int look_at_table(struct search *s, uint64_t frame, unsigned int level)
{
    uint64_t table[LIST_ENTRIES];
    int rc = 0;

    if (s->tables == 0)
        return 0;
    s->tables--; /* one that cannot be read took its time, too */
    if (read_frame(s->p, frame, table))
        return 0;
    if (level == 1)
        return look_at_pages(s, table);
    for (unsigned int i = 0; i < LIST_ENTRIES && rc == 0 && !s->found; i++) {
        bool own = level < LEVELS || i < FIRST_HYPERVISOR_SLOT || i > LAST_HYPERVISOR_SLOT;

        if (own && (table[i] & ENTRY_PRESENT) && !(table[i] & ENTRY_LARGE))
            rc = look_at_table(s, (table[i] & ENTRY_FRAME) / HOST_PAGE_SIZE, level - 1);
    }
    return rc;
}

static int search_list(struct dump_pages *p, const struct vcpu_guest_context *context)
{
    struct search s = {.p = p, .tables = MOST_TABLES};
    int rc;

    p->table = context->ctrlreg[3] / HOST_PAGE_SIZE;
    rc = look_at_table(&s, p->table, LEVELS);
    return rc ? rc : s.found ? 0 : -ENOENT;
}

/* ---- all of them ---- */

int dump_pages_begin(struct dump_pages *p, const struct shared_info *shared,
                     const struct vcpu_guest_context *context, struct error *e)
{
    uint64_t most;
    int rc = 0;

    p->next = 0;
    if (p->d->kind != KIND_PV) {
        p->end = p->d->max_pages + HOLE_PAGES;
        return 0;
    }
    p->end = shared->arch.max_pfn;
    p->table = shared->arch.p2m_cr3 / HOST_PAGE_SIZE;
    p->list = shared->arch.p2m_vaddr;
    p->tree = shared->arch.pfn_to_mfn_frame_list_list;
    if (!p->end || (!p->table && !p->tree))
        rc = search_list(p, context);
    most = p->d->max_pages > p->d->nr_pages ? p->d->max_pages : p->d->nr_pages;
    if (p->end > most + HOLE_PAGES)
        p->end = most + HOLE_PAGES;
    if (rc == -ENOENT)
        return error_set(e, rc,
                         "the guest does not tell which pages it has (arch.max_pfn and p2m_cr3 or "
                         "pfn_to_mfn_frame_list_list of its shared page), and its start "
                         "information is not to be found");
    return rc ? error_errno(e, rc, "looking for the guest's list of its pages") : 0;
}

/* The page of the list with the next numbers; what is not there has none. */
static int read_list(const struct dump_pages *p, uint64_t out[LIST_ENTRIES])
{
    const uint64_t leaf = p->next / LIST_ENTRIES;
    uint64_t frame;
    int rc = p->table ? walk(p, p->list + leaf * HOST_PAGE_SIZE, &frame) : climb(p, leaf, &frame);

    return rc ? rc : read_frame(p, frame, out);
}

int dump_pages_next(struct dump_pages *p, struct dump_page *out, unsigned int *nr)
{
    const uint64_t left = p->end - p->next;
    const unsigned int count = left < DUMP_STEP ? (unsigned int)left : DUMP_STEP;
    uint64_t list[LIST_ENTRIES];
    bool own = p->d->kind != KIND_PV;
    int rc = own ? 0 : read_list(p, list);

    *nr = 0;
    for (unsigned int i = 0; i < count && rc == 0; i++) {
        uint64_t frame = own ? p->next + i : list[i];

        if (frame < MOST_FRAME)
            out[(*nr)++] = (struct dump_page){.pfn = p->next + i, .frame = frame};
    }
    p->next += count;
    return rc == -ENOENT || rc == -EINVAL || rc == -ENXIO || rc == -EFAULT ? 0 : rc;
}
