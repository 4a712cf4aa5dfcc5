/* SPDX-License-Identifier: MIT */
/*
 * A boot-time domain of this kind, built by the hypervisor itself: memory, kernel, ACPI tables, the
 * registers of vCPU 0. The layout is the loader's (hypervisor/loader/pvh.c, shared with the
 * toolstack); here is the memory that it stands on, which the nested page tables name.
 */
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/guest_memory.h>
#include <core/guest/memory_op.h>
#include <hvm/hvm.h>
#include <hvm/hvm_ops.h>
#include <hvm/lapic.h>
#include <hvm/npt.h>
#include <limits.h>
#include <parvis/loader_pvh.h>
#include <port/atomic.h>
#include <port/machine.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/errno.h>
#include <xen/hvm/params.h>

#define BIGGEST_BLOCK 9 /* 2 MiB: one entry */
#define RINGS_GFN     ((HVM_SPECIAL >> PAGE_SHIFT) + 1)

static void *map_pages(void *ctx, uint64_t gfn, uint64_t *count)
{
    mfn_t mfn = npt_lookup(ctx, GFN(gfn));

    *count = 1;
    return mfn_eq(mfn, INVALID_MFN) ? NULL : map_guest_frame(ctx, mfn);
}

static void unmap_pages(void *ctx, void *va, uint64_t count __unused)
{
    unmap_guest_frame(ctx, va);
}

/* The largest block that begins at gfn, within so many pages, and can be had. */
static int populate_block(struct domain *d, uint64_t gfn, uint64_t pages, uint64_t *done)
{
    unsigned int order = BIGGEST_BLOCK, budget = UINT_MAX; /* boot: nobody waits */
    struct page_info *pg = NULL;

    while (order && ((1ull << order) > pages || gfn & ((1ull << order) - 1)))
        order--;
    while (!(pg = alloc_domain_frames(d, order, 0, gfn, &budget)) && order)
        order--;
    if (!pg)
        return -XEN_ENOMEM;
    *done = 1ull << order;
    return npt_map(d, GFN(gfn), page_to_mfn(pg), order);
}

static int populate(struct domain *d, const struct loader_pvh_layout *layout)
{
    for (unsigned int i = 0; i < layout->nr_ranges; i++) {
        const struct loader_range *r = &layout->range[i];

        for (uint64_t at = 0, n = 0; r->type != XEN_HVM_MEMMAP_TYPE_RESERVED && at < r->pages;
             at += n) {
            int rc = populate_block(d, r->gfn + at, r->pages - at, &n);

            if (rc)
                return rc;
        }
    }
    return 0;
}

/* A page for each ring, where the guest's memory map says that nothing is. Who is told of Xen finds
 * them by parameters; else the console is behind a UART. */
static int add_rings(struct domain *d, const struct build_args *args, gfn_t *store, gfn_t *console)
{
    uint64_t *param = d->arch.hvm.param, done;
    int rc = populate_block(d, RINGS_GFN, 1, &done);

    *console = GFN(RINGS_GFN);
    if (rc || !d->arch.hvm.xen)
        return rc ? rc : hvm_console_attach(d, *console, args->console_port);
    param[HVM_PARAM_CONSOLE_PFN] = console->n;
    param[HVM_PARAM_CONSOLE_EVTCHN] = args->console_port;
    if (!args->store_port)
        return 0;
    rc = populate_block(d, RINGS_GFN + 1, 1, &done);
    *store = GFN(RINGS_GFN + 1);
    param[HVM_PARAM_STORE_PFN] = store->n;
    param[HVM_PARAM_STORE_EVTCHN] = args->store_port;
    return rc;
}

/* The memory map, for who asks by hypercall. The types are E820's. */
static int add_map(struct domain *d, const struct loader_pvh_layout *layout)
{
    struct e820_entry *map = hv_alloc_array(layout->nr_ranges, sizeof(*map));

    if (!map)
        return -XEN_ENOMEM;
    for (unsigned int i = 0; i < layout->nr_ranges; i++) {
        const struct loader_range *r = &layout->range[i];

        map[i] = (struct e820_entry){r->gfn << PAGE_SHIFT, r->pages << PAGE_SHIFT, r->type};
    }
    memory_map_keep(d, map, layout->nr_ranges);
    return 0;
}

void hvm_begin(struct vcpu *v, const struct loader_pvh_layout *layout)
{
    struct loader_pvh_state state;

    loader_pvh_state(&state, layout);
    hvm_start_pvh(v, &state);
    lapic_virtual_wire(v);
    atomic_and(&v->pause_flags, ~VPF_down);
    __atomic_store_n(&v->initialised, true, __ATOMIC_RELEASE);
}

int hvm_build(struct domain *d, const struct build_args *args, gfn_t *store, gfn_t *console)
{
    const struct loader_target target = {.ctx = d, .map = map_pages, .unmap = unmap_pages};
    struct loader_error error = {{0}};
    struct loader_pvh_layout *layout = hv_alloc(sizeof(*layout));
    struct loader_image *image = hv_alloc(sizeof(*image));
    struct loader_config config = {
        .nr_pages = args->nr_pages,
        .nr_vcpus = d->max_vcpus,
        .cmdline = args->cmdline,
        .ramdisk = args->ramdisk,
        .ramdisk_size = args->ramdisk_size,
    };
    int rc = layout && image ? 0 : -XEN_ENOMEM;

    d->max_pages = args->nr_pages + (d->arch.hvm.xen ? 3 : 2); /* the ACPI tables, the rings */
    if (!rc)
        rc = loader_pvh_parse(image, args->kernel, args->kernel_size, &error);
    if (!rc)
        rc = loader_pvh_plan(layout, image, &config, &error);
    if (!rc)
        rc = populate(d, layout);
    if (!rc)
        rc = loader_pvh_write(layout, image, &config, &target, &error);
    if (!rc)
        rc = add_rings(d, args, store, console);
    if (!rc && d->arch.hvm.xen)
        rc = add_map(d, layout);
    if (!rc)
        hvm_begin(d->vcpu[0], layout);
    if (error.text[0])
        log_error("%s: %s", d->name, error.text);
    else if (rc)
        log_error("%s: cannot be built: error %d", d->name, -rc);
    hv_free(image);
    hv_free(layout);
    return rc;
}
