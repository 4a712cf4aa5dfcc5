/* SPDX-License-Identifier: MIT */
/*
 * Domains on the host: a guest kind without page tables, and the short ways tests use to make, run
 * and end a domain.
 */
#include "host.h"

#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <core/base/count.h>
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/life/domain_system.h>
#include <core/life/life.h>
#include <core/sched/pause.h>
#include <core/state/guest_ops.h>
#include <port/upcalls.h>
#include <port/atomic.h>
#include <pv/cpu.h>
#include <pv/hypercall.h>
#include <pv/pv_ops.h>
#include <xen/errno.h>
#include <xen/grant_table.h>
#include <xen/vcpu.h>

void host_memory_init(uint64_t frames);
void host_cpus_init(void);
void host_locks_init(void);
void host_guest_init(void);
void host_irq_init(void);
void host_tlb_init(void);

static int nothing_domain(struct domain *d)
{
    (void)d;
    return 0;
}

static void free_domain(struct domain *d)
{
    (void)d;
}

/* The trap table and the slots of the descriptor tables are there: a multicall may name any
 * hypercall. */
static int init_vcpu(struct vcpu *v)
{
    v->arch.pv.kernel_mode = true;
    v->arch.pv.traps = hv_alloc_array(256, sizeof(*v->arch.pv.traps));
    v->arch.pv.perdomain_l1 = hv_alloc_array(32, sizeof(*v->arch.pv.perdomain_l1));
    if (v->arch.pv.traps && v->arch.pv.perdomain_l1)
        return 0;
    hv_free(v->arch.pv.traps);
    hv_free(v->arch.pv.perdomain_l1);
    return -XEN_ENOMEM;
}

static void free_vcpu(struct vcpu *v)
{
    hv_free(v->arch.pv.traps);
    hv_free(v->arch.pv.perdomain_l1);
    v->arch.pv.traps = NULL;
    v->arch.pv.perdomain_l1 = NULL;
}

static int set_context(struct vcpu *v, const struct vcpu_guest_context *c)
{
    if (c->flags & ~(uint64_t)(VGCF_in_kernel | VGCF_online))
        return -XEN_EINVAL; /* so that a context can be refused */
    v->regs = c->user_regs;
    __atomic_store_n(&v->initialised, true, __ATOMIC_RELEASE);
    return 0;
}

static void get_context(struct vcpu *v, struct vcpu_guest_context *c)
{
    memset(c, 0, sizeof(*c));
    c->user_regs = v->regs;
}

/* A domain that has no page tables did nothing with its frames. */
static int undo_frame(struct page_info *pg, struct domain *d)
{
    (void)pg;
    (void)d;
    return 0;
}

/* What page tables do for a real domain: each mapping holds the references that grant_map() was
 * given. CPUs take and give back a place by its key. */
#define MOST_MAPPINGS 128
#define BEING_MADE    1ull
static struct mapping {
    uint64_t key; /* who << 48 | at; 0: free */
    uint64_t frame;
} mappings[MOST_MAPPINGS];

static struct mapping *find_mapping(uint64_t key)
{
    for (unsigned int i = 0; i < MOST_MAPPINGS; i++)
        if (__atomic_load_n(&mappings[i].key, __ATOMIC_ACQUIRE) == key)
            return &mappings[i];
    return NULL;
}

static uint64_t mapping_key(uint64_t at)
{
    return (uint64_t)current->domain->domain_id << 48 | at;
}

static int grant_map(uint64_t host_addr, mfn_t frame, unsigned int flags)
{
    struct mapping *m;

    (void)flags;
    if (!host_addr || (host_addr & 7) || find_mapping(mapping_key(host_addr)))
        return GNTST_general_error;
    do {
        m = find_mapping(0);
        if (!m)
            return GNTST_general_error;
    } while (cmpxchg(&m->key, 0, BEING_MADE));
    m->frame = frame.n;
    __atomic_store_n(&m->key, mapping_key(host_addr), __ATOMIC_RELEASE);
    return GNTST_okay;
}

static int grant_unmap(uint64_t host_addr, mfn_t frame, unsigned int flags, uint64_t new_addr)
{
    struct mapping *m = host_addr ? find_mapping(mapping_key(host_addr)) : NULL;

    (void)flags;
    (void)new_addr;
    if (!m || m->frame != frame.n)
        return GNTST_general_error;
    return cmpxchg(&m->key, mapping_key(host_addr), 0) == mapping_key(host_addr)
               ? GNTST_okay
               : GNTST_general_error;
}

/* By what number a guest of this kind names frame 0 (host.h). */
uint64_t host_gfn_base;

static mfn_t gfn_to_mfn(const struct domain *d, gfn_t gfn)
{
    (void)d;
    return MFN(gfn.n - host_gfn_base);
}

static void set_iopl(struct vcpu *v, unsigned int level)
{
    v->arch.pv.iopl = level;
}

static void set_iobitmap(struct vcpu *v, gva_t bitmap, unsigned int nr_ports)
{
    v->arch.pv.iobmp = bitmap;
    v->arch.pv.iobmp_limit = nr_ports;
}

static uint64_t frame_info(const struct page_info *pg)
{
    return pv_guest_ops.frame_info(pg);
}

static uint32_t features(const struct domain *d)
{
    return pv_guest_ops.features(d);
}

static bool event_pending(const struct vcpu *v)
{
    return pv_guest_ops.event_pending(v);
}

static int relinquish_vcpus(struct domain *d)
{
    for (unsigned int i = 0; i < MOST_MAPPINGS; i++) {
        uint64_t key = __atomic_load_n(&mappings[i].key, __ATOMIC_ACQUIRE);

        if (key > BEING_MADE && key >> 48 == d->domain_id) {
            put_page(mfn_to_page(MFN(mappings[i].frame)));
            __atomic_store_n(&mappings[i].key, 0, __ATOMIC_RELEASE);
        }
    }
    return 0;
}

static bool get_writable(struct page_info *pg, struct domain *d)
{
    return get_page(pg, d);
}

static void fill_hypercall_page(void *page)
{
    memset(page, 0xcc, PAGE_SIZE);
}

static void show_vcpu(const struct vcpu *v)
{
    log_end(v->domain, LOG_ERROR, "vcpu %u", v->vcpu_id);
}

const struct guest_ops host_guest_ops = {
    .hypercalls = &pv_hypercalls,
    .set_iopl = set_iopl,
    .set_iobitmap = set_iobitmap,
    .gfn_to_mfn = gfn_to_mfn,
    .frame_info = frame_info,
    .get_writable = get_writable,
    .put_writable = put_page,
    .domain_init = nothing_domain,
    .domain_free = free_domain,
    .vcpu_init = init_vcpu,
    .vcpu_free = free_vcpu,
    .set_context = set_context,
    .get_context = get_context,
    .relinquish_vcpus = relinquish_vcpus,
    .undo_frame = undo_frame,
    .grant_map = grant_map,
    .grant_unmap = grant_unmap,
    .fill_hypercall_page = fill_hypercall_page,
    .features = features,
    .event_pending = event_pending,
    .show_vcpu = show_vcpu,
    .load = pv_cpu_load,
    .save = pv_cpu_save,
};

void host_init(uint64_t frames)
{
    memset(mappings, 0, sizeof(mappings));
    host_memory_init(frames);
    host_cpus_init();
    host_locks_init();
    host_guest_init();
    host_gfn_base = 0;
    host_irq_init();
    host_tlb_init();
    host_full_cpu = false;
    host_cpuid = NULL;
    heap_init();
    alloc_init();
    heap_give(MFN(16), frames - 16);
    domain_system_init();
    guest_kinds[0] = &host_guest_ops;
}

struct page_info *host_frames(struct domain *d, unsigned int order)
{
    unsigned int budget = UINT_MAX;

    return alloc_domain_frames(d, order, 0, INVALID_GPFN, &budget);
}

struct domain *host_domain(domid_t id, bool control, unsigned int vcpus, uint64_t pages)
{
    return host_domain_of(guest_kinds[0], id, control, vcpus, pages);
}

struct domain *host_domain_of(const struct guest_ops *kind, domid_t id, bool control,
                              unsigned int vcpus, uint64_t pages)
{
    const struct domain_config cfg = {
        .kind = kind,
        .domid = id,
        .is_control = control,
        .max_vcpus = vcpus,
        .max_evtchn_port = NR_EVTCHNS - 1,
        .max_grant_frames = 4,
        .max_maptrack_frames = 8,
    };
    struct domain *d;

    if (domain_create(&cfg, &d))
        abort();
    for (unsigned int i = 0; i < vcpus; i++) {
        if (vcpu_create(d, i))
            abort();
        d->vcpu[i]->initialised = true;
        d->vcpu[i]->pause_flags = 0;
    }
    d->max_pages = pages;
    for (uint64_t i = 0; i < pages; i++)
        if (!host_frames(d, 0))
            abort();
    if (domain_unpause_by_controller(d))
        abort();
    for (unsigned int i = 0; i < vcpus; i++)
        vcpu_wake(d->vcpu[i]);
    return d;
}

/* Nobody else can run: the CPU is idle. */
static void run_idle(struct vcpu *prev)
{
    struct list *first = runqueue.domains.next;
    bool waiting = !list_empty(&runqueue.domains);

    list_del(&runqueue.domains); /* what waits, without the head */
    prev->pause_count++;
    sched_schedule();
    BUG_ON(current != this_cpu()->idle);
    if (waiting)
        list_insert_before(first, &runqueue.domains);
    prev->pause_count--;
    vcpu_wake(prev);
}

/* The scheduler is to take v, and v has no reason to wait. */
void host_run_as(struct vcpu *v)
{
    struct vcpu *prev = current;
    const struct vcpu was = *v;
    uint32_t paused = v->domain->pause_count;

    if (v == prev)
        return;
    if (is_idle(v)) {
        run_idle(prev);
        return;
    }
    v->pause_flags = v->pause_count = v->domain->pause_count = 0;
    vcpu_wake(v);
    this_cpu()->next = v;
    v->sched.wanted_by = this_cpu();
    sched_schedule();
    BUG_ON(current != v);
    v->pause_flags = was.pause_flags;
    v->pause_count = was.pause_count;
    v->domain->pause_count = paused;
}

void host_reap(void)
{
    if (!(this_cpu()->pending & CPU_WORK_REAP))
        return;
    atomic_and(&this_cpu()->pending, ~CPU_WORK_REAP);
    while (this_cpu()->dead)
        domains_reap();
}

void host_keep(struct vcpu *v, bool awake)
{
    const struct cpu *c = v->sched.on_cpu;
    unsigned int self = this_cpu()->id;

    if (awake && v->pause_flags & VPF_blocked) {
        vcpu_unblock(v);
    } else if (!awake && c) {
        host_run_on(c->id);
        v->vcpu_info->evtchn_upcall_pending = 0;
        vcpu_block(v);
        host_run_on(self);
    }
}

uint64_t host_time_run(const struct domain *d)
{
    struct vcpu_runstate_info r;
    uint64_t ns = 0;
    struct vcpu *v;

    for_each_vcpu (d, v) {
        vcpu_runstate_get(v, &r);
        ns += r.time[RUNSTATE_running];
    }
    return ns;
}

void host_destroy(struct domain *d)
{
    int rc;

    if (current->domain == d) {
        domain_pause(d);
        sched_schedule();
    }
    while ((rc = domain_kill(d)) == -XEN_ERESTART)
        this_cpu()->slice_end = 0;
    if (rc) {
        fprintf(stderr, "domain_kill: %d\n", rc);
        abort();
    }
    host_reap();
}

/* By id, each once: one that is dead already may wait for another to let its frames go. */
void host_destroy_all(void)
{
    struct domain *d;

    for (unsigned int id = 0; (d = get_domain_from(id)) != NULL;) {
        id = d->domain_id + 1u;
        host_destroy(d);
        put_domain(d);
    }
    host_reap();
    d = next_domain(NULL);
    if (d)
        panic("d%u does not go: something of it is still held", d->domain_id);
}

/* Who leaves with that number does so by SYSRET, which has flat selectors, RIP in RCX, RFLAGS in
 * R11. */
static void check_sysret(const struct cpu_user_regs *r)
{
    BUG_ON(r->cs != FLAT_RING3_CS64 || r->ss != FLAT_RING3_SS64);
    BUG_ON(r->rcx != r->rip || r->r11 != r->rflags);
}

/* What pv/cpu/entry.asm does with a SYSCALL of a guest's kernel. */
void host_syscall(struct vcpu *v)
{
    struct cpu_user_regs *r = &v->regs;
    unsigned int nr = (unsigned int)r->rax;
    long rc = -XEN_ENOSYS;

    v->hc_nr = nr;
    r->entry_vector = ENTRY_HYPERCALL;
    r->cs = FLAT_RING3_CS64;
    r->ss = FLAT_RING3_SS64;
    r->rcx = r->rip;
    r->r11 = r->rflags;
    this_cpu()->slice_end = 0;
    if (nr < NR_HYPERCALLS) {
        count_event(v, COUNTER_hypercall + nr);
        rc = v->domain->ops->hypercalls->fn[nr](r->rdi, r->rsi, r->rdx, r->r10, r->r8, r->r9);
    }
    if (rc == -XEN_ERESTART)
        pv_reissue(v);
    else
        r->rax = (uint64_t)rc;
    if (in_hypercall(v))
        check_sysret(r);
}

long host_hypercall(struct vcpu *v, unsigned int nr, const uint64_t args[6], unsigned int *issues)
{
    unsigned int n = 0;

    if (current != v)
        host_run_as(v);
    v->regs.rip = 0x1000;
    v->regs.rax = nr;
    v->regs.rdi = args[0];
    v->regs.rsi = args[1];
    v->regs.rdx = args[2];
    v->regs.r10 = args[3];
    v->regs.r8 = args[4];
    v->regs.r9 = args[5];
    do {
        v->regs.rip = 0x1002;
        host_syscall(v);
        host_reap();
        n++;
    } while (v->regs.rip == 0x1000);
    if (issues)
        *issues = n;
    if (host_locks_held()) {
        fprintf(stderr, "hypercall %u came back with a lock\n", nr);
        abort();
    }
    host_tlb_check();
    return (long)v->regs.rax;
}
