/* SPDX-License-Identifier: MIT */
/*
 * Control of domains, for the control domain's tools: domctl(struct xen_domctl *op).
 *
 * One structure for all: a command, the interface version, the domain it is about, and a union
 * with the command's own argument, which also carries the results back. Results are written only
 * on success, except where a command says so. Its parts are described in xen/domctl/:
 *     lifecycle.h  create, destroy, pause, limits, state, identity
 *     vcpu.h       state of vCPUs, affinity, CPU policy, TSC, debugging
 *     sched.h      weight and cap
 *     memory.h     page types for saving, dirty tracking
 *     device.h     rights to ports, memory and interrupts, device assignment
 *
 * Who: the control domain. Some may be called by a domain about one that it was given as a
 * target (set_target).
 * Errors for all: -XEN_EACCES the version is not XEN_DOMCTL_INTERFACE_VERSION (so that tools of
 * another version stop at once), -XEN_ESRCH no such domain, -XEN_EPERM, -XEN_EFAULT,
 * -XEN_EOPNOTSUPP a command that does not exist or is not offered (docs/abi-coverage.md).
 *
 * How a tool makes the call: libxencall's xencall1(handle, __HYPERVISOR_domctl, address), with the
 * structure and every buffer that it points to in memory from xencall_alloc_buffer (pages that
 * are present and stay where they are). Returns 0 or more on success; else -1, and errno has
 * the number of the XEN_E* error.
 *
 * Calls that take long (destroydomain, getpageframeinfo3) are continued by the hypervisor; the
 * caller sees one call.
 *
 * The headers describe what an operation is; docs/abi-coverage.md says which of them are answered
 * at present.
 *
 * This interface is versioned and can change with the version, unlike that of guests. Numbers of
 * features that do not exist here (fully virtualized guests, introspection, cache allocation) are
 * kept and say so; their structures are left out, as the union has a fixed size anyway.
 *
 * A call in C, as a tool makes it:
 *
 *     struct xen_domctl *op = xencall_alloc_buffer(x, sizeof(*op));
 *     memset(op, 0, sizeof(*op));
 *     op->cmd = XEN_DOMCTL_max_mem;
 *     op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
 *     op->domain = 5;
 *     op->u.max_mem.max_memkb = 262144;
 *     if (xencall1(x, __HYPERVISOR_domctl, (uintptr_t)op) < 0)
 *         error is errno;
 *
 * The order in which the hypervisor looks: privilege of the caller, the structure
 * (copied in once), its version, whether the command is known, the domain, then what
 * the command asks. So a tool of another version learns that and nothing else, and a
 * command that is not offered says so before the domain is looked for.
 *
 * Reserved and padding fields are given as 0. Handles are addresses in the tool's
 * memory, 8 bytes; fields of 8 bytes are 8-aligned for 32-bit tools too.
 *
 * Building a domain, as pvctl does it (dom0-tools/lib/build.c), each step a call:
 *
 *     domctl createdomain           a number; the domain exists, paused, empty
 *     domctl max_mem, max_vcpus     its limits
 *     memory_op populate_physmap    pages, 2 MiB at a time where there are such
 *     event_channel_op alloc_unbound   two ports: store, console
 *     (foreign mappings)            kernel, ramdisk, tables, start_info are written
 *     domctl hypercall_init         the page of stubs
 *     memory_op acquire_resource    the two reserved grants
 *     mmuext_op PIN_L4_TABLE        in the name of the domain: all its tables are checked here
 *     domctl setvcpucontext         where vCPU 0 begins
 *     xenstored introduce, entries in the store, back ends
 *     domctl unpausedomain          its first instruction
 *
 * and taking it away: destroydomain; back ends and daemons let go of its pages; when
 * getdomaininfo says that there is no such domain, all of its memory is free again.
 *
 * What an operator's program should make of errors: ESRCH, the domain ended meanwhile,
 * is common and often as good as success; EINVAL has a line in the log that names the
 * field; ENOMEM says that the machine is full; EACCES, that program and hypervisor are
 * of different versions; EOPNOTSUPP, that this hypervisor does without. EPERM is for
 * programs that do not run in the control domain; in it they need the right to open
 * /dev/xen/privcmd.
 *
 * Two tools at once: the calls of both are served in some order, each as a whole;
 * operations on one domain wait for each other, those on different domains do not.
 * What must hold over several calls is the tools' own business.
 */
#ifndef XEN_DOMCTL_H
#define XEN_DOMCTL_H

#include <xen/domctl/device.h>
#include <xen/domctl/lifecycle.h>
#include <xen/domctl/memory.h>
#include <xen/domctl/sched.h>
#include <xen/domctl/vcpu.h>
#include <xen/event_channel.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/xen.h>

/*
 * It changes whenever a layout of these headers does. All operations of one version go
 * together: there is no operation that a tool may make with an older one.
 */
#define XEN_DOMCTL_INTERFACE_VERSION 0x00000015

/*
 * In the margin: member of the union, or - for none; "no": answers -XEN_EOPNOTSUPP.
 *
 * Numbers that are missing were in use in older versions and are not given out again.
 * The answers of all of them, with reasons, are in docs/abi-coverage.md, which a test
 * holds against this list.
 */
#define XEN_DOMCTL_createdomain            1    /* createdomain */
#define XEN_DOMCTL_destroydomain           2    /* - */
#define XEN_DOMCTL_pausedomain             3    /* - */
#define XEN_DOMCTL_unpausedomain           4    /* - */
#define XEN_DOMCTL_getdomaininfo           5    /* getdomaininfo */
#define XEN_DOMCTL_setvcpuaffinity         9    /* vcpuaffinity */
#define XEN_DOMCTL_shadow_op               10   /* shadow_op */
#define XEN_DOMCTL_max_mem                 11   /* max_mem */
#define XEN_DOMCTL_setvcpucontext          12   /* vcpucontext */
#define XEN_DOMCTL_getvcpucontext          13   /* vcpucontext */
#define XEN_DOMCTL_getvcpuinfo             14   /* getvcpuinfo */
#define XEN_DOMCTL_max_vcpus               15   /* max_vcpus */
#define XEN_DOMCTL_scheduler_op            16   /* scheduler_op */
#define XEN_DOMCTL_setdomainhandle         17   /* setdomainhandle */
#define XEN_DOMCTL_setdebugging            18   /* setdebugging */
#define XEN_DOMCTL_irq_permission          19   /* irq_permission */
#define XEN_DOMCTL_iomem_permission        20   /* iomem_permission */
#define XEN_DOMCTL_ioport_permission       21   /* ioport_permission */
#define XEN_DOMCTL_hypercall_init          22   /* hypercall_init */
#define XEN_DOMCTL_settimeoffset           24   /* settimeoffset */
#define XEN_DOMCTL_getvcpuaffinity         25   /* vcpuaffinity */
#define XEN_DOMCTL_real_mode_area          26   /* no: other architecture */
#define XEN_DOMCTL_resumedomain            27   /* - */
#define XEN_DOMCTL_sendtrigger             28   /* sendtrigger */
#define XEN_DOMCTL_subscribe               29   /* subscribe; no */
#define XEN_DOMCTL_gethvmcontext           33   /* no: fully virtualized guests */
#define XEN_DOMCTL_sethvmcontext           34   /* no: fully virtualized guests */
#define XEN_DOMCTL_set_address_size        35   /* address_size */
#define XEN_DOMCTL_get_address_size        36   /* address_size */
#define XEN_DOMCTL_assign_device           37   /* assign_device; no IOMMU */
#define XEN_DOMCTL_bind_pt_irq             38   /* no: fully virtualized guests */
#define XEN_DOMCTL_memory_mapping          39   /* no: fully virtualized guests */
#define XEN_DOMCTL_ioport_mapping          40   /* no: fully virtualized guests */
#define XEN_DOMCTL_set_ext_vcpucontext     42   /* ext_vcpucontext */
#define XEN_DOMCTL_get_ext_vcpucontext     43   /* ext_vcpucontext */
#define XEN_DOMCTL_set_opt_feature         44   /* no: other architecture */
#define XEN_DOMCTL_test_assign_device      45   /* assign_device; no IOMMU */
#define XEN_DOMCTL_set_target              46   /* set_target */
#define XEN_DOMCTL_deassign_device         47   /* assign_device; no IOMMU */
#define XEN_DOMCTL_unbind_pt_irq           48   /* no: fully virtualized guests */
#define XEN_DOMCTL_get_device_group        50   /* get_device_group; no IOMMU */
#define XEN_DOMCTL_debug_op                54   /* debug_op */
#define XEN_DOMCTL_gethvmcontext_partial   55   /* no: fully virtualized guests */
#define XEN_DOMCTL_vm_event_op             56   /* no: introspection */
#define XEN_DOMCTL_mem_sharing_op          57   /* no: page sharing */
#define XEN_DOMCTL_gettscinfo              59   /* tsc_info */
#define XEN_DOMCTL_settscinfo              60   /* tsc_info */
#define XEN_DOMCTL_getpageframeinfo3       61   /* getpageframeinfo3 */
#define XEN_DOMCTL_setvcpuextstate         62   /* vcpuextstate */
#define XEN_DOMCTL_getvcpuextstate         63   /* vcpuextstate */
#define XEN_DOMCTL_set_access_required     64   /* no: introspection */
#define XEN_DOMCTL_audit_p2m               65   /* no: auto-translated guests */
#define XEN_DOMCTL_set_virq_handler        66   /* set_virq_handler */
#define XEN_DOMCTL_set_broken_page_p2m     67   /* no: auto-translated guests */
#define XEN_DOMCTL_setnodeaffinity         68   /* nodeaffinity */
#define XEN_DOMCTL_getnodeaffinity         69   /* nodeaffinity */
#define XEN_DOMCTL_cacheflush              71   /* cacheflush; no: caches are coherent */
#define XEN_DOMCTL_get_vcpu_msrs           72   /* vcpu_msrs */
#define XEN_DOMCTL_set_vcpu_msrs           73   /* vcpu_msrs */
#define XEN_DOMCTL_setvnumainfo            74   /* no: virtual NUMA */
#define XEN_DOMCTL_psr_cmt_op              75   /* no: cache monitoring */
#define XEN_DOMCTL_monitor_op              77   /* no: introspection */
#define XEN_DOMCTL_psr_alloc               78   /* no: cache allocation */
#define XEN_DOMCTL_soft_reset              79   /* - */
#define XEN_DOMCTL_vuart_op                81   /* no: other architecture */
#define XEN_DOMCTL_get_cpu_policy          82   /* cpu_policy */
#define XEN_DOMCTL_set_cpu_policy          83   /* cpu_policy */
#define XEN_DOMCTL_vmtrace_op              84   /* no: processor trace */
#define XEN_DOMCTL_get_paging_mempool_size 85   /* no: paging_mempool; shadow or nested paging */
#define XEN_DOMCTL_set_paging_mempool_size 86   /* no: paging_mempool; shadow or nested paging */
#define XEN_DOMCTL_gdbsx_guestmemio        1000 /* gdbsx_guest_memio */
#define XEN_DOMCTL_gdbsx_pausevcpu         1001 /* gdbsx_pauseunp_vcpu */
#define XEN_DOMCTL_gdbsx_unpausevcpu       1002 /* gdbsx_pauseunp_vcpu */
#define XEN_DOMCTL_gdbsx_domstatus         1003 /* gdbsx_domstatus */

/*
 * The envelope. `domain` is the subject; only createdomain writes it. The union has
 * 128 bytes in every version, so that the place of the handle to a buffer never moves
 * with a new operation. What comes back is in the same member that went in; on failure
 * the caller's copy is as it was, but for the fields that an operation names (err_leaf
 * and the like).
 */
struct xen_domctl {
    uint32_t cmd; /* XEN_DOMCTL_* */
    /* XEN_DOMCTL_INTERFACE_VERSION */
    uint32_t interface_version;
    /* createdomain: in wish, out result */
    domid_t domain;
    uint16_t _pad[3];
    union {
        struct xen_domctl_createdomain createdomain;
        struct xen_domctl_getdomaininfo getdomaininfo;
        struct xen_domctl_getpageframeinfo3 getpageframeinfo3;
        struct xen_domctl_nodeaffinity nodeaffinity;
        struct xen_domctl_vcpuaffinity vcpuaffinity;
        struct xen_domctl_shadow_op shadow_op;
        struct xen_domctl_max_mem max_mem;
        struct xen_domctl_vcpucontext vcpucontext;
        struct xen_domctl_getvcpuinfo getvcpuinfo;
        struct xen_domctl_max_vcpus max_vcpus;
        struct xen_domctl_scheduler_op scheduler_op;
        struct xen_domctl_setdomainhandle setdomainhandle;
        struct xen_domctl_setdebugging setdebugging;
        struct xen_domctl_irq_permission irq_permission;
        struct xen_domctl_iomem_permission iomem_permission;
        struct xen_domctl_ioport_permission ioport_permission;
        struct xen_domctl_hypercall_init hypercall_init;
        struct xen_domctl_settimeoffset settimeoffset;
        struct xen_domctl_tsc_info tsc_info;
        struct xen_domctl_address_size address_size;
        struct xen_domctl_sendtrigger sendtrigger;
        struct xen_domctl_get_device_group get_device_group;
        struct xen_domctl_assign_device assign_device;
        struct xen_domctl_ext_vcpucontext ext_vcpucontext;
        struct xen_domctl_set_target set_target;
        struct xen_domctl_subscribe subscribe;
        struct xen_domctl_debug_op debug_op;
        struct xen_domctl_cpu_policy cpu_policy;
        struct xen_domctl_vcpuextstate vcpuextstate;
        struct xen_domctl_vcpu_msrs vcpu_msrs;
        struct xen_domctl_set_virq_handler set_virq_handler;
        struct xen_domctl_gdbsx_memio gdbsx_guest_memio;
        struct xen_domctl_gdbsx_pauseunp_vcpu gdbsx_pauseunp_vcpu;
        struct xen_domctl_gdbsx_domstatus gdbsx_domstatus;
        struct xen_domctl_cacheflush cacheflush;
        struct xen_domctl_paging_mempool paging_mempool;
        uint8_t pad[128];
    } u;
};
typedef struct xen_domctl xen_domctl_t;

#endif /* XEN_DOMCTL_H */
