/* SPDX-License-Identifier: MIT */
/*
 * The domain builder: see build.h.
 *
 * Three stages. What can be known from the files alone is found out first, so that a bad kernel or
 * a domain that is too small never becomes a domain. Then the domain is made and given its memory,
 * then it is laid out by the loader, the same code that lays out boot-time domains.
 *
 * The loader sees the domain's pages through windows. A window is a foreign mapping of many pages,
 * which stays open until a page outside it is asked for: page tables are written one page at a
 * time, and a system call for each would be most of the work. No window may be open when the page
 * tables are pinned, since a frame that somebody can write cannot become a page table.
 */
#include "build.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/grant_table.h>
#include <xen/start_info.h>

#include <parvis/loader.h>

#include "interrupt.h"
#include "kernel_image.h"
#include "progress.h"

#define KIB_PER_PAGE 4
#define LARGE_ORDER  9u
#define WINDOW_MIN   64u /* pages */

/* Extents in one request: as many as take a moment, as a signal is looked at between two. */
#define POPULATE_MAX   512u
#define POPULATE_LARGE 64u

/* As Xen's own toolstack has them. */
#define MAX_EVTCHN_PORT     1023u
#define MAX_GRANT_FRAMES    64u
#define MAX_MAPTRACK_FRAMES 1024u

#define E820_RAM       1u
#define CONTROL_DOMAIN 0u

struct window {
    uint8_t *va;
    uint64_t pfn, count;
};

struct builder {
    struct host *h;
    const struct domain_config *cfg;
    struct file_image kernel, ramdisk;
    struct loader_image image;
    struct loader_config config;
    struct loader_layout layout;
    struct build_result result;
    uint64_t nr_pages;
    uint64_t *mfns; /* of each pfn */
    struct window window;
    int map_error; /* why the last window could not be opened */
};

/* ---- stage 1: the files ---- */

static int read_files(struct builder *b, struct error *e)
{
    const uint64_t memory = b->nr_pages * HOST_PAGE_SIZE;
    int rc = kernel_image_open(b->cfg->kernel, memory, &b->kernel, e);

    if (rc == 0 && b->cfg->ramdisk)
        rc = ramdisk_open(b->cfg->ramdisk, memory, &b->ramdisk, e);
    return rc;
}

static int plan(struct builder *b, struct error *e)
{
    struct loader_error why;
    int rc = loader_parse(&b->image, b->kernel.data, b->kernel.size, &why);

    if (rc)
        return error_set(e, rc, "%s: %s", b->cfg->kernel, why.text);
    b->config.nr_pages = b->nr_pages;
    b->config.cmdline = b->cfg->cmdline;
    b->config.ramdisk = b->ramdisk.data;
    b->config.ramdisk_size = b->ramdisk.size;
    b->config.flags = SIF_VIRT_P2M_4TOOLS;
    rc = loader_plan(&b->layout, &b->image, &b->config, &why);
    if (rc)
        return error_set(e, rc, "%s: %s", b->cfg->name, why.text);
    return 0;
}

/* Not a promise, but a clear answer before anything is made. */
static int check_free_memory(struct builder *b, struct error *e)
{
    struct host_physinfo info;
    int rc = b->h->ops->physinfo(b->h, &info);

    if (rc)
        return error_errno(e, rc, "%s: asking for free memory", b->cfg->name);
    if (info.free_pages < b->nr_pages)
        return error_set(e, -ENOMEM, "%s: <memory>: needs %llu KiB, %llu KiB are free",
                         b->cfg->name, (unsigned long long)b->nr_pages * KIB_PER_PAGE,
                         (unsigned long long)info.free_pages * KIB_PER_PAGE);
    return 0;
}

/* ---- stage 2: the domain and its memory ---- */

static int create(struct builder *b, struct error *e)
{
    struct host_create c = {
        .max_vcpus = b->cfg->max_vcpus,
        .max_evtchn_port = MAX_EVTCHN_PORT,
        .max_grant_frames = MAX_GRANT_FRAMES,
        .max_maptrack_frames = MAX_MAPTRACK_FRAMES,
    };
    int rc;

    memcpy(c.uuid, b->cfg->uuid, sizeof(c.uuid));
    rc = b->h->ops->domain_create(b->h, &c, &b->result.domid);
    if (rc)
        return error_errno(e, rc, "%s: creating the domain", b->cfg->name);
    return 0;
}

static int set_limits(struct builder *b, struct error *e)
{
    const struct host_e820 ram = {.size = b->cfg->memory_kib << 10, .type = E820_RAM};
    const struct host_ops *ops = b->h->ops;
    uint32_t domid = b->result.domid;
    int rc = ops->domain_max_mem(b->h, domid, b->cfg->memory_kib);

    if (rc)
        return error_errno(e, rc, "%s: <memory>: setting the limit", b->cfg->name);
    rc = ops->domain_max_vcpus(b->h, domid, b->cfg->max_vcpus);
    if (rc)
        return error_errno(e, rc, "%s: <vcpu>: making %u vCPU%s", b->cfg->name, b->cfg->max_vcpus,
                           b->cfg->max_vcpus == 1 ? "" : "s");
    rc = ops->set_memory_map(b->h, domid, &ram, 1);
    if (rc)
        return error_errno(e, rc, "%s: setting the memory map", b->cfg->name);
    return 0;
}

/* Extents of 2^order pages from *pfn on, as many as there are; *pfn goes on to the first without.
 */
static int populate(struct builder *b, unsigned int order, uint64_t *pfn, struct error *e)
{
    uint64_t size = 1ULL << order;
    uint64_t left = (b->nr_pages - *pfn) >> order;

    while (left) {
        uint64_t frames[POPULATE_MAX];
        unsigned int most = order ? POPULATE_LARGE : POPULATE_MAX, done = 0;
        unsigned int nr = left < most ? (unsigned int)left : most;
        int rc = interrupt_check(b->cfg->name, e);

        if (rc)
            return rc;
        for (unsigned int i = 0; i < nr; i++)
            frames[i] = *pfn + i * size;
        rc = b->h->ops->populate_physmap(b->h, b->result.domid, nr, order, frames, &done);
        if (rc)
            return error_errno(e, rc, "%s: <memory>: giving memory to the domain", b->cfg->name);
        for (uint64_t i = 0; i < done * size; i++)
            b->mfns[*pfn + i] = frames[i >> order] + (i & (size - 1));
        *pfn += done * size;
        left -= done;
        progress(b->cfg->name, "memory", *pfn, b->nr_pages);
        if (done < nr)
            return 0;
    }
    return 0;
}

static int give_memory(struct builder *b, struct error *e)
{
    uint64_t pfn = 0;
    int rc = populate(b, LARGE_ORDER, &pfn, e);

    if (rc == 0) {
        rc = populate(b, 0, &pfn, e); /* the rest, and whatever there was no large extent for */
    }
    if (rc == 0 && pfn < b->nr_pages)
        return error_set(e, -ENOMEM, "%s: <memory>: memory ran out after %llu of %llu KiB",
                         b->cfg->name, (unsigned long long)pfn * KIB_PER_PAGE,
                         (unsigned long long)b->nr_pages * KIB_PER_PAGE);
    return rc;
}

static int open_ports(struct builder *b, struct error *e)
{
    const struct host_ops *ops = b->h->ops;
    int rc;

    rc = ops->evtchn_alloc_unbound(b->h, b->result.domid, CONTROL_DOMAIN, &b->result.store_port);
    if (rc)
        return error_errno(e, rc, "%s: opening the store's event channel", b->cfg->name);
    rc = ops->evtchn_alloc_unbound(b->h, b->result.domid, CONTROL_DOMAIN, &b->result.console_port);
    if (rc)
        return error_errno(e, rc, "%s: opening the console's event channel", b->cfg->name);
    return 0;
}

/* ---- stage 3: what is in the memory ---- */

static int close_window(struct builder *b)
{
    int rc = 0;

    if (b->window.va) {
        rc = b->h->ops->foreign_unmap(b->h, b->window.va, b->window.count);
        b->window.va = NULL;
    }
    return rc;
}

static int open_window(struct builder *b, uint64_t pfn, uint64_t count)
{
    void *va;
    int rc = close_window(b);

    if (rc == 0 && interrupt_came())
        rc = -EINTR;
    if (rc)
        return rc;
    count = count < WINDOW_MIN ? WINDOW_MIN : count;
    count = count < b->nr_pages - pfn ? count : b->nr_pages - pfn;
    rc = b->h->ops->foreign_map(b->h, b->result.domid, HOST_READ | HOST_WRITE, b->mfns + pfn, count,
                                &va);
    if (rc == 0)
        b->window = (struct window){.va = va, .pfn = pfn, .count = count};
    return rc;
}

static void *map_pages(void *ctx, uint64_t pfn, uint64_t *count)
{
    struct builder *b = ctx;
    struct window *w = &b->window;
    uint64_t there;

    if (!w->va || pfn - w->pfn >= w->count) {
        b->map_error = open_window(b, pfn, *count);
        if (b->map_error)
            return NULL;
    }
    there = w->count - (pfn - w->pfn);
    *count = *count < there ? *count : there;
    return w->va + (pfn - w->pfn) * HOST_PAGE_SIZE;
}

static void unmap_pages(void *ctx, void *va, uint64_t count)
{
    (void)ctx; /* the window stays open for the next one */
    (void)va;
    (void)count;
}

static uint64_t pfn_to_mfn(void *ctx, uint64_t pfn)
{
    struct builder *b = ctx;

    return b->mfns[pfn];
}

/* ABI: a vCPU starts with its events masked; its kernel unmasks when it can take them. */
static int mask_events(struct builder *b, uint64_t frame)
{
    const struct host_ops *ops = b->h->ops;
    void *page;
    struct shared_info *shared;
    int rc = ops->foreign_map(b->h, b->result.domid, HOST_READ | HOST_WRITE, &frame, 1, &page);

    if (rc)
        return rc;
    shared = page;
    for (unsigned int i = 0; i < XEN_LEGACY_MAX_VCPUS; i++)
        shared->vcpu_info[i].evtchn_upcall_mask = 1;
    return ops->foreign_unmap(b->h, page, 1);
}

static int prepare_shared_info(struct builder *b, struct error *e)
{
    struct host_domain d;
    unsigned int count = 0;
    int rc = b->h->ops->domain_list(b->h, b->result.domid, &d, 1, &count);

    if (rc == 0 && (count != 1 || d.domid != b->result.domid))
        rc = -ESRCH;
    rc = rc ? rc : mask_events(b, d.shared_info_frame);
    if (rc)
        return error_errno(e, rc, "%s: preparing the shared info frame", b->cfg->name);
    b->config.shared_info = d.shared_info_frame * HOST_PAGE_SIZE;
    return 0;
}

static int lay_out(struct builder *b, struct error *e)
{
    const struct loader_target target = {
        .ctx = b,
        .map = map_pages,
        .unmap = unmap_pages,
        .pfn_to_mfn = pfn_to_mfn,
    };
    struct loader_error why;
    int rc = prepare_shared_info(b, e), closed;

    if (rc)
        return rc;
    b->config.store_evtchn = b->result.store_port;
    b->config.console_evtchn = b->result.console_port;
    rc = loader_write(&b->layout, &b->image, &b->config, &target, &why);
    closed = close_window(b);
    if (rc && interrupt_came())
        return interrupt_check(b->cfg->name, e);
    if (rc && b->map_error)
        return error_errno(e, b->map_error, "%s: %s", b->cfg->name, why.text);
    if (rc)
        return error_set(e, rc, "%s: %s", b->cfg->name, why.text);
    if (closed)
        return error_errno(e, closed, "%s: unmapping the domain's memory", b->cfg->name);
    b->result.store_mfn = b->mfns[b->layout.store_pfn];
    b->result.console_mfn = b->mfns[b->layout.console_pfn];
    return 0;
}

/* The daemons of the control domain reach these pages by grants. */
static int grant_pages(struct builder *b, struct error *e)
{
    const struct host_grant grants[2] = {
        {GNTTAB_RESERVED_CONSOLE, CONTROL_DOMAIN, b->result.console_mfn},
        {GNTTAB_RESERVED_XENSTORE, CONTROL_DOMAIN, b->result.store_mfn},
    };
    int rc = b->h->ops->grant_seed(b->h, b->result.domid, grants, 2);

    if (rc == -EOVERFLOW)
        return error_set(e, rc,
                         "%s: the store's page is frame %#lx and the console's %#lx, but a grant "
                         "has no room for more than 32 bits of a frame's number",
                         b->cfg->name, (unsigned long)b->result.store_mfn,
                         (unsigned long)b->result.console_mfn);
    return rc ? error_errno(e, rc, "%s: granting the store and console pages", b->cfg->name) : 0;
}

/* What the hypervisor itself must put in place. */
static int finish(struct builder *b, struct error *e)
{
    const struct host_ops *ops = b->h->ops;
    uint64_t cr3 = b->mfns[b->layout.cr3_pfn];
    struct vcpu_guest_context *context;
    int rc;

    if (b->layout.hypercall_pfn != LOADER_NONE) {
        rc = ops->domain_hypercall_init(b->h, b->result.domid, b->mfns[b->layout.hypercall_pfn]);
        if (rc)
            return error_errno(e, rc, "%s: filling the hypercall page", b->cfg->name);
    }
    rc = grant_pages(b, e);
    if (rc)
        return rc;
    rc = ops->pin_l4(b->h, b->result.domid, cr3);
    if (rc)
        return error_errno(e, rc, "%s: pinning the page tables", b->cfg->name);
    context = malloc(sizeof(*context));
    if (!context)
        return error_errno(e, -ENOMEM, "%s", b->cfg->name);
    loader_context(context, &b->layout, cr3);
    rc = ops->vcpu_set_context(b->h, b->result.domid, 0, context);
    free(context);
    if (rc)
        return error_errno(e, rc, "%s: setting the first vCPU", b->cfg->name);
    return 0;
}

/* ---- all of it ---- */

static int furnish(struct builder *b, struct error *e)
{
    int rc = set_limits(b, e);

    rc = rc ? rc : give_memory(b, e);
    rc = rc ? rc : open_ports(b, e);
    rc = rc ? rc : lay_out(b, e);
    return rc ? rc : finish(b, e);
}

static int build(struct builder *b, struct error *e)
{
    int rc = read_files(b, e);

    rc = rc ? rc : plan(b, e);
    rc = rc ? rc : check_free_memory(b, e);
    if (rc)
        return rc;
    b->mfns = calloc(b->nr_pages, sizeof(*b->mfns));
    if (!b->mfns)
        return error_errno(e, -ENOMEM, "%s", b->cfg->name);
    interrupt_catch(); /* from here on there is something to undo */
    rc = interrupt_check(b->cfg->name, e);
    rc = rc ? rc : create(b, e);
    if (rc)
        return rc;
    rc = furnish(b, e);
    if (rc)
        b->h->ops->domain_destroy(b->h, b->result.domid);
    return rc;
}

int domain_build(struct host *h, const struct domain_config *cfg, struct build_result *out,
                 struct error *e)
{
    struct builder *b = calloc(1, sizeof(*b));
    int rc;

    if (!b)
        return error_errno(e, -ENOMEM, "%s", cfg->name);
    b->h = h;
    b->cfg = cfg;
    b->nr_pages = cfg->current_kib / KIB_PER_PAGE;
    rc = build(b, e);
    if (rc == 0)
        *out = b->result;
    free(b->mfns);
    file_image_close(&b->kernel);
    file_image_close(&b->ramdisk);
    free(b);
    return rc;
}
