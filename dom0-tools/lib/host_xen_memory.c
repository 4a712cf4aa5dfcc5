/* SPDX-License-Identifier: MIT */
/*
 * The real machine: memory of domains, and grants.
 *
 * memory_op reports partial work by its return value, so the two layers of "not all" are
 * kept apart: a negative errno is a refusal, a short count is memory that ran out.
 */
#include "host_xen.h"

#include <errno.h>
#include <string.h>
#include <sys/mman.h>

#include <xen/xen.h>

#include <xen/grant_table.h>
#include <xen/memory.h>

int hx_populate_physmap(struct host *h, uint32_t domid, unsigned int nr, unsigned int order,
                        uint64_t *frames, unsigned int *done)
{
    struct host_xen *x = to_xen(h);
    const unsigned int room = HOST_LIST_BYTES / sizeof(xen_pfn_t);
    unsigned int got = 0;

    while (got < nr) {
        struct xen_memory_reservation *r = x->op;
        unsigned int n = nr - got < room ? nr - got : room;
        int rc;

        memset(r, 0, sizeof(*r));
        memcpy(x->list, frames + got, n * sizeof(*frames));
        r->nr_extents = n;
        r->extent_order = order;
        r->domid = (domid_t)domid;
        set_xen_guest_handle(r->extent_start, x->list);
        rc = xencall2(x->call, __HYPERVISOR_memory_op, XENMEM_populate_physmap, (uintptr_t)r);
        if (rc < 0)
            return -errno;
        if ((unsigned int)rc > n)
            return -EPROTO;
        memcpy(frames + got, x->list, (unsigned int)rc * sizeof(*frames));
        got += (unsigned int)rc;
        if ((unsigned int)rc < n)
            break;
    }
    *done = got;
    return 0;
}

/* ABI: an entry of the map is 20 bytes, without padding. */
struct map_entry {
    uint64_t addr, size;
    uint32_t type;
} __attribute__((packed));

int hx_set_memory_map(struct host *h, uint32_t domid, const struct host_e820 *map, unsigned int nr)
{
    struct host_xen *x = to_xen(h);
    struct xen_foreign_memory_map *m = x->op;
    struct map_entry *to = x->list;

    if (nr > HOST_LIST_BYTES / sizeof(*to))
        return -E2BIG;
    memset(m, 0, sizeof(*m));
    for (unsigned int i = 0; i < nr; i++)
        to[i] = (struct map_entry){map[i].addr, map[i].size, map[i].type};
    m->domid = (domid_t)domid;
    m->map.nr_entries = nr;
    set_xen_guest_handle(m->map.buffer, x->list);
    return xencall2(x->call, __HYPERVISOR_memory_op, XENMEM_set_memory_map, (uintptr_t)m) < 0
               ? -errno
               : 0;
}

int hx_pin_l4(struct host *h, uint32_t domid, uint64_t mfn)
{
    struct host_xen *x = to_xen(h);
    struct mmuext_op *op = x->op;

    memset(op, 0, sizeof(*op));
    op->cmd = MMUEXT_PIN_L4_TABLE;
    op->arg1.mfn = mfn;
    return xencall4(x->call, __HYPERVISOR_mmuext_op, (uintptr_t)op, 1, 0, domid) < 0 ? -errno : 0;
}

static int need_foreign(struct host_xen *x)
{
    if (!x->fmem)
        x->fmem = xenforeignmemory_open(&host_quiet_logger, 0);
    return x->fmem ? 0 : -errno;
}

static int to_prot(int prot)
{
    return (prot & HOST_READ ? PROT_READ : 0) | (prot & HOST_WRITE ? PROT_WRITE : 0);
}

int hx_foreign_map(struct host *h, uint32_t domid, int prot, const uint64_t *mfns, size_t nr,
                   void **va)
{
    struct host_xen *x = to_xen(h);
    int rc = need_foreign(x);
    void *p;

    _Static_assert(sizeof(xen_pfn_t) == sizeof(uint64_t), "frame numbers are 64 bits wide");
    if (rc)
        return rc;
    p = xenforeignmemory_map(x->fmem, domid, to_prot(prot), nr, (const xen_pfn_t *)mfns, NULL);
    if (!p)
        return -errno;
    *va = p;
    return 0;
}

int hx_foreign_map_some(struct host *h, uint32_t domid, const uint64_t *mfns, size_t nr, int *error,
                        void **va)
{
    struct host_xen *x = to_xen(h);
    int rc = need_foreign(x);
    void *p;

    if (rc)
        return rc;
    p = xenforeignmemory_map(x->fmem, domid, PROT_READ, nr, (const xen_pfn_t *)mfns, error);
    if (!p)
        return -errno;
    *va = p;
    return 0;
}

int hx_foreign_unmap(struct host *h, void *va, size_t nr)
{
    return xenforeignmemory_unmap(to_xen(h)->fmem, va, nr) < 0 ? -errno : 0;
}

int hx_grant_seed(struct host *h, uint32_t domid, const struct host_grant *g, unsigned int nr)
{
    struct host_xen *x = to_xen(h);
    xenforeignmemory_resource_handle *res;
    void *page = NULL;
    int rc = need_foreign(x);

    if (rc)
        return rc;
    res = xenforeignmemory_map_resource(x->fmem, (domid_t)domid, XENMEM_resource_grant_table,
                                        XENMEM_resource_grant_table_id_shared, 0, 1, &page,
                                        PROT_READ | PROT_WRITE, 0);
    if (!res)
        return -errno;
    for (unsigned int i = 0; i < nr && rc == 0; i++) {
        grant_entry_v1_t *entry = page;

        if (g[i].ref >= HOST_PAGE_SIZE / sizeof(*entry) || g[i].frame > UINT32_MAX) {
            rc = -EOVERFLOW;
            break;
        }
        entry += g[i].ref;
        entry->domid = (domid_t)g[i].domid;
        entry->frame = (uint32_t)g[i].frame;
        __atomic_store_n(&entry->flags, GTF_permit_access, __ATOMIC_RELEASE);
    }
    xenforeignmemory_unmap_resource(x->fmem, res);
    return rc;
}

int hx_grant_map(struct host *h, uint32_t domid, uint32_t ref, int prot, void **va)
{
    struct host_xen *x = to_xen(h);
    void *p;

    if (!x->gnttab)
        x->gnttab = xengnttab_open(&host_quiet_logger, 0);
    if (!x->gnttab)
        return -errno;
    p = xengnttab_map_grant_ref(x->gnttab, domid, ref, to_prot(prot));
    if (!p)
        return -errno;
    *va = p;
    return 0;
}

int hx_grant_unmap(struct host *h, void *va)
{
    return xengnttab_unmap(to_xen(h)->gnttab, va, 1) < 0 ? -errno : 0;
}
