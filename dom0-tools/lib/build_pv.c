/* SPDX-License-Identifier: MIT */
/*
 * What of the builder is of paravirtual guests: they know their pages by machine frame numbers, and
 * begin in page tables that the loader writes. No window may be open when these are pinned, since a
 * frame that somebody can write cannot become a page table.
 */
#include <errno.h>
#include <stdlib.h>

#include <xen/xen.h>

#include <xen/start_info.h>

#include "build_internal.h"

#define E820_RAM 1u

static int plan(struct builder *b, struct error *e)
{
    struct loader_error why;
    int rc = loader_parse(&b->image, b->kernel.data, b->kernel.size, &why);

    if (rc)
        return error_set(e, rc, "%s: %s", b->cfg->kernel, why.text);
    b->config.flags = SIF_VIRT_P2M_4TOOLS;
    rc = loader_plan(&b->layout, &b->image, &b->config, &why);
    if (rc)
        return error_set(e, rc, "%s: %s", b->cfg->name, why.text);
    b->mfns = calloc(b->nr_pages, sizeof(*b->mfns));
    return b->mfns ? 0 : error_errno(e, -ENOMEM, "%s", b->cfg->name);
}

static int give_memory(struct builder *b, struct error *e)
{
    uint64_t pfn = 0;

    return build_populate(b, &pfn, b->nr_pages, e);
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

static int write_all(struct builder *b, struct error *e)
{
    const struct loader_target target = {
        .ctx = b,
        .map = window_map,
        .unmap = window_unmap,
        .pfn_to_mfn = pfn_to_mfn,
    };
    struct loader_error why;
    int rc = prepare_shared_info(b, e);

    if (rc)
        return rc;
    b->config.store_evtchn = b->result.store_port;
    b->config.console_evtchn = b->result.console_port;
    rc = loader_write(&b->layout, &b->image, &b->config, &target, &why);
    rc = build_written(b, rc, &why, e);
    if (rc)
        return rc;
    b->result.store_mfn = b->mfns[b->layout.store_pfn];
    b->result.console_mfn = b->mfns[b->layout.console_pfn];
    return 0;
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
    rc = build_grant_rings(b, e);
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

/* ABI: what the guest may ask for (XENMEM_memory_map). */
static int set_memory_map(struct builder *b, struct error *e)
{
    const struct host_e820 ram = {.size = b->cfg->memory_kib << 10, .type = E820_RAM};
    int rc = b->h->ops->set_memory_map(b->h, b->result.domid, &ram, 1);

    return rc ? error_errno(e, rc, "%s: setting the memory map", b->cfg->name) : 0;
}

static int lay_out(struct builder *b, struct error *e)
{
    int rc = set_memory_map(b, e);

    rc = rc ? rc : write_all(b, e);
    return rc ? rc : finish(b, e);
}

/* As many as the hypervisor clears in one go: of larger ones it looks at all frames anew each time
 * that it goes on. Who has page tables of 4 KiB pages has no use for large extents. */
#define EXTENT_ORDER 6u

const struct build_kind build_pv = {
    .order = EXTENT_ORDER, .plan = plan, .give_memory = give_memory, .lay_out = lay_out};
