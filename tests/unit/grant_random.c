/* SPDX-License-Identifier: MIT */
/*
 * The random operations of grant_random.h. Numbers are small, so that things collide; now and then
 * wild.
 */
#include "grant_random.h"
#include "grant_oracle.h"
#include "pv_mm_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <xen/memory.h>

#define ARG    HOST_GUEST_BASE
#define LIST   (HOST_GUEST_BASE + 0x10000)
#define GUESTS 3u
#define REFS   6u
#define SLOT   100u
#define SLOTS  6u

static struct mm_guest guest[GUESTS];
static const uint8_t *input, *input_end;
static domid_t next_id;

static unsigned int take(unsigned int below)
{
    return input < input_end ? *input++ % below : 0;
}

/* One of the first `usual`, seldom anything. */
static uint32_t number(uint32_t usual)
{
    static const uint32_t wild[] = {~0u, 1u << 31, 511, 512, 513, 2047, 2048, 4096, 0x10000};
    unsigned int kind = take(32);

    return kind == 0 ? wild[take(ARRAY_SIZE(wild))] : take(usual);
}

static mfn_t any_frame(const struct mm_guest *g)
{
    unsigned int kind = take(16), i = take(8);

    if (kind == 0)
        return guest[take(GUESTS)].frame[i];
    if (kind == 1)
        return MFN(number(16));
    if (kind == 2)
        return frame_of(g->d->shared_info);
    return g->frame[i]; /* the tables are among them */
}

static domid_t any_domid(void)
{
    static const domid_t wild[] = {DOMID_SELF, DOMID_IO, DOMID_XEN, 99};

    return take(16) ? guest[take(GUESTS)].d->domain_id : wild[take(ARRAY_SIZE(wild))];
}

static uint64_t any_address(const struct mm_guest *g, bool pte)
{
    unsigned int slot = SLOT + take(SLOTS), kind = take(24);

    if (kind == 0)
        return mm_va(slot) + 4;
    if (kind == 1)
        return mm_entry_addr(g, take(4), slot) + take(8);
    if (kind == 2)
        return 0;
    return pte ? mm_entry_addr(g, MM_L1, slot) : mm_va(slot);
}

static void write_entry(struct mm_guest *g)
{
    struct grant_entry_v1 *e = grant_shared(g->d->grant, take(REFS));

    e->frame = (uint32_t)any_frame(g).n;
    e->domid = any_domid();
    e->flags = take(8) ? GTF_permit_access | (take(4) ? 0 : GTF_readonly) : (uint16_t)take(32);
}

static uint32_t map_flags(void)
{
    static const uint32_t kinds[] = {GNTMAP_host_map, GNTMAP_device_map,
                                     GNTMAP_host_map | GNTMAP_device_map};
    uint32_t f = kinds[take(3)];

    f |= take(2) ? GNTMAP_readonly : 0;
    f |= take(4) ? 0 : GNTMAP_contains_pte;
    f |= take(4) ? 0 : GNTMAP_application_map;
    return take(24) ? f : take(256);
}

static void map(struct mm_guest *g)
{
    struct gnttab_map_grant_ref *m = host_guest(ARG);
    unsigned int n = 1 + take(3);

    for (unsigned int i = 0; i < n; i++) {
        uint32_t flags = map_flags();

        m[i] =
            (struct gnttab_map_grant_ref){.host_addr = any_address(g, flags & GNTMAP_contains_pte),
                                          .flags = flags,
                                          .ref = number(REFS),
                                          .dom = any_domid()};
    }
    (void)mm_call(g, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, ARG, n, 0);
}

static void unmap(struct mm_guest *g)
{
    struct gnttab_unmap_grant_ref *u = host_guest(ARG);
    unsigned int n = 1 + take(4);

    for (unsigned int i = 0; i < n; i++) {
        uint64_t bus = any_frame(&guest[take(GUESTS)]).n << PAGE_SHIFT;

        u[i] = (struct gnttab_unmap_grant_ref){.host_addr = any_address(g, !take(4)),
                                               .dev_bus_addr = take(2) ? bus : 0,
                                               .handle = number(8)};
    }
    (void)mm_call(g, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_grant_ref, ARG, n, 0);
}

static void unmap_and_replace(struct mm_guest *g)
{
    struct gnttab_unmap_and_replace *u = host_guest(ARG);

    *u = (struct gnttab_unmap_and_replace){
        .host_addr = any_address(g, false), .new_addr = any_address(g, false), .handle = number(8)};
    (void)mm_call(g, __HYPERVISOR_grant_table_op, GNTTABOP_unmap_and_replace, ARG, 1, 0);
}

static struct gnttab_copy_ptr copy_side(const struct mm_guest *g, bool granted)
{
    struct gnttab_copy_ptr p = {.offset = (uint16_t)(take(8) ? 64 : number(1))};

    if (granted) {
        p.u.ref = number(REFS);
        p.domid = any_domid();
    } else {
        p.u.gmfn = any_frame(g).n;
        p.domid = take(8) ? DOMID_SELF : any_domid();
    }
    return p;
}

static void copy(struct mm_guest *g)
{
    struct gnttab_copy *c = host_guest(ARG);
    uint16_t flags = (uint16_t)take(4);

    *c = (struct gnttab_copy){.source = copy_side(g, flags & GNTCOPY_source_gref),
                              .dest = copy_side(g, flags & GNTCOPY_dest_gref),
                              .len = (uint16_t)number(64),
                              .flags = flags};
    (void)mm_call(g, __HYPERVISOR_grant_table_op, GNTTABOP_copy, ARG, 1, 0);
}

static void about_the_table(struct mm_guest *g)
{
    unsigned int cmd = take(16);

    memset(host_guest(ARG), 0, 64);
    if (cmd == GNTTABOP_swap_grant_ref)
        *(struct gnttab_swap_grant_ref *)host_guest(ARG) =
            (struct gnttab_swap_grant_ref){.ref_a = number(REFS), .ref_b = number(REFS)};
    else
        *(struct gnttab_setup_table *)host_guest(ARG) = (struct gnttab_setup_table){
            .dom = any_domid(), .nr_frames = number(6), .frame_list = take(8) ? LIST : 0};
    (void)mm_call(g, __HYPERVISOR_grant_table_op, cmd, ARG, 1, 0);
}

/* What the mapper does to its page tables behind the grants' back. */
static void write_slot(struct mm_guest *g)
{
    unsigned int slot = SLOT + take(SLOTS), how = take(4);
    uint64_t e = mm_words(g, MM_L1)[slot];

    if (how == 0)
        e = 0;
    else if (how == 1)
        e ^= PTE_RW;
    else if (how == 2)
        e = mm_pte(any_frame(g), take(2) ? MM_RW : MM_RO);
    else
        e = mm_words(g, MM_L1)[SLOT + take(SLOTS)];
    (void)mm_update(g, mm_entry_addr(g, MM_L1, slot), e);
}

/* The granter gives a frame back that others may have mapped. */
static void give_back(struct mm_guest *g)
{
    struct xen_memory_reservation *r = host_guest(ARG);
    unsigned int i = MM_SPARE + take(4);

    (void)mm_update_va(g, mm_va(i), 0, 0);
    *(xen_pfn_t *)host_guest(LIST) = g->frame[i].n;
    *r =
        (struct xen_memory_reservation){.extent_start = LIST, .nr_extents = 1, .domid = DOMID_SELF};
    (void)mm_call(g, __HYPERVISOR_memory_op, XENMEM_decrease_reservation, ARG, 0, 0);
}

static void end_and_begin(struct mm_guest *g)
{
    bool control = g->d->is_control;

    if (control)
        return;
    mm_guest_gone(g);
    mm_guest_init(g, ++next_id, false);
}

static void step(void)
{
    struct mm_guest *g = &guest[take(GUESTS)];

    mm_preempt = take(4) == 0;
    switch (take(16)) {
    case 0 ... 3:
        write_entry(g);
        break;
    case 4 ... 7:
        map(g);
        break;
    case 8 ... 9:
        unmap(g);
        break;
    case 10:
        unmap_and_replace(g);
        break;
    case 11:
        copy(g);
        break;
    case 12:
        about_the_table(g);
        break;
    case 13:
        write_slot(g);
        break;
    case 14:
        give_back(g);
        break;
    default:
        if (take(4) == 0)
            end_and_begin(g);
    }
}

static void recount(void)
{
    if (!host_recount())
        return;
    fprintf(stderr, "references differ:\n%.*s\n", (int)host_console_len, host_console);
    abort();
}

void grant_random_run(const uint8_t *data, size_t n, unsigned int every)
{
    input = data;
    input_end = data + n;
    next_id = GUESTS;
    mm_init(1024);
    mm_recount = false;
    for (unsigned int i = 0; i < GUESTS; i++)
        mm_guest_init(&guest[i], (domid_t)i, i == 0);
    for (unsigned int i = 1; input < input_end; i++) {
        step();
        if (i % every == 0) {
            grant_oracle_check();
            recount();
        }
    }
    mm_preempt = false;
    grant_oracle_check();
    mm_fini();
}
