/* SPDX-License-Identifier: MIT */
/*
 * Control of the machine, for the control domain's tools: sysctl(struct xen_sysctl *op).
 *
 * As domctl, but about no domain in particular: what machine it is, what is free, who is there,
 * the log. Only the control domain, else -XEN_EPERM; -XEN_EACCES for another interface
 * version; -XEN_EOPNOTSUPP for what does not exist or is not offered (docs/abi-coverage.md).
 *
 * Lists that are copied out: the caller gives room and receives the number; with a null handle
 * it receives the number alone.
 *
 * What a monitor needs in one go: physinfo (CPUs, memory), getdomaininfolist with room for a
 * few hundred (every domain's state, memory, CPU time: one call for all), getcpuinfo (idle time).
 * What a person needs after something was refused: readconsole; for each refused call of a
 * domain the log has a line that names domain, call, field and rule.
 *
 * Pages are of 4 KiB, times in ns, everywhere.
 *
 * Not offered, and so without structures: power states and frequencies, page offlining, lock
 * profiling, coverage, cache allocation, live patching.
 *
 * A call, as a tool makes it, with a list that is copied out:
 *
 *     xen_domctl_getdomaininfo_t *list = xencall_alloc_buffer(x, 64 * sizeof(*list));
 *     op->cmd = XEN_SYSCTL_getdomaininfolist;
 *     op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
 *     op->u.getdomaininfolist.first_domain = 0;
 *     op->u.getdomaininfolist.max_domains = 64;
 *     set_xen_guest_handle(op->u.getdomaininfolist.buffer, list);
 *     if (xencall1(x, __HYPERVISOR_sysctl, (uintptr_t)op) == 0)
 *         n = op->u.getdomaininfolist.num_domains;
 *
 * Each operation is about the machine as it is at the moment of the call; nothing is
 * held for the caller between two of them. What comes in pieces (domains, log) says
 * where to go on.
 *
 * Reserved fields are 0 in both directions. The order of checks is that of domctl:
 * privilege, structure, version, command, argument.
 */
#ifndef XEN_SYSCTL_H
#define XEN_SYSCTL_H

#include <xen/domctl.h>
#include <xen/physdev.h>
#include <xen/sysctl_cpu.h>
#include <xen/xen.h>

#define XEN_SYSCTL_INTERFACE_VERSION 0x00000015

/*
 * readconsole: the log ring. Without `incremental`, from the oldest byte that is kept; with it,
 * from byte `index` of the log on (from the oldest, if that one is gone), and index receives
 * the place to go on from. A follower starts with index 0 and asks again with what it got;
 * VIRQ_CON_RING tells when.
 *
 * The log has 64 KiB; what is pushed out of it is lost. A line is put in whole, ends
 * with a newline and begins with the time since the start, so a reader may cut at
 * newlines. `clear` forgets all that is there: a follower by index loses what it had
 * not read yet.
 *
 *     index = 0;
 *     for (;;) {
 *         op: incremental = 1, index, count = sizeof(buffer);
 *         write out the count bytes that came; index is what came back;
 *         if (count < sizeof(buffer)) wait for VIRQ_CON_RING;
 *     }
 */
#define XEN_SYSCTL_readconsole 1
struct xen_sysctl_readconsole {
    /* in: forget what was copied */
    uint8_t clear;
    uint8_t incremental; /* in */
    uint8_t pad0, pad1;
    uint32_t index; /* in, out */
    /* out: char[count], no NUL */
    xen_guest_handle_t buffer;
    /* in: room; out: copied */
    uint32_t count;
};

/*
 * tbuf_op: trace buffers: -XEN_EOPNOTSUPP.
 *
 * Trace buffers are a ring for each CPU in which the hypervisor would write what it
 * does, for programs that draw it. Layouts and numbers are here because such programs
 * ask at their start.
 */
#define XEN_SYSCTL_tbuf_op             2
#define XEN_SYSCTL_TBUFOP_get_info     0
#define XEN_SYSCTL_TBUFOP_set_cpu_mask 1
#define XEN_SYSCTL_TBUFOP_set_evt_mask 2
#define XEN_SYSCTL_TBUFOP_set_size     3
#define XEN_SYSCTL_TBUFOP_enable       4
#define XEN_SYSCTL_TBUFOP_disable      5
struct xen_sysctl_tbuf_op {
    uint32_t cmd; /* in */
    struct xenctl_bitmap cpu_mask;
    uint32_t evt_mask;
    uint64_aligned_t buffer_mfn; /* out */
    /* in, out: pages or bytes */
    uint32_t size;
};

/*
 * physinfo: the machine in numbers. free_pages + what all domains have + what the hypervisor keeps
 * for itself is total_pages at any time when nothing is being created or destroyed, so a
 * test of leaks compares free_pages before and after, to the page.
 *
 * cpu_khz is the TSC's rate. threads_per_core and cores_per_socket are as CPUID tells
 * them; nr_cpus is what the hypervisor knows of. capabilities tell a toolstack which
 * kinds of guests it can make: pv and gnttab_v1 are set. hvm: the CPUs have AMD's SVM, and
 * it is not switched off; hap: and nested paging. Fully virtualized guests need both.
 *
 * The three numbers of memory that people ask for: total_pages is what the machine has
 * given the hypervisor; free_pages is what a new domain can have; outstanding_pages
 * are promised to builders by XENMEM_claim_pages and still free.
 *
 * A tool that wants to know whether a domain of n pages fits compares with free_pages
 * less outstanding_pages, and adds what the domain costs beside its own pages: about 8
 * bytes a page of page tables and lists, and some pages for each vCPU and its tables
 * of grants and events.
 */
#define XEN_SYSCTL_physinfo                    3
#define _XEN_SYSCTL_PHYSCAP_hvm                0
#define XEN_SYSCTL_PHYSCAP_hvm                 (1u << _XEN_SYSCTL_PHYSCAP_hvm)
#define _XEN_SYSCTL_PHYSCAP_pv                 1
#define XEN_SYSCTL_PHYSCAP_pv                  (1u << _XEN_SYSCTL_PHYSCAP_pv)
#define _XEN_SYSCTL_PHYSCAP_directio           2
#define XEN_SYSCTL_PHYSCAP_directio            (1u << _XEN_SYSCTL_PHYSCAP_directio)
#define _XEN_SYSCTL_PHYSCAP_hap                3
#define XEN_SYSCTL_PHYSCAP_hap                 (1u << _XEN_SYSCTL_PHYSCAP_hap)
#define _XEN_SYSCTL_PHYSCAP_shadow             4
#define XEN_SYSCTL_PHYSCAP_shadow              (1u << _XEN_SYSCTL_PHYSCAP_shadow)
#define _XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share 5
#define XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share  (1u << _XEN_SYSCTL_PHYSCAP_iommu_hap_pt_share)
#define XEN_SYSCTL_PHYSCAP_vmtrace             (1u << 6)
#define XEN_SYSCTL_PHYSCAP_vpmu                (1u << 7)
#define XEN_SYSCTL_PHYSCAP_gnttab_v1           (1u << 8)
#define XEN_SYSCTL_PHYSCAP_gnttab_v2           (1u << 9)
#define XEN_SYSCTL_PHYSCAP_MAX                 XEN_SYSCTL_PHYSCAP_gnttab_v2
struct xen_sysctl_physinfo {
    uint32_t threads_per_core;
    uint32_t cores_per_socket;
    uint32_t nr_cpus;    /* online */
    uint32_t max_cpu_id; /* greatest possible */
    uint32_t nr_nodes;
    uint32_t max_node_id;
    uint32_t cpu_khz;
    /* XEN_SYSCTL_PHYSCAP_* */
    uint32_t capabilities;
    uint32_t arch_capabilities; /* 0 */
    uint32_t pad;
    /* RAM that is or was given out by the hypervisor */
    uint64_aligned_t total_pages;
    /* scrub_pages among them */
    uint64_aligned_t free_pages;
    /* free, not yet cleared */
    uint64_aligned_t scrub_pages;
    uint64_aligned_t outstanding_pages; /* free, but claimed */
    uint64_aligned_t max_mfn;
    /* CPUID words, for printing */
    uint32_t hw_cap[8];
};

/*
 * sched_id: XEN_SCHEDULER_* of the scheduler that is on.
 *
 * XEN_SCHEDULER_CREDIT2 (domctl/sched.h): the tools then know which parameters to
 * offer.
 */
#define XEN_SYSCTL_sched_id 4
struct xen_sysctl_sched_id {
    uint32_t sched_id; /* out */
};

/*
 * perfc_op: counters of a profiling build: -XEN_EOPNOTSUPP.
 *
 * Such counters cost something in every path that has one, so a build for use has
 * none.
 */
#define XEN_SYSCTL_perfc_op      5
#define XEN_SYSCTL_PERFCOP_reset 1
#define XEN_SYSCTL_PERFCOP_query 2
struct xen_sysctl_perfc_desc {
    char name[80];
    uint32_t nr_vals;
};
typedef struct xen_sysctl_perfc_desc xen_sysctl_perfc_desc_t;
typedef uint32_t xen_sysctl_perfc_val_t;
struct xen_sysctl_perfc_op {
    uint32_t cmd;         /* in */
    uint32_t nr_counters; /* out */
    uint32_t nr_vals;     /* out */
    /* out: xen_sysctl_perfc_desc_t[] */
    xen_guest_handle_t desc;
    /* out: xen_sysctl_perfc_val_t[] */
    xen_guest_handle_t val;
};

/*
 * getdomaininfolist: the domains from first_domain on, in order of their numbers. To go on, ask
 * again from the last number + 1; num_domains less than the room: that was all. Domains that are
 * being destroyed are in the list (XEN_DOMINF_dying) until they are gone.
 *
 * One entry is what getdomaininfo gives for one domain. The control domain is in the
 * list, the hypervisor's own pseudo-domains are not. A domain that comes or goes
 * between two calls of a long listing may be in it or not; none that is there
 * throughout is left out.
 */
#define XEN_SYSCTL_getdomaininfolist 6
struct xen_sysctl_getdomaininfolist {
    domid_t first_domain; /* in; out: what is behind the last one */
    uint32_t max_domains; /* in: room */
    /* out: xen_domctl_getdomaininfo_t[] */
    xen_guest_handle_t buffer;
    uint32_t num_domains; /* out */
};

/*
 * debug_keys: as if these keys were pressed on the hypervisor's console. Output goes
 * to the log.
 *
 * `q` prints each domain and its vCPUs, `g` each grant table; any other key prints
 * what keys there are. It is for when something hangs, since it asks nothing of the
 * domains that it prints. It gives way between lines, and notes in nr_keys how far it is.
 */
#define XEN_SYSCTL_debug_keys 7
struct xen_sysctl_debug_keys {
    xen_guest_handle_t keys; /* in: char[nr_keys] */
    uint32_t nr_keys;        /* in */
};

/*
 * getcpuinfo: idle time of each physical CPU.
 *
 * Load over a time is 1 - (idle at the end - idle at the beginning) / time. nr_cpus is
 * the number of entries that were filled.
 */
#define XEN_SYSCTL_getcpuinfo 8
struct xen_sysctl_cpuinfo {
    uint64_aligned_t idletime; /* ns */
};
typedef struct xen_sysctl_cpuinfo xen_sysctl_cpuinfo_t;
struct xen_sysctl_getcpuinfo {
    uint32_t max_cpus; /* in: room */
    /* out: xen_sysctl_cpuinfo_t[] */
    xen_guest_handle_t info;
    uint32_t nr_cpus; /* out */
};

/*
 * availheap: free memory of addresses with a width between the two; 0: no bound; node
 * -1: all.
 *
 * avail_bytes counts whole pages. Bounds on the width of addresses are not looked at
 * yet: what comes back is all that is free on the node.
 */
#define XEN_SYSCTL_availheap 9
struct xen_sysctl_availheap {
    uint32_t min_bitwidth;        /* in */
    uint32_t max_bitwidth;        /* in */
    int32_t node;                 /* in */
    uint64_aligned_t avail_bytes; /* out */
};

/*
 * Power states and frequencies of CPUs: -XEN_EOPNOTSUPP.
 *
 * What tools such as xenpm show: how long each CPU was in which state. CPUs idle by
 * HLT and keep the frequency that firmware chose.
 */
#define XEN_SYSCTL_get_pmstat 10
#define XEN_SYSCTL_pm_op      12

/*
 * cpu_hotplug: a physical CPU on or off. Not here: -XEN_EOPNOTSUPP.
 *
 * CPUs that the hypervisor found at its start stay as they are until the machine is
 * switched off.
 */
#define XEN_SYSCTL_cpu_hotplug             11
#define XEN_SYSCTL_CPU_HOTPLUG_ONLINE      0
#define XEN_SYSCTL_CPU_HOTPLUG_OFFLINE     1
#define XEN_SYSCTL_CPU_HOTPLUG_SMT_ENABLE  2
#define XEN_SYSCTL_CPU_HOTPLUG_SMT_DISABLE 3
struct xen_sysctl_cpu_hotplug {
    uint32_t cpu;
    /* XEN_SYSCTL_CPU_HOTPLUG_* */
    uint32_t op;
};

/*
 * Taking single frames of RAM out of use, after memory errors; and counts of contended
 * locks.
 */
#define XEN_SYSCTL_page_offline_op 14 /* -XEN_EOPNOTSUPP */
#define XEN_SYSCTL_lockprof_op     15 /* -XEN_EOPNOTSUPP */

/*
 * The envelope, as domctl's, without a domain. Results come back in the member that
 * went in, on success alone. 128 bytes are the union in every version.
 */
struct xen_sysctl {
    uint32_t cmd; /* XEN_SYSCTL_* */
    /* XEN_SYSCTL_INTERFACE_VERSION */
    uint32_t interface_version;
    union {
        struct xen_sysctl_readconsole readconsole;
        struct xen_sysctl_tbuf_op tbuf_op;
        struct xen_sysctl_physinfo physinfo;
        struct xen_sysctl_cputopoinfo cputopoinfo;
        struct xen_sysctl_pcitopoinfo pcitopoinfo;
        struct xen_sysctl_numainfo numainfo;
        struct xen_sysctl_sched_id sched_id;
        struct xen_sysctl_perfc_op perfc_op;
        struct xen_sysctl_getdomaininfolist getdomaininfolist;
        struct xen_sysctl_debug_keys debug_keys;
        struct xen_sysctl_getcpuinfo getcpuinfo;
        struct xen_sysctl_availheap availheap;
        struct xen_sysctl_cpu_hotplug cpu_hotplug;
        struct xen_sysctl_cpupool_op cpupool_op;
        struct xen_sysctl_scheduler_op scheduler_op;
        struct xen_sysctl_cpu_levelling_caps cpu_levelling_caps;
        struct xen_sysctl_cpu_featureset cpu_featureset;
        struct xen_sysctl_livepatch_op livepatch;
        struct xen_sysctl_cpu_policy cpu_policy;
        uint8_t pad[128];
    } u;
};
typedef struct xen_sysctl xen_sysctl_t;

#endif /* XEN_SYSCTL_H */
