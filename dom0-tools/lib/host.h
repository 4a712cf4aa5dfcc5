/* SPDX-License-Identifier: MIT */
/*
 * The host interface: everything that the toolstack asks of the outside world.
 *
 * One table of operations at the level of hypercalls, event channels, grants and the
 * store. host_xen.c fills it with the stable Xen libraries (libxencall, libxenevtchn,
 * libxengnttab, libxenforeignmemory, libxenstore); tests/unit/fake_host.c fills it with
 * a model of a machine that can refuse any single call. So the builder, the lifecycle
 * and the console are tested without a hypervisor, each failure path included.
 *
 * Conventions: 0 or a negative errno (the numbers of Linux and of XEN_E* agree for all
 * errors the interface uses). Results come through out-parameters, which are untouched
 * on failure. Machine frame numbers are uint64_t, sizes of memory are in pages or KiB as
 * the name says. A string result is malloc'ed and belongs to the caller.
 *
 * Invariant: whoever got something (domain, mapping, port, grant, watch, transaction)
 * gives it back with the paired call. The fake counts them; tests check that the count
 * returns to zero whichever call was made to fail.
 *
 * A host belongs to one thread: no lock.
 */
#ifndef PARVIS_TOOLS_HOST_H
#define PARVIS_TOOLS_HOST_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

struct vcpu_guest_context; /* include/xen/arch-x86/xen.h */

#define HOST_PAGE_SIZE 4096u

/* What createdomain takes for a PV domain. */
struct host_create {
    uint8_t uuid[16];
    uint32_t max_vcpus;
    uint32_t max_evtchn_port;     /* highest port the guest may use */
    uint32_t max_grant_frames;    /* pages of grant table */
    uint32_t max_maptrack_frames; /* pages to track the guest's own mappings */
};

/* One domain as the hypervisor reports it. */
struct host_domain {
    uint32_t domid;
    uint8_t uuid[16];
    bool dying, shutdown, paused, blocked, running;
    unsigned int shutdown_reason; /* SHUTDOWN_*, valid if shutdown */
    uint64_t nr_pages, max_pages;
    uint64_t shared_info_frame; /* machine frame */
    uint64_t cpu_time_ns;
    uint32_t online_vcpus, max_vcpu_id;
};

struct host_vcpu {
    bool online, blocked, running;
    uint64_t cpu_time_ns;
    uint32_t cpu;
};

struct host_physinfo {
    uint32_t nr_cpus, threads_per_core, cores_per_socket, nr_nodes, cpu_khz;
    uint64_t total_pages, free_pages, scrub_pages;
    bool pv, hvm;
};

struct host_version {
    uint32_t major, minor;
    char extra[16];
    char capabilities[1024];
    char changeset[64];
    char compiler[64], compile_by[16], compile_domain[32], compile_date[32];
    char commandline[1024];
    uint64_t virt_start;
};

/* One line of the pseudo-physical memory map; type as in E820 (1 = RAM). */
struct host_e820 {
    uint64_t addr, size;
    uint32_t type;
};

/* One grant entry that the builder prepares for a new domain: access for `domid`. */
struct host_grant {
    uint32_t ref;
    uint32_t domid;
    uint64_t frame; /* machine frame */
};

enum host_prot { HOST_READ = 1, HOST_WRITE = 2 };

/* Handle of a store transaction; 0 = outside any transaction. */
typedef uint32_t host_txn_t;

struct host;

struct host_ops {
    /* ---- hypervisor ---- */
    int (*version)(struct host *h, struct host_version *out);
    int (*physinfo)(struct host *h, struct host_physinfo *out);
    /* Hypervisor log: at most *len bytes into buf, *len becomes what was read. `index` goes on
     * where the call before ended (start with 0); with `clear` the log is emptied. */
    int (*readconsole)(struct host *h, char *buf, uint32_t *len, uint32_t *index, bool clear);

    /* ---- domains (domctl, sysctl) ---- */
    /* Up to max domains with domid >= first; *count says how many. */
    int (*domain_list)(struct host *h, uint32_t first, struct host_domain *out, unsigned int max,
                       unsigned int *count);
    int (*domain_create)(struct host *h, const struct host_create *c, uint32_t *domid);
    int (*domain_destroy)(struct host *h, uint32_t domid); /* returns when all is freed */
    int (*domain_pause)(struct host *h, uint32_t domid);
    int (*domain_unpause)(struct host *h, uint32_t domid);
    int (*domain_max_mem)(struct host *h, uint32_t domid, uint64_t max_kib);
    int (*domain_max_vcpus)(struct host *h, uint32_t domid, uint32_t max);
    int (*domain_set_weight)(struct host *h, uint32_t domid, unsigned int weight);
    int (*domain_hypercall_init)(struct host *h, uint32_t domid, uint64_t mfn);
    int (*vcpu_set_context)(struct host *h, uint32_t domid, uint32_t vcpu,
                            const struct vcpu_guest_context *ctxt);
    int (*vcpu_info)(struct host *h, uint32_t domid, uint32_t vcpu, struct host_vcpu *out);

    /* ---- memory of a domain ---- */
    /* Gives the domain nr extents of 2^order pages at the pfns in frames[]; frames[i] becomes
     * the first machine frame of extent i. *done says how many were given; done < nr without
     * an error means that memory ran out. */
    int (*populate_physmap)(struct host *h, uint32_t domid, unsigned int nr, unsigned int order,
                            uint64_t *frames, unsigned int *done);
    int (*set_memory_map)(struct host *h, uint32_t domid, const struct host_e820 *map,
                          unsigned int nr);
    int (*pin_l4)(struct host *h, uint32_t domid, uint64_t mfn);
    /* Maps nr machine frames of the domain, in this order, at one virtual range. */
    int (*foreign_map)(struct host *h, uint32_t domid, int prot, const uint64_t *mfns, size_t nr,
                       void **va);
    int (*foreign_unmap)(struct host *h, void *va, size_t nr);
    /* Writes entries of the domain's (version 1) grant table. */
    int (*grant_seed)(struct host *h, uint32_t domid, const struct host_grant *g, unsigned int nr);

    /* ---- event channels ---- */
    /* A port in `domid` that `remote` may bind to. */
    int (*evtchn_alloc_unbound)(struct host *h, uint32_t domid, uint32_t remote, uint32_t *port);
    int (*evtchn_bind)(struct host *h, uint32_t domid, uint32_t remote_port, uint32_t *port);
    int (*evtchn_bind_virq)(struct host *h, unsigned int virq, uint32_t *port);
    int (*evtchn_unbind)(struct host *h, uint32_t port);
    int (*evtchn_notify)(struct host *h, uint32_t port);
    int (*evtchn_unmask)(struct host *h, uint32_t port);
    int (*evtchn_fd)(struct host *h); /* becomes readable when a port is pending */
    int (*evtchn_pending)(struct host *h, uint32_t *port);

    /* ---- grants given to us ---- */
    int (*grant_map)(struct host *h, uint32_t domid, uint32_t ref, int prot, void **va);
    int (*grant_unmap)(struct host *h, void *va);

    /* ---- store: -ENOTCONN when its daemon does not answer; no call waits for ever ---- */
    int (*store_begin)(struct host *h, host_txn_t *t);
    int (*store_end)(struct host *h, host_txn_t t, bool abort); /* -EAGAIN: do it all again */
    int (*store_read)(struct host *h, host_txn_t t, const char *path, char **value);
    int (*store_write)(struct host *h, host_txn_t t, const char *path, const char *value);
    int (*store_mkdir)(struct host *h, host_txn_t t, const char *path);
    int (*store_rm)(struct host *h, host_txn_t t, const char *path); /* 0 if there was nothing */
    int (*store_list)(struct host *h, host_txn_t t, const char *path, char ***names,
                      unsigned int *nr); /* one free() for names */
    /* perms: as xenstore writes them, "n<owner>" then "r<domid>", "w<domid>", "b<domid>"; the
     * string holds them separated by spaces: "n0 r5". */
    int (*store_perms)(struct host *h, host_txn_t t, const char *path, const char *perms);
    int (*store_watch)(struct host *h, const char *path, const char *token);
    int (*store_unwatch)(struct host *h, const char *path, const char *token);
    int (*store_fd)(struct host *h);   /* becomes readable when a watch has fired */
    int (*store_link)(struct host *h); /* hangs up (POLLHUP) when the store daemon ends */
    /* Never waits: -EAGAIN if no watch has fired. */
    int (*store_event)(struct host *h, char **path, char **token);
    int (*store_introduce)(struct host *h, uint32_t domid, uint64_t mfn, uint32_t port);
    int (*store_release)(struct host *h, uint32_t domid);

    void (*close)(struct host *h);
};

struct host {
    const struct host_ops *ops;
    unsigned int store_patience_ms; /* how long the store may take to answer; 0 = some seconds */
};

struct error;

/* The real machine. Opens what it needs at first use, so that a verb that needs only the
 * store does not fail for want of the hypervisor's device. */
int host_open_xen(struct host **out, struct error *e);

static inline void host_close(struct host *h)
{
    if (h)
        h->ops->close(h);
}

#endif
