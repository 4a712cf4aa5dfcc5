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
#define HOST_OP(name, ...) .name = hx_##name,
#include "host_op_rows.h"
#undef HOST_OP
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
