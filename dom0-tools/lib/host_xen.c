/* SPDX-License-Identifier: MIT */
/*
 * Opening and closing the real machine: see host_xen.h.
 *
 * The control device is opened at once, because nothing works without it and "this is not
 * the control domain" is the answer a person needs. Event channels, grants, foreign
 * mappings and the store are opened by the first operation that wants them: `pvctl info`
 * must work when xenstored is dead, for that is when one asks.
 */
#include "host_xen.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "error.h"

static void quiet_message(struct xentoollog_logger *l, xentoollog_level level, int errnoval,
                          const char *context, const char *format, va_list al)
{
    (void)l, (void)level, (void)errnoval, (void)context, (void)format, (void)al;
}

static void quiet_progress(struct xentoollog_logger *l, const char *context, const char *what,
                           int percent, unsigned long done, unsigned long total)
{
    (void)l, (void)context, (void)what, (void)percent, (void)done, (void)total;
}

static void quiet_destroy(struct xentoollog_logger *l)
{
    (void)l;
}

struct xentoollog_logger host_quiet_logger = {quiet_message, quiet_progress, quiet_destroy};

static void hx_close(struct host *h)
{
    struct host_xen *x = to_xen(h);

    if (x->xs)
        xs_close(x->xs);
    if (x->watches)
        xs_close(x->watches);
    if (x->gnttab)
        xengnttab_close(x->gnttab);
    if (x->evtchn)
        xenevtchn_close(x->evtchn);
    if (x->fmem)
        xenforeignmemory_close(x->fmem);
    if (x->op)
        xencall_free_buffer_pages(x->call, x->op, 1 + HOST_LIST_PAGES);
    xencall_close(x->call);
    free(x);
}

static const struct host_ops xen_ops = {
    .version = hx_version,
    .physinfo = hx_physinfo,
    .readconsole = hx_readconsole,
    .domain_list = hx_domain_list,
    .domain_create = hx_domain_create,
    .domain_destroy = hx_domain_destroy,
    .domain_pause = hx_domain_pause,
    .domain_unpause = hx_domain_unpause,
    .domain_max_mem = hx_domain_max_mem,
    .domain_max_vcpus = hx_domain_max_vcpus,
    .domain_set_weight = hx_domain_set_weight,
    .domain_hypercall_init = hx_domain_hypercall_init,
    .vcpu_set_context = hx_vcpu_set_context,
    .vcpu_info = hx_vcpu_info,
    .populate_physmap = hx_populate_physmap,
    .set_memory_map = hx_set_memory_map,
    .pin_l4 = hx_pin_l4,
    .foreign_map = hx_foreign_map,
    .foreign_unmap = hx_foreign_unmap,
    .grant_seed = hx_grant_seed,
    .evtchn_alloc_unbound = hx_evtchn_alloc_unbound,
    .evtchn_bind = hx_evtchn_bind,
    .evtchn_bind_virq = hx_evtchn_bind_virq,
    .evtchn_unbind = hx_evtchn_unbind,
    .evtchn_notify = hx_evtchn_notify,
    .evtchn_unmask = hx_evtchn_unmask,
    .evtchn_fd = hx_evtchn_fd,
    .evtchn_pending = hx_evtchn_pending,
    .grant_map = hx_grant_map,
    .grant_unmap = hx_grant_unmap,
    .store_begin = hx_store_begin,
    .store_end = hx_store_end,
    .store_read = hx_store_read,
    .store_write = hx_store_write,
    .store_mkdir = hx_store_mkdir,
    .store_rm = hx_store_rm,
    .store_list = hx_store_list,
    .store_perms = hx_store_perms,
    .store_watch = hx_store_watch,
    .store_unwatch = hx_store_unwatch,
    .store_fd = hx_store_fd,
    .store_link = hx_store_link,
    .store_event = hx_store_event,
    .store_introduce = hx_store_introduce,
    .store_release = hx_store_release,
    .close = hx_close,
};

int host_open_xen(struct host **out, struct error *e)
{
    struct host_xen *x = calloc(1, sizeof(*x));

    if (!x)
        return error_errno(e, -ENOMEM, "opening the control interface");
    x->host.ops = &xen_ops;
    x->call = xencall_open(&host_quiet_logger, 0);
    if (!x->call) {
        int err = errno;

        free(x);
        return error_set(e, -err,
                         "/dev/xen/privcmd: %s: this command works in the control domain, as "
                         "root, with the module xen-privcmd loaded",
                         strerror(err));
    }
    x->op = xencall_alloc_buffer_pages(x->call, 1 + HOST_LIST_PAGES);
    if (!x->op) {
        xencall_close(x->call);
        free(x);
        return error_errno(e, -ENOMEM, "hypercall buffer");
    }
    x->list = (char *)x->op + HOST_PAGE_SIZE;
    *out = &x->host;
    return 0;
}
