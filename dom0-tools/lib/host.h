/* SPDX-License-Identifier: MIT */
/*
 * The host interface: everything that the toolstack asks of the outside world.
 *
 * One table of operations at the level of hypercalls, event channels, grants and the
 * store, whose rows are host_op_rows.h. host_xen.c fills it with the stable Xen libraries
 * (libxencall, libxenevtchn, libxengnttab, libxenforeignmemory, libxenstore);
 * tests/unit/fake_host.c fills it with a model of a machine that can refuse any single call. So the
 * builder, the lifecycle and the console are tested without a hypervisor, each failure path
 * included.
 *
 * Conventions: 0 or a negative errno (the numbers of Linux and of XEN_E* agree for all
 * errors the interface uses). Results come through out-parameters, which are untouched
 * on failure. Machine frame numbers are uint64_t, sizes of memory are in pages or KiB as
 * the name says. A string result is malloc'ed and belongs to the caller.
 *
 * Invariant: whoever got something (domain, mapping, port, grant, transaction)
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

#include <parvis/counters.h>
#include <parvis/speculation.h>

#include "error.h"
#include "kind.h"

struct vcpu_guest_context; /* include/xen/arch-x86/xen.h */

#define HOST_PAGE_SIZE 4096u
#define HOST_CPU_MODEL 49u /* 48 characters and the end */

/* What createdomain takes. */
struct host_create {
    enum guest_kind kind;
    uint8_t uuid[16];
    uint32_t max_vcpus;
    uint32_t max_evtchn_port;     /* highest port the guest may use */
    uint32_t max_grant_frames;    /* pages of grant table */
    uint32_t max_maptrack_frames; /* pages to track the guest's own mappings */
};

/* One domain as the hypervisor reports it. */
struct host_domain {
    uint32_t domid;
    enum guest_kind kind;
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

/* A domain's share of CPU time. */
struct host_sched {
    unsigned int weight; /* against others, 1 to 65535 */
    unsigned int cap;    /* hundredths of one CPU, at most; 0 = no limit */
};

struct host_physinfo {
    uint32_t nr_cpus, threads_per_core, cores_per_socket, nr_nodes, cpu_khz;
    uint64_t total_pages, free_pages, scrub_pages;
    bool pv;
    bool svm, hvm, hap; /* the CPUs have SVM; it can be used; with nested paging */
    bool emulated;      /* the CPUs are QEMU's software */
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

/* One entry of the store. */
struct host_entry {
    char path[160];
    const char *value; /* NULL: what it has stays */
    const char *perms; /* as store_perms() has them; NULL: what it has, or its parent */
};

enum host_prot { HOST_READ = 1, HOST_WRITE = 2 };

/* Handle of a store transaction; 0 = outside any transaction. */
typedef uint32_t host_txn_t;

struct host;

struct host_ops {
#define HOST_OP(name, ...) int (*name)(struct host * h, ##__VA_ARGS__);
#include "host_op_rows.h"
#undef HOST_OP
    void (*close)(struct host *h);
};

struct host {
    const struct host_ops *ops;
    unsigned int store_patience_ms; /* how long the store may take to answer; 0 = some seconds */
};

/* The real machine. Opens what it needs at first use, so that a verb that needs only the
 * store does not fail for want of the hypervisor's device. */
int __must_check host_open_xen(struct host **out, struct error *e);

static inline void host_close(struct host *h)
{
    if (h)
        h->ops->close(h);
}

#endif
