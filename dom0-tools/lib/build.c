/* SPDX-License-Identifier: MIT */
/*
 * The domain builder: see build.h.
 *
 * Three stages. What can be known from the files alone is found out first, so that a bad kernel or
 * a domain that is too small never becomes a domain. Then the domain is made and given its memory,
 * then it is laid out by the loader, the same code that lays out boot-time domains. What differs by
 * kind is behind struct build_kind.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <xen/xen.h>

#include <xen/grant_table.h>

#include "build_internal.h"
#include "interrupt.h"
#include "kernel_cache.h"
#include "machine_lacks.h"
#include "progress.h"

/* Extents in one request: as many as take a moment, as a signal is looked at between two. */
#define POPULATE_MAX   512u
#define POPULATE_LARGE 64u

/* As Xen's own toolstack has them. */
#define MAX_EVTCHN_PORT     1023u
#define MAX_GRANT_FRAMES    64u
#define MAX_MAPTRACK_FRAMES 1024u

static uint64_t all_pages(const struct builder *b)
{
    return b->nr_pages + b->kind->pages_beside;
}

/* ---- stage 1: the files ---- */

static int read_files(struct builder *b, struct error *e)
{
    const uint64_t memory = b->nr_pages * HOST_PAGE_SIZE;
    int rc;

    if (b->cfg->grub && access(b->cfg->kernel, R_OK) < 0)
        return error_set(
            e, -errno,
            "%s: its file has no kernel, and GRUB, which would start instead, cannot be "
            "read: %s, of Debian's package grub-xen-host: %s",
            b->cfg->name, b->cfg->kernel, strerror(errno));
    rc = kernel_cache_open(b->cfg->kernel, memory, &b->kernel, e);
    if (rc == 0 && b->cfg->ramdisk)
        rc = ramdisk_open(b->cfg->ramdisk, memory, &b->ramdisk, e);
    b->config.nr_pages = b->nr_pages;
    b->config.cmdline = b->cfg->cmdline;
    b->config.ramdisk = b->ramdisk.data;
    b->config.ramdisk_size = b->ramdisk.size;
    return rc;
}

static int ask_machine(struct builder *b, struct host_physinfo *info, struct error *e)
{
    int rc = b->h->ops->physinfo(b->h, info);

    return rc ? error_errno(e, rc, "%s: asking what the machine has", b->cfg->name) : 0;
}

static int check_kind(struct builder *b, struct error *e)
{
    struct host_physinfo info;
    int rc = b->cfg->kind == KIND_PV ? 0 : ask_machine(b, &info, e);

    if (b->cfg->kind != KIND_PV && rc == 0 && machine_lacks(&info))
        return error_set(e, -EOPNOTSUPP, "%s: no %s guest can be had on this machine: %s",
                         b->cfg->name, kind_name(b->cfg->kind), machine_lacks(&info));
    return rc;
}

/* Not a promise, but a clear answer before anything is made. */
static int check_free_memory(struct builder *b, struct error *e)
{
    struct host_physinfo info;
    int rc = ask_machine(b, &info, e);

    if (rc)
        return rc;
    if (info.free_pages < all_pages(b))
        return error_set(e, -ENOMEM, "%s: <memory>: needs %llu KiB, %llu KiB are free",
                         b->cfg->name, (unsigned long long)all_pages(b) * KIB_PER_PAGE,
                         (unsigned long long)info.free_pages * KIB_PER_PAGE);
    return 0;
}

/* ---- stage 2: the domain and its memory ---- */

static int create(struct builder *b, struct error *e)
{
    struct host_create c = {
        .kind = b->cfg->kind,
        .max_vcpus = b->cfg->max_vcpus,
        .max_evtchn_port =
            b->cfg->max_event_channels ? b->cfg->max_event_channels : MAX_EVTCHN_PORT,
        .max_grant_frames = b->cfg->max_grant_frames ? b->cfg->max_grant_frames : MAX_GRANT_FRAMES,
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
    const struct host_ops *ops = b->h->ops;
    uint32_t domid = b->result.domid;
    int rc =
        ops->domain_max_mem(b->h, domid, b->cfg->memory_kib + b->kind->pages_beside * KIB_PER_PAGE);

    if (rc)
        return error_errno(e, rc, "%s: <memory>: setting the limit", b->cfg->name);
    rc = ops->domain_max_vcpus(b->h, domid, b->cfg->max_vcpus);
    if (rc)
        return error_errno(e, rc, "%s: <vcpu>: making %u vCPU%s", b->cfg->name, b->cfg->max_vcpus,
                           b->cfg->max_vcpus == 1 ? "" : "s");
    return 0;
}

/* Where the host put them, if that is to be known. */
static void note_frames(struct builder *b, uint64_t at, const uint64_t *frames, unsigned int order,
                        unsigned int done)
{
    for (uint64_t i = 0; b->mfns && i < (uint64_t)done << order; i++)
        b->mfns[at + i] = frames[i >> order] + (i & ((1ULL << order) - 1));
}

/* Extents of 2^order pages, as many as there are. */
static int populate(struct builder *b, unsigned int order, uint64_t *at, uint64_t end,
                    struct error *e)
{
    uint64_t left = (end - *at) >> order;

    while (left) {
        uint64_t frames[POPULATE_MAX];
        unsigned int most = order ? POPULATE_LARGE : POPULATE_MAX, done = 0;
        unsigned int nr = left < most ? (unsigned int)left : most;
        int rc = interrupt_check(b->cfg->name, e);

        if (rc)
            return rc;
        for (unsigned int i = 0; i < nr; i++)
            frames[i] = *at + ((uint64_t)i << order);
        rc = b->h->ops->populate_physmap(b->h, b->result.domid, nr, order, frames, &done);
        if (rc)
            return error_errno(e, rc, "%s: <memory>: giving memory to the domain", b->cfg->name);
        note_frames(b, *at, frames, order, done);
        *at += (uint64_t)done << order;
        b->given += (uint64_t)done << order;
        left -= done;
        progress(b->cfg->name, "memory", b->given, all_pages(b));
        if (done < nr)
            return 0;
    }
    return 0;
}

int build_populate(struct builder *b, uint64_t *at, uint64_t end, struct error *e)
{
    int rc = populate(b, b->kind->order, at, end, e);

    /* the rest, and whatever there was no large extent for */
    return rc ? rc : populate(b, 0, at, end, e);
}

static int give_memory(struct builder *b, struct error *e)
{
    int rc = b->kind->give_memory(b, e);

    if (rc == 0 && b->given < all_pages(b))
        return error_set(e, -ENOMEM, "%s: <memory>: memory ran out after %llu of %llu KiB",
                         b->cfg->name, (unsigned long long)b->given * KIB_PER_PAGE,
                         (unsigned long long)all_pages(b) * KIB_PER_PAGE);
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

/* ---- stage 3: what is in the memory: build_pv.c, build_hvm.c ---- */

int build_written(struct builder *b, int rc, const struct loader_error *why, struct error *e)
{
    int closed = window_close(b);

    if (rc && interrupt_came())
        return interrupt_check(b->cfg->name, e);
    if (rc && b->window.error)
        return error_errno(e, b->window.error, "%s: %s", b->cfg->name, why->text);
    if (rc)
        return error_set(e, rc, "%s: %s", b->cfg->name, why->text);
    if (closed)
        return error_errno(e, closed, "%s: unmapping the domain's memory", b->cfg->name);
    return 0;
}

int build_grant_rings(struct builder *b, struct error *e)
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

/* ---- all of it ---- */

static int furnish(struct builder *b, struct error *e)
{
    int rc = set_limits(b, e);

    rc = rc ? rc : give_memory(b, e);
    rc = rc ? rc : open_ports(b, e);
    return rc ? rc : b->kind->lay_out(b, e);
}

static int build(struct builder *b, struct error *e)
{
    int rc = check_kind(b, e);

    rc = rc ? rc : read_files(b, e);
    rc = rc ? rc : b->kind->plan(b, e);
    rc = rc ? rc : check_free_memory(b, e);
    if (rc)
        return rc;
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
    b->kind = cfg->kind == KIND_PV ? &build_pv : &build_hvm;
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
