/* SPDX-License-Identifier: MIT */
/*
 * What of the builder is of fully virtualized guests, whether they are told of Xen or not. Pages
 * are known by the guest's own numbers, to the host too, and vCPU 0 begins by PVH: no page tables.
 *
 * Beside its memory such a domain has a page of ACPI tables, which the loader writes, and the rings
 * of its console and its store, where the guest is told that nothing is. One that knows of no
 * hypervisor has them too: the hypervisor itself is the front end of its console, and xenstored
 * tells of the end of those alone whom it serves.
 */
#include <errno.h>
#include <stdlib.h>

#include <xen/xen.h>

#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/params.h>

#include "build_internal.h"

#define CONSOLE_GFN (HVM_SPECIAL / HOST_PAGE_SIZE + 1)
#define STORE_GFN   (CONSOLE_GFN + 1)

static int plan(struct builder *b, struct error *e)
{
    struct loader_error why;
    int rc = loader_pvh_parse(&b->image, b->kernel.data, b->kernel.size, &why);

    if (rc)
        return error_set(e, rc, "%s: %s", b->cfg->kernel, why.text);
    b->config.nr_vcpus = b->cfg->max_vcpus;
    rc = loader_pvh_plan(&b->pvh, &b->image, &b->config, &why);
    return rc ? error_set(e, rc, "%s: %s", b->cfg->name, why.text) : 0;
}

/* Stops at the first page that there is none for: it is seen in the number of them. */
static int give_memory(struct builder *b, struct error *e)
{
    uint64_t at = CONSOLE_GFN;
    int rc = build_populate(b, &at, STORE_GFN + 1, e);

    for (unsigned int i = 0; i < b->pvh.nr_ranges && rc == 0; i++) {
        const struct loader_range *r = &b->pvh.range[i];

        at = r->gfn;
        if (r->type != XEN_HVM_MEMMAP_TYPE_RESERVED)
            rc = build_populate(b, &at, r->gfn + r->pages, e);
    }
    return rc;
}

static int write_all(struct builder *b, struct error *e)
{
    const struct loader_target target = {.ctx = b, .map = window_map, .unmap = window_unmap};
    struct loader_error why;
    int rc = loader_pvh_write(&b->pvh, &b->image, &b->config, &target, &why);

    return build_written(b, rc, &why, e);
}

static int set_params(struct builder *b, struct error *e)
{
    const struct {
        uint32_t index;
        uint64_t value;
    } params[] = {
        {HVM_PARAM_CONSOLE_PFN, b->result.console_mfn},
        {HVM_PARAM_CONSOLE_EVTCHN, b->result.console_port},
        {HVM_PARAM_STORE_PFN, b->result.store_mfn},
        {HVM_PARAM_STORE_EVTCHN, b->result.store_port},
    };
    int rc = 0;

    for (size_t i = 0; i < sizeof(params) / sizeof(params[0]) && rc == 0; i++)
        rc = b->h->ops->domain_set_param(b->h, b->result.domid, params[i].index, params[i].value);
    return rc ? error_errno(e, rc, "%s: telling the domain where its rings are", b->cfg->name) : 0;
}

static int set_first_vcpu(struct builder *b, struct error *e)
{
    struct vcpu_guest_context *c = calloc(1, sizeof(*c));
    struct loader_pvh_state s;
    int rc;

    if (!c)
        return error_errno(e, -ENOMEM, "%s", b->cfg->name);
    loader_pvh_state(&s, &b->pvh);
    c->flags = VGCF_online;
    c->user_regs.rip = s.eip;
    c->user_regs.rbx = s.ebx;
    c->user_regs.rflags = s.eflags;
    c->ctrlreg[0] = s.cr0;
    c->ctrlreg[4] = s.cr4;
    rc = b->h->ops->vcpu_set_context(b->h, b->result.domid, 0, c);
    free(c);
    return rc ? error_errno(e, rc, "%s: setting the first vCPU", b->cfg->name) : 0;
}

static int lay_out(struct builder *b, struct error *e)
{
    int rc = write_all(b, e);

    b->result.console_mfn = CONSOLE_GFN;
    b->result.store_mfn = STORE_GFN;
    rc = rc ? rc : build_grant_rings(b, e);
    rc = rc ? rc : set_params(b, e);
    return rc ? rc : set_first_vcpu(b, e);
}

/* Its second page tables have large pages. */
#define EXTENT_ORDER 9u

const struct build_kind build_hvm = {.order = EXTENT_ORDER,
                                     .pages_beside = 3,
                                     .plan = plan,
                                     .give_memory = give_memory,
                                     .lay_out = lay_out};
