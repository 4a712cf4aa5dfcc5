/* SPDX-License-Identifier: MIT */
/*
 * The machine in numbers: CPUs, memory, one NUMA node, one CPU pool.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/control/domctl.h>
#include <core/control/sysctl.h>
#include <core/domain/claim.h>
#include <core/domain/domain_table.h>
#include <core/domain/guest_memory.h>
#include <core/life/domain_system.h>
#include <core/state/guest_ops.h>
#include <parvis/speculation.h>
#include <parvis/string.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>

#define SELF_DISTANCE 10

/* As CPU 0 sits, of the CPUs that run: threads of its core, and cores of its socket. */
static void count_neighbours(struct xen_sysctl_physinfo *p)
{
    uint32_t core0, socket0, core, socket, in_socket = 0;

    machine_cpu_place(0, &core0, &socket0);
    for (unsigned int i = 0; i < p->nr_cpus; i++) {
        machine_cpu_place(i, &core, &socket);
        in_socket += socket == socket0;
        p->threads_per_core += socket == socket0 && core == core0;
    }
    p->cores_per_socket = in_socket / p->threads_per_core;
}

/* What there is for each kind of guest. */
static uint32_t capabilities(void)
{
    uint32_t all = XEN_SYSCTL_PHYSCAP_pv | XEN_SYSCTL_PHYSCAP_gnttab_v1;

    for (unsigned int i = 0; i < MOST_KINDS && guest_kinds[i]; i++)
        if (guest_kinds[i]->capabilities)
            all |= guest_kinds[i]->capabilities();
    return all;
}

int sysctl_physinfo(struct xen_sysctl *op)
{
    struct xen_sysctl_physinfo *p = &op->u.physinfo;
    uint64_t claimed = claims_outstanding();

    memset(p, 0, sizeof(*p));
    p->nr_cpus = machine_nr_cpus();
    count_neighbours(p);
    p->max_cpu_id = p->nr_cpus - 1;
    p->nr_nodes = 1;
    p->cpu_khz = (uint32_t)clock_khz();
    p->capabilities = capabilities();
    p->total_pages = heap_total_frames();
    p->free_pages = heap_free_frames();
    p->outstanding_pages = claimed;
    p->max_mfn = max_mfn;
    machine_cpu_features(p->hw_cap, ARRAY_SIZE(p->hw_cap));
    return 0;
}

/* An operation of Parvis' own: parvis/speculation.h. */
int sysctl_speculation(struct xen_sysctl *op)
{
    struct parvis_sysctl_speculation a;

    _Static_assert(sizeof(a) <= sizeof(op->u), "it is in place of the union");
    machine_speculation(&a);
    memcpy(&op->u, &a, sizeof(a));
    return 0;
}

int sysctl_sched_id(struct xen_sysctl *op)
{
    op->u.sched_id.sched_id = XEN_SCHEDULER_CREDIT2;
    return 0;
}

int sysctl_getcpuinfo(struct xen_sysctl *op)
{
    struct xen_sysctl_getcpuinfo *a = &op->u.getcpuinfo;
    unsigned int n = MIN(a->max_cpus, machine_nr_cpus());

    for (unsigned int i = 0; i < n; i++) {
        struct vcpu_runstate_info rs;
        struct xen_sysctl_cpuinfo info;

        vcpu_runstate_get(cpu_by_id(i)->idle, &rs);
        info.idletime = rs.time[RUNSTATE_running];
        if (copy_to_guest(a->info + i * sizeof(info), &info, sizeof(info)))
            return -XEN_EFAULT;
    }
    a->nr_cpus = n;
    return 0;
}

int sysctl_availheap(struct xen_sysctl *op)
{
    struct xen_sysctl_availheap *a = &op->u.availheap;

    if (a->node > 0)
        return refused(-XEN_EINVAL, "node %d; node 0 is the only one", a->node);
    if (a->min_bitwidth || a->max_bitwidth)
        return refused(-XEN_EOPNOTSUPP, "by width of addresses");
    a->avail_bytes = heap_free_frames() << PAGE_SHIFT;
    return 0;
}

int sysctl_cputopoinfo(struct xen_sysctl *op)
{
    struct xen_sysctl_cputopoinfo *a = &op->u.cputopoinfo;
    unsigned int n = machine_nr_cpus();

    if (!a->cputopo) { /* ABI: asks for the number alone */
        a->num_cpus = n;
        return 0;
    }
    a->num_cpus = MIN(a->num_cpus, n);
    for (uint32_t i = 0; i < a->num_cpus; i++) {
        struct xen_sysctl_cputopo t = {.node = 0};

        machine_cpu_place(i, &t.core, &t.socket);
        if (copy_to_guest(a->cputopo + i * sizeof(t), &t, sizeof(t)))
            return -XEN_EFAULT;
    }
    return 0;
}

int sysctl_numainfo(struct xen_sysctl *op)
{
    struct xen_sysctl_numainfo *a = &op->u.numainfo;
    struct xen_sysctl_meminfo mem = {
        .memsize = heap_total_frames() << PAGE_SHIFT,
        .memfree = heap_free_frames() << PAGE_SHIFT,
    };
    uint32_t distance = SELF_DISTANCE;

    if (a->num_nodes && a->meminfo && copy_to_guest(a->meminfo, &mem, sizeof(mem)))
        return -XEN_EFAULT;
    if (a->num_nodes && a->distance && copy_to_guest(a->distance, &distance, sizeof(distance)))
        return -XEN_EFAULT;
    a->num_nodes = 1;
    return 0;
}

/* The control domain has all functions and no list of them is kept: one is there that answers. */
static bool is_there(const struct physdev_pci_device *f)
{
    uint32_t address = 1u << 31 | (uint32_t)f->bus << 16 | (uint32_t)f->devfn << 8;

    return f->seg == 0 && pci_config_read(address, 0, 2) != 0xffff;
}

/* ABI: less may be done than was asked for, and the caller goes on behind that. */
int sysctl_pcitopoinfo(struct xen_sysctl *op)
{
    struct xen_sysctl_pcitopoinfo *a = &op->u.pcitopoinfo;
    struct physdev_pci_device f;
    uint32_t node, i = 0;

    if (!a->devs || !a->nodes)
        return -XEN_EINVAL;
    while (i < a->num_devs && !(i && hypercall_preempt_check())) {
        if (copy_from_guest(&f, a->devs + i * sizeof(f), sizeof(f)))
            return -XEN_EFAULT;
        node = is_there(&f) ? 0 : XEN_INVALID_DEV;
        if (copy_to_guest(a->nodes + i * sizeof(node), &node, sizeof(node)))
            return -XEN_EFAULT;
        i++;
    }
    a->num_devs = i;
    return 0;
}

/* One pool, 0, with all CPUs: it can be looked at, and nothing else. */
int sysctl_cpupool_op(struct xen_sysctl *op)
{
    struct xen_sysctl_cpupool_op *a = &op->u.cpupool_op;

    switch (a->op) {
    case XEN_SYSCTL_CPUPOOL_OP_INFO:
        if (a->cpupool_id != 0 && a->cpupool_id != XEN_SYSCTL_CPUPOOL_PAR_ANY)
            return -XEN_ENOENT;
        a->cpupool_id = 0;
        a->sched_id = XEN_SCHEDULER_CREDIT2;
        a->n_dom = count_domains();
        return bitmap_to_guest(&a->cpumap, low_bits(machine_nr_cpus()));
    case XEN_SYSCTL_CPUPOOL_OP_FREEINFO: /* CPUs in no pool */
        return bitmap_to_guest(&a->cpumap, 0);
    default:
        return -XEN_EOPNOTSUPP;
    }
}

/* The hypervisor is never patched. */
int sysctl_livepatch(struct xen_sysctl *op)
{
    struct xen_sysctl_livepatch_op *a = &op->u.livepatch;
    struct xen_sysctl_livepatch_list *list = &a->u.list;

    if (a->cmd != XEN_SYSCTL_LIVEPATCH_LIST)
        return -XEN_EOPNOTSUPP;
    if (a->pad || list->pad)
        return -XEN_EINVAL;
    list->version = list->nr = list->name_total_size = list->metadata_total_size = 0;
    return 0;
}

/* Parameters of a pool's scheduler. credit2 has one, for how long at least a vCPU keeps its CPU;
 * here there is no such time. */
int sysctl_scheduler_op(struct xen_sysctl *op)
{
    struct xen_sysctl_scheduler_op *a = &op->u.scheduler_op;

    if (a->cpupool_id != 0)
        return refused(-XEN_ESRCH, "pool %u; pool 0 is the only one", a->cpupool_id);
    if (a->sched_id != XEN_SCHEDULER_CREDIT2)
        return refused(-XEN_EINVAL, "scheduler %u; this one answers as %u", a->sched_id,
                       XEN_SCHEDULER_CREDIT2);
    switch (a->cmd) {
    case XEN_SYSCTL_SCHEDOP_putinfo:
        return a->u.sched_credit2.ratelimit_us
                   ? refused(-XEN_EINVAL, "a rate limit of %u us; there is none, which is 0",
                             a->u.sched_credit2.ratelimit_us)
                   : 0;
    case XEN_SYSCTL_SCHEDOP_getinfo:
        a->u.sched_credit2.ratelimit_us = 0;
        return 0;
    default:
        return -XEN_EINVAL;
    }
}
