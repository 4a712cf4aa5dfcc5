/* SPDX-License-Identifier: MIT */
/*
 * The real machine behind struct host: what the host_xen*.c files share.
 *
 * All hypercalls go out through one buffer that is taken from libxencall at the start and
 * kept: page 0 carries the operation (domctl, sysctl, memory_op, ...), the pages after it
 * carry lists. Memory from libxencall is never swapped or moved under the hypervisor, and
 * one buffer for all calls spares an mmap and an munmap each. That makes a host a
 * single-threaded thing, which its header says.
 */
#ifndef PARVIS_TOOLS_HOST_XEN_H
#define PARVIS_TOOLS_HOST_XEN_H

#define __XEN_TOOLS__ 1 /* the headers show the control interface only to tools */

#include <xencall.h>
#include <xenevtchn.h>
#include <xenforeignmemory.h>
#include <xengnttab.h>
#include <xenstore.h>
#include <xentoollog.h>

#include "host.h"

/* What is longer comes in pieces. */
#define HOST_LIST_PAGES 4u
#define HOST_LIST_BYTES (HOST_LIST_PAGES * HOST_PAGE_SIZE)

struct host_xen {
    struct host host; /* first: the two are converted by cast */
    xencall_handle *call;
    xenforeignmemory_handle *fmem;
    xenevtchn_handle *evtchn;
    xengnttab_handle *gnttab;
    struct xs_handle *xs;         /* for requests */
    struct xs_handle *watches;    /* for watches alone: this one has a thread */
    int store_link, watches_link; /* their sockets */
    uint64_t store_lost_ms;       /* when the store did not answer; 0 = it does */
    int store_lost;               /* and why: -ENOTCONN has ended, -ETIME has not */
    void *op;                     /* one page for the operation */
    void *list;                   /* HOST_LIST_BYTES for what it points to */
};

static inline struct host_xen *to_xen(struct host *h)
{
    return (struct host_xen *)h;
}

/* The store did not answer: there is no connection any more. Returns why, for who has called. */
int host_store_lost(struct host_xen *x);
int __must_check host_need_store(struct host_xen *x);

/* A logger that says nothing: errors are ours to word. */
extern struct xentoollog_logger host_quiet_logger;

/* The operations: host_xen_domain.c, host_xen_memory.c, host_xen_event.c, host_xen_store.c,
 * host_xen_put.c, host_xen_version.c. */
#define HOST_OP(name, ...) int hx_##name(struct host *h, ##__VA_ARGS__);
#include "host_op_rows.h"
#undef HOST_OP

#endif
