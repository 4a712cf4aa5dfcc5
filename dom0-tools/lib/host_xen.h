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

#define HOST_LIST_PAGES 16u
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
    void *op;                     /* one page for the operation */
    void *list;                   /* HOST_LIST_BYTES for what it points to */
};

static inline struct host_xen *to_xen(struct host *h)
{
    return (struct host_xen *)h;
}

/* A logger that says nothing: errors are ours to word. */
extern struct xentoollog_logger host_quiet_logger;

/* host_xen_domain.c */
int hx_version(struct host *h, struct host_version *out);
int hx_physinfo(struct host *h, struct host_physinfo *out);
int hx_readconsole(struct host *h, char *buf, uint32_t *len, uint32_t *index, bool clear);
int hx_domain_list(struct host *h, uint32_t first, struct host_domain *out, unsigned int max,
                   unsigned int *count);
int hx_domain_create(struct host *h, const struct host_create *c, uint32_t *domid);
int hx_domain_destroy(struct host *h, uint32_t domid);
int hx_domain_pause(struct host *h, uint32_t domid);
int hx_domain_unpause(struct host *h, uint32_t domid);
int hx_domain_max_mem(struct host *h, uint32_t domid, uint64_t max_kib);
int hx_domain_max_vcpus(struct host *h, uint32_t domid, uint32_t max);
int hx_domain_set_weight(struct host *h, uint32_t domid, unsigned int weight);
int hx_domain_hypercall_init(struct host *h, uint32_t domid, uint64_t mfn);
int hx_vcpu_set_context(struct host *h, uint32_t domid, uint32_t vcpu,
                        const struct vcpu_guest_context *ctxt);
int hx_vcpu_info(struct host *h, uint32_t domid, uint32_t vcpu, struct host_vcpu *out);

/* host_xen_memory.c */
int hx_populate_physmap(struct host *h, uint32_t domid, unsigned int nr, unsigned int order,
                        uint64_t *frames, unsigned int *done);
int hx_set_memory_map(struct host *h, uint32_t domid, const struct host_e820 *map, unsigned int nr);
int hx_pin_l4(struct host *h, uint32_t domid, uint64_t mfn);
int hx_foreign_map(struct host *h, uint32_t domid, int prot, const uint64_t *mfns, size_t nr,
                   void **va);
int hx_foreign_unmap(struct host *h, void *va, size_t nr);
int hx_grant_seed(struct host *h, uint32_t domid, const struct host_grant *g, unsigned int nr);
int hx_grant_map(struct host *h, uint32_t domid, uint32_t ref, int prot, void **va);
int hx_grant_unmap(struct host *h, void *va);

/* host_xen_event.c */
int hx_evtchn_alloc_unbound(struct host *h, uint32_t domid, uint32_t remote, uint32_t *port);
int hx_evtchn_bind(struct host *h, uint32_t domid, uint32_t remote_port, uint32_t *port);
int hx_evtchn_bind_virq(struct host *h, unsigned int virq, uint32_t *port);
int hx_evtchn_unbind(struct host *h, uint32_t port);
int hx_evtchn_notify(struct host *h, uint32_t port);
int hx_evtchn_unmask(struct host *h, uint32_t port);
int hx_evtchn_fd(struct host *h);
int hx_evtchn_pending(struct host *h, uint32_t *port);

/* host_xen_store.c */
int hx_store_begin(struct host *h, host_txn_t *t);
int hx_store_end(struct host *h, host_txn_t t, bool abort);
int hx_store_read(struct host *h, host_txn_t t, const char *path, char **value);
int hx_store_write(struct host *h, host_txn_t t, const char *path, const char *value);
int hx_store_mkdir(struct host *h, host_txn_t t, const char *path);
int hx_store_rm(struct host *h, host_txn_t t, const char *path);
int hx_store_list(struct host *h, host_txn_t t, const char *path, char ***names, unsigned int *nr);
int hx_store_perms(struct host *h, host_txn_t t, const char *path, const char *perms);
int hx_store_watch(struct host *h, const char *path, const char *token);
int hx_store_unwatch(struct host *h, const char *path, const char *token);
int hx_store_fd(struct host *h);
int hx_store_link(struct host *h);
int hx_store_event(struct host *h, char **path, char **token);
int hx_store_introduce(struct host *h, uint32_t domid, uint64_t mfn, uint32_t port);
int hx_store_release(struct host *h, uint32_t domid);

#endif
