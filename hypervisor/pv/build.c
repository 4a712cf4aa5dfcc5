/* SPDX-License-Identifier: MIT */
/*
 * A boot-time domain, built by the hypervisor itself: memory, kernel, first page tables, first
 * context.
 *
 * The layout is the loader's (hypervisor/loader/, shared with the toolstack); here is what it
 * stands on: the domain's memory, as an array of machine frames by pfn that lives as long as the
 * build. The tables it wrote are pinned by the same check as a guest's own.
 */
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/guest_memory.h>
#include <limits.h>
#include <parvis/loader.h>
#include <port/machine.h>
#include <pv/mm.h>
#include <pv/pv_bits.h>
#include <pv/pv_ops.h>
#include <xen/errno.h>

/* 4 MiB at once, so that the control domain's memory is mostly contiguous */
#define BIGGEST_BLOCK 10

struct build_memory {
    const struct domain *d;
    uint32_t *p2m;
    uint64_t nr_pages;
    unsigned int order; /* of the array */
};

static void *map_pages(void *ctx, uint64_t pfn, uint64_t *count)
{
    const struct build_memory *m = ctx;
    uint64_t n = 1;

    if (pfn >= m->nr_pages)
        return NULL;
    while (n < *count && pfn + n < m->nr_pages && m->p2m[pfn + n] == m->p2m[pfn] + n)
        n++;
    *count = n;
    return map_guest_frame(m->d, MFN(m->p2m[pfn]));
}

static void unmap_pages(void *ctx, void *va, uint64_t count)
{
    const struct build_memory *m = ctx;

    for (uint64_t i = 0; i < count; i++)
        unmap_guest_frame(m->d, (const char *)va + i * PAGE_SIZE);
}

static uint64_t pfn_to_mfn(void *ctx, uint64_t pfn)
{
    const struct build_memory *m = ctx;

    return m->p2m[pfn];
}

/* nr_pages frames for d in pfn order, as few blocks as there are. */
static int populate(struct domain *d, struct build_memory *m)
{
    unsigned int order = BIGGEST_BLOCK, budget = UINT_MAX; /* boot: nobody waits */
    uint64_t pfn = 0;

    while (pfn < m->nr_pages) {
        struct page_info *pg = NULL;
        uint64_t first;

        while ((1ull << order) > m->nr_pages - pfn)
            order--;
        while (!(pg = alloc_domain_frames(d, order, 0, pfn, &budget)) && order)
            order--;
        if (!pg)
            return -XEN_ENOMEM;
        first = page_to_mfn(pg).n;
        for (uint64_t i = 0; i < 1ull << order; i++, pfn++)
            m->p2m[pfn] = (uint32_t)(first + i);
    }
    return 0;
}

static int alloc_p2m(struct build_memory *m)
{
    while ((PAGE_SIZE << m->order) / sizeof(*m->p2m) < m->nr_pages)
        m->order++;
    m->p2m = alloc_hv_pages(m->order);
    return m->p2m ? 0 : -XEN_ENOMEM;
}

static mfn_t layout_frame(const struct build_memory *m, uint64_t pfn)
{
    return pfn == LOADER_NONE ? INVALID_MFN : MFN(m->p2m[pfn]);
}

/* What comes after the pages are written: hypercall page, pinned tables, first context. */
static int finish(struct domain *d, const struct build_memory *m,
                  const struct loader_layout *layout)
{
    mfn_t l4 = layout_frame(m, layout->cr3_pfn);
    struct vcpu_guest_context *ctxt;
    void *page;
    int rc;

    if (layout->hypercall_pfn != LOADER_NONE) {
        page = map_guest_frame(d, layout_frame(m, layout->hypercall_pfn));
        pv_fill_hypercall_page(page);
        unmap_guest_frame(d, page);
    }
    while ((rc = pv_pin_table(d, l4, PGT_l4_page_table)) == -XEN_ERESTART)
        ; /* boot: nobody waits */
    if (rc)
        return rc;
    ctxt = hv_alloc(sizeof(*ctxt));
    if (!ctxt)
        return -XEN_ENOMEM;
    loader_context(ctxt, layout, l4.n);
    rc = pv_set_context(d->vcpu[0], ctxt);
    hv_free(ctxt);
    return rc;
}

int pv_build(struct domain *d, const struct build_args *args, gfn_t *store, gfn_t *console)
{
    struct build_memory m = {.d = d, .nr_pages = args->nr_pages};
    const struct loader_target target = {
        .ctx = &m, .map = map_pages, .unmap = unmap_pages, .pfn_to_mfn = pfn_to_mfn};
    struct loader_error error = {{0}};
    struct loader_layout *layout = hv_alloc(sizeof(*layout));
    struct loader_image *image = hv_alloc(sizeof(*image));
    struct loader_config config = {
        .nr_pages = args->nr_pages,
        .cmdline = args->cmdline,
        .ramdisk = args->ramdisk,
        .ramdisk_size = args->ramdisk_size,
        .control = d->is_control,
        .shared_info = frame_of(d->shared_info).n << PAGE_SHIFT,
        .store_evtchn = args->store_port,
        .console_evtchn = args->console_port,
    };
    int rc = layout && image ? 0 : -XEN_ENOMEM;

    if (!rc)
        rc = loader_parse(image, args->kernel, args->kernel_size, &error);
    if (!rc)
        rc = loader_plan(layout, image, &config, &error);
    if (!rc)
        rc = alloc_p2m(&m);
    if (!rc)
        rc = populate(d, &m);
    if (!rc)
        rc = loader_write(layout, image, &config, &target, &error);
    if (!rc)
        rc = finish(d, &m, layout);
    if (error.text[0])
        log_error("%s: %s", d->name, error.text);
    else if (rc)
        log_error("%s: cannot be built: error %d", d->name, -rc);
    if (!rc) {
        *store = GFN(layout_frame(&m, layout->store_pfn).n);
        *console = GFN(layout_frame(&m, layout->console_pfn).n);
    }
    if (m.p2m)
        free_hv_pages(m.p2m, m.order);
    hv_free(image);
    hv_free(layout);
    return rc;
}
