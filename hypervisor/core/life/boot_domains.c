/* SPDX-License-Identifier: MIT */
/*
 * Boot-time domains: the sections of parvis.cfg, made into domains by the hypervisor itself.
 *
 * The control domain comes first and has id 0. A guest's console ring is drained by the hypervisor
 * to the UART; its store port waits for the control domain; without one it has none. A section that
 * cannot be had is said and left out; without any domain the machine has nothing to do.
 */
#include <core/base/log.h>
#include <core/console/console.h>
#include <core/domain/domain_table.h>
#include <core/grant/grant_table.h>
#include <core/life/boot_domains.h>
#include <core/life/domain_system.h>
#include <core/life/life.h>
#include <core/sched/pause.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <port/machine.h>
#include <xen/errno.h>

/* What the control domain gets without `memory`: half of what is free, within these bounds. */
#define CONTROL_LEAST ((uint64_t)256 << (20 - PAGE_SHIFT))
#define CONTROL_MOST  ((uint64_t)1024 << (20 - PAGE_SHIFT))

static const void *module_at(const struct boot_info *bi, int32_t index, uint64_t *size)
{
    const struct boot_module *m;

    if (index < 0) {
        *size = 0;
        return NULL;
    }
    m = &bi->modules[index];
    *size = m->size;
    return (const char *)read_frame(MFN(m->start >> PAGE_SHIFT)) + (m->start & ~PAGE_MASK);
}

static int memory_for(const struct boot_domain *b, uint64_t *pages)
{
    /* The hypervisor's own part of a domain: its p2m while it is built, vCPUs, tables. */
    uint64_t free = heap_free_frames(), own = 64 + free / 256, most = free > own ? free - own : 0;

    *pages = b->memory ? b->memory >> PAGE_SHIFT
                       : MIN(most, MIN(MAX(free / 2, CONTROL_LEAST), CONTROL_MOST));
    if (*pages <= most)
        return 0;
    log_error("parvis.cfg: %s: memory = %luM, but only %luM are free%s", b->name,
              (unsigned long)(*pages >> (20 - PAGE_SHIFT)),
              (unsigned long)(most >> (20 - PAGE_SHIFT)),
              b->is_control ? "; without this key it gets what fits" : "");
    return -XEN_ENOMEM;
}

/* Ports and rings between a guest and whoever serves it. */
static int connect_guest(struct domain *d, const struct build_args *args, gfn_t store,
                         gfn_t console)
{
    grant_table_set_entry(d, GNTTAB_RESERVED_CONSOLE, 0, console.n);
    if (args->store_port)
        grant_table_set_entry(d, GNTTAB_RESERVED_XENSTORE, 0, store.n);
    return console_attach_ring(d, console, args->console_port);
}

/* Weight, cap, affinity. That the machine lacks CPUs which were counted on is no reason to be
 * without the domain: it is said, and what is there is used. */
static void set_cpus(const struct boot_domain *b, struct domain *d)
{
    unsigned int nr = machine_nr_cpus(), most = 100 * MIN(nr, d->max_vcpus);
    uint64_t all = ~0ull >> (BOOT_MAX_CPUS - nr), absent = b->affinity & ~all;
    struct vcpu *v;

    if (b->cap > most)
        log_warning("parvis.cfg: %s: cap = %u, but here it can use %u at most: no cap", b->name,
                    b->cap, most);
    sched_set_domain(d, (uint16_t)(b->weight ? b->weight : SCHED_WEIGHT_DEFAULT),
                     (uint16_t)(b->cap > most ? 0 : b->cap));
    if (absent && (absent != ~all || !(b->affinity & all)))
        log_warning("parvis.cfg: %s: affinity: the last CPU is %u; %s", b->name, nr - 1,
                    b->affinity & all ? "those above are left out" : "it may run anywhere");
    if (b->affinity & all)
        for_each_vcpu (d, v)
            v->affinity = b->affinity & all;
}

static int build_one(const struct boot_info *bi, const struct boot_domain *b, struct domain *d)
{
    struct build_args args = {.cmdline = b->cmdline};
    gfn_t store = INVALID_GFN, console = INVALID_GFN;
    int rc = memory_for(b, &args.nr_pages);

    if (rc)
        return rc;
    while ((rc = vcpus_create(d)) == -XEN_ERESTART)
        ;
    args.kernel = module_at(bi, b->kernel, &args.kernel_size);
    args.ramdisk = module_at(bi, b->ramdisk, &args.ramdisk_size);
    d->max_pages = args.nr_pages;
    if (!rc)
        set_cpus(b, d);
    if (!rc && !d->is_control && control_domain)
        rc = evtchn_alloc_unbound(d, control_domain->domain_id, NULL, &args.store_port);
    if (!rc && !d->is_control)
        rc = console_alloc_port(d, &args.console_port);
    if (!rc) {
        rc = d->ops->build(d, &args, &store, &console);
        if (rc)
            return rc; /* it has said why */
        if (!d->is_control)
            rc = connect_guest(d, &args, store, console);
    }
    if (!rc && !d->is_control)
        store_wait_watch(d, store);
    if (rc)
        log_error("%s: no room for its vCPUs, ports or console: error %d", b->name, -rc);
    return rc;
}

static unsigned int vcpus_of(const struct boot_domain *b)
{
    return b->vcpus ? b->vcpus : b->is_control ? MIN(machine_nr_cpus(), MAX_VCPUS) : 1;
}

static int create_one(const struct boot_info *bi, const struct boot_domain *b)
{
    const struct domain_config cfg = {
        .kind = guest_kinds[b->kind],
        .domid = b->is_control ? 0 : DOMID_INVALID,
        .name = b->name,
        .is_control = b->is_control,
        .max_vcpus = vcpus_of(b),
        .max_evtchn_port = NR_EVTCHNS - 1,
        .max_grant_frames = DEFAULT_GRANT_FRAMES,
        .max_maptrack_frames = DEFAULT_MAPTRACK_FRAMES,
    };
    struct domain *d;
    int rc;

    log_info("building %s %s from %s", b->is_control ? "control domain" : "domain", b->name,
             bi->modules[b->kernel].name);
    rc = domain_create(&cfg, &d);
    if (rc == -XEN_EOPNOTSUPP) /* its kind has said why */
        log_error("%s: cannot be created on this machine", b->name);
    else if (rc)
        log_error("%s: cannot be created: error %d", b->name, -rc);
    if (rc)
        return rc;
    rc = build_one(bi, b, d);
    if (rc) {
        while (domain_kill(d) == -XEN_ERESTART)
            ;
        return rc;
    }
    log_info("%s is domain %u with %lu KiB and %u vCPU%s", b->name, d->domain_id,
             (unsigned long)(d->tot_pages << (PAGE_SHIFT - 10)), d->max_vcpus,
             d->max_vcpus == 1 ? "" : "s");
    return 0;
}

/* RAM that held the modules, once nobody reads them any more. */
static void give_back_loader_memory(const struct boot_info *bi)
{
    for (uint32_t i = 0; i < bi->nr_mem; i++) {
        uint64_t first = MAX(DIV_ROUND_UP(bi->mem[i].start, PAGE_SIZE), (uint64_t)LOW_FRAMES);
        uint64_t end = (bi->mem[i].start + bi->mem[i].size) >> PAGE_SHIFT;

        if (bi->mem[i].type == BOOT_MEM_LOADER && first < end)
            heap_give(MFN(first), end - first);
    }
}

static void start_all(void)
{
    struct domain *d = NULL;

    spin_lock(&domlist_lock);
    while ((d = next_domain(d)) != NULL)
        if (!d->dying && !domain_unpause_by_controller(d))
            vcpu_wake(d->vcpu[0]);
    spin_unlock(&domlist_lock);
}

void boot_domains_create(const struct boot_info *bi)
{
    unsigned int made = 0;

    store_wait_init();
    for (int control = 1; control >= 0; control--)
        for (uint32_t i = 0; i < bi->nr_domains; i++)
            if (!!bi->domains[i].is_control == control && !create_one(bi, &bi->domains[i]))
                made++;
    if (!made) {
        log_error("none of the %u domains of parvis.cfg could be started", bi->nr_domains);
        machine_stop(STOP_NOT_STARTED);
    }
    give_back_loader_memory(bi);
    start_all();
}
