/* SPDX-License-Identifier: MIT */
/*
 * Random hypercalls of three domains, with a recount of everything after each.
 *
 * The input is read as a program: who calls, which hypercall, what lies at its argument address.
 * Arguments are words that have a chance to mean something (small numbers, domain ids, frames that
 * exist, addresses of guest memory, and the values that break sums). After each call: no lock is
 * held, and host_check_invariants() agrees. At the end all domains are destroyed, and the heap has
 * every frame that it had before they were made.
 *
 * Hypercalls of pv/ are left out: the domains here have no page tables (fuzz_mm has those).
 */

#include <setjmp.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "host.h"
#include "random_lives.h"
#include <core/domain/domain_table.h>
#include <core/life/life.h>
#include <core/sched/pause.h>
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/console/console.h>
#include <core/grant/grant_table.h>
#include <port/atomic.h>
#include <xen/domctl.h>
#include <xen/grant_table.h>
#include <xen/memory.h>
#include <xen/sched.h>
#include <xen/sysctl.h>

#define ARG  HOST_GUEST_BASE
#define LIST (HOST_GUEST_BASE + 0x10000)

static const uint8_t *next, *end;
static jmp_buf stopped;

static uint8_t byte(void)
{
    return next < end ? *next++ : 0;
}

/* A frame of the domain with that id, or of its grant table. */
static uint32_t some_frame(domid_t id, uint8_t which)
{
    struct domain *d = get_domain_by_id(id);
    uint32_t mfn = which;

    if (!d)
        return mfn;
    if (which == 255 && d->shared_info) {
        mfn = (uint32_t)frame_of(d->shared_info).n;
    } else {
        mfn = d->pages.first;
        for (; which % 16 && mfn != PAGE_LIST_END; which--)
            mfn = frame_table[mfn].next;
    }
    put_domain(d);
    return mfn;
}

static uint32_t word(void)
{
    static const uint32_t odd[] = {0x7ff0,     0x7ff1, 0x7ff2, ~0u,   0x80000000, 0x7fffffff,
                                   0xffff8000, 4095,   4096,   0x1ff, 128,        1u << 12};
    uint8_t kind = byte();

    if (kind < 120)
        return kind % 12;
    if (kind < 160)
        return some_frame(kind % 4, byte());
    if (kind < 190)
        return (uint32_t)LIST + (kind % 4) * 0x1000;
    if (kind < 220) /* two domain ids side by side */
        return byte() % 4 | (uint32_t)(byte() % 4) << 16;
    if (kind < 240)
        return odd[byte() % (sizeof(odd) / sizeof(odd[0]))];
    return (uint32_t)byte() << 24 | (uint32_t)byte() << 16 | (uint32_t)byte() << 8 | byte();
}

static void fill(gva_t at, unsigned int words)
{
    for (unsigned int i = 0; i < words; i++) {
        uint32_t w = word();

        memcpy(host_guest(at + 4 * i), &w, 4);
    }
}

static const unsigned int calls[] = {
    __HYPERVISOR_event_channel_op, __HYPERVISOR_event_channel_op, __HYPERVISOR_grant_table_op,
    __HYPERVISOR_grant_table_op,   __HYPERVISOR_memory_op,        __HYPERVISOR_memory_op,
    __HYPERVISOR_sched_op,         __HYPERVISOR_vcpu_op,          __HYPERVISOR_xen_version,
    __HYPERVISOR_console_io,       __HYPERVISOR_set_timer_op,     __HYPERVISOR_sched_op_compat,
    __HYPERVISOR_physdev_op,       __HYPERVISOR_sysctl,           __HYPERVISOR_domctl,
};

/* Entries of a list that a multicall may run. */
static void fill_multicall(unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        struct multicall_entry e = {.op = calls[byte() % (sizeof(calls) / sizeof(calls[0]))],
                                    .args = {byte() % 16, byte() & 1 ? ARG : word(), word()}};

        memcpy(host_guest(LIST + i * sizeof(e)), &e, sizeof(e));
    }
}

/* A domain id, most often the caller's own. */
static domid_t some_domid(void)
{
    uint8_t b = byte();

    return b < 128 ? (domid_t)DOMID_SELF : b % 4;
}

static void put(const void *op, size_t size)
{
    memcpy(host_guest(ARG), op, size);
}

static void likely_event_channel(uint64_t cmd)
{
    struct evtchn_alloc_unbound alloc = {some_domid(), byte() % 3, 0};
    struct evtchn_bind_interdomain bind = {byte() % 3, byte() % 8, 0};
    struct evtchn_bind_virq virq = {byte() % 16, byte() % 2, 0};
    uint32_t words[3] = {byte() % 8, byte() % 2, 0};

    if (cmd == EVTCHNOP_alloc_unbound)
        put(&alloc, sizeof(alloc));
    else if (cmd == EVTCHNOP_bind_interdomain)
        put(&bind, sizeof(bind));
    else if (cmd == EVTCHNOP_bind_virq)
        put(&virq, sizeof(virq));
    else if (cmd == EVTCHNOP_status || cmd == EVTCHNOP_reset)
        *(domid_t *)host_guest(ARG) = some_domid();
    else
        put(words, sizeof(words));
}

static void likely_grant(uint64_t cmd)
{
    struct gnttab_map_grant_ref map = {
        byte() * 8u, GNTMAP_host_map | (byte() & 5), byte() % 4, byte() % 3, 0, 0, 0};
    struct gnttab_unmap_grant_ref unmap = {byte() * 8u, 0, byte() % 6, 0};
    struct gnttab_copy copy = {
        .source = {{.ref = byte() % 4}, byte() % 3, byte()},
        .dest = {{.gmfn = some_frame(byte() % 3, byte())}, some_domid(), byte()},
        .len = byte(),
        .flags = GNTCOPY_source_gref};

    if (cmd == GNTTABOP_map_grant_ref)
        put(&map, sizeof(map));
    else if (cmd == GNTTABOP_unmap_grant_ref || cmd == GNTTABOP_unmap_and_replace)
        put(&unmap, sizeof(unmap));
    else if (cmd == GNTTABOP_copy)
        put(&copy, sizeof(copy));
    else if (cmd == GNTTABOP_setup_table || cmd == GNTTABOP_query_size ||
             cmd == GNTTABOP_get_version)
        *(domid_t *)host_guest(ARG) = some_domid();
}

static void likely_memory(void)
{
    uint8_t order = byte() % 3, n = byte() % 20;
    struct xen_memory_exchange x = {
        .in = {LIST, n, order, byte() < 40 ? XENMEMF_address_bits(20 + byte() % 4) : 0,
               some_domid()},
        .out = {LIST + 0x1000, n, order, 0, DOMID_SELF},
    };

    if (byte() & 1) { /* small ones for large ones */
        x.out.nr_extents = n >> 1;
        x.in.nr_extents = n & ~1ul;
        x.out.extent_order++;
    }
    put(&x, sizeof(x));
    for (unsigned int i = 0; i < n; i++)
        ((xen_pfn_t *)host_guest(LIST))[i] = some_frame(some_domid() % 3, byte());
}

static void likely_domctl(void)
{
    uint32_t words[4] = {byte() % 13, XEN_DOMCTL_INTERFACE_VERSION, byte() % 5, 0};
    struct parvis_domctl_counters counters = {byte() % 3, byte(), LIST};

    if (words[0] == 12) {
        words[0] = PARVIS_DOMCTL_counters;
        memcpy((char *)host_guest(ARG) + sizeof(words), &counters, sizeof(counters));
    }
    put(words, sizeof(words));
}

static const struct {
    unsigned int nr, ops;
} operations[] = {
    {__HYPERVISOR_event_channel_op, 12}, {__HYPERVISOR_grant_table_op, 13},
    {__HYPERVISOR_memory_op, 29},        {__HYPERVISOR_sched_op, 8},
    {__HYPERVISOR_vcpu_op, 15},          {__HYPERVISOR_xen_version, 12},
    {__HYPERVISOR_console_io, 3},        {__HYPERVISOR_sched_op_compat, 4},
    {__HYPERVISOR_physdev_op, 34},
};

static uint64_t some_operation(unsigned int nr)
{
    for (size_t i = 0; i < sizeof(operations) / sizeof(operations[0]); i++)
        if (operations[i].nr == nr)
            return byte() % operations[i].ops;
    return byte();
}

static void prepare(unsigned int nr, uint64_t args[6])
{
    bool likely = byte() < 190;

    fill(ARG, likely ? 4 : 16);
    fill(LIST, 4);
    args[0] = some_operation(nr);
    args[1] = byte() < 240 ? ARG : word();
    args[2] = 1 + byte() % 2;
    if (likely && nr == __HYPERVISOR_event_channel_op)
        likely_event_channel(args[0]);
    if (likely && nr == __HYPERVISOR_grant_table_op)
        likely_grant(args[0]);
    if (likely && nr == __HYPERVISOR_memory_op) {
        args[0] = byte() & 1 ? args[0] : byte() & 1 ? XENMEM_populate_physmap : byte() % 12;
        likely_memory();
    }
    if (nr == __HYPERVISOR_vcpu_op) {
        args[2] = args[1];
        args[1] = byte() % 3;
    } else if (nr == __HYPERVISOR_console_io) {
        args[2] = LIST;
        args[1] = byte() * 8u;
    } else if (nr == __HYPERVISOR_domctl) {
        likely_domctl();
        args[0] = ARG;
    } else if (nr == __HYPERVISOR_sysctl) {
        *(uint32_t *)host_guest(ARG + 4) = XEN_SYSCTL_INTERFACE_VERSION;
        args[0] = ARG;
    } else if (nr == __HYPERVISOR_set_timer_op) {
        args[0] = (uint64_t)clock_now() + word();
    }
}

static void one_call(struct vcpu *v)
{
    uint8_t choice = byte();
    uint64_t args[6] = {0};
    unsigned int nr = __HYPERVISOR_multicall;

    if (choice < 240) {
        nr = calls[choice % (sizeof(calls) / sizeof(calls[0]))];
        prepare(nr, args);
        /* The control domain's own end is the machine's, and of this run: not so often. */
        if (v->domain->is_control && args[0] == SCHEDOP_shutdown && byte() < 250 &&
            (nr == __HYPERVISOR_sched_op || nr == __HYPERVISOR_sched_op_compat))
            args[0] = SCHEDOP_yield;
    } else {
        fill(ARG, 16);
        args[0] = LIST;
        args[1] = byte() % 5;
        fill_multicall((unsigned int)args[1]);
    }
    (void)host_hypercall(v, nr, args, NULL);
}

static void step(void)
{
    uint8_t who = byte();
    struct domain *d = get_domain_by_id(who % 3);
    struct vcpu *v;

    if (!d)
        return;
    if (d->shutting_down && !d->dying)
        domain_resume(d);
    v = domain_vcpu(d, who / 3 % 2);
    if (v) {
        atomic_and(&v->pause_flags, ~VPF_down);
        vcpu_wake(v);
        vcpu_unblock(v);
    }
    if (v && vcpu_runnable(v))
        one_call(v);
    put_domain(d);
    host_exit_path();
    if (who >= 250)
        host_advance(MILLISECS(who - 249));
    host_check_invariants();
}

static void on_stop(void)
{
    longjmp(stopped, 1);
}

static void play(const uint8_t *data, size_t size)
{
    uint64_t frames;

    next = data;
    end = data + size;
    host_init(1024);
    console_init();
    log_set_level(LOG_ERROR);
    frames = heap_free_frames();
    host_on_stop = on_stop;
    (void)host_domain(0, true, 2, 16);
    (void)host_domain(1, false, 2, 16);
    (void)host_domain(2, false, 2, 16);
    for (domid_t id = 0; id < 3; id++) {
        struct domain *d = get_domain_by_id(id);

        grant_table_set_entry(d, 1, (id + 1) % 3, some_frame(id, 1));
        grant_table_set_entry(d, 2, (id + 2) % 3, some_frame(id, 2));
        put_domain(d);
    }
    if (setjmp(stopped))
        return; /* the control domain ended the machine */
    while (next < end)
        step();
    host_destroy_all();
    host_check_invariants();
    if (heap_free_frames() != frames) {
        fprintf(stderr, "%lu frames were lost\n", frames - heap_free_frames());
        abort();
    }
}

const struct random_lives random_lives = {.play = play, .lives = 400, .bytes = 600};
