/* SPDX-License-Identifier: MIT */
/*
 * Page tables: paravirtual guests whose vCPUs change, pin and use the same ones from several CPUs,
 * with no lock among them, while their domains end and their frames go round.
 *
 * Each CPU has a TLB (tests/host/tlb_threads.c), which keeps what the guest did not flush, and with
 * which it loads and stores all the time: what it stores are entries of page tables. So a frame
 * that becomes a table while a CPU can still write it, or comes to another domain, is found by the
 * store. At rest all references and types are counted anew.
 *
 * A guest has four tables that stay as they are, a second base table, and frames that are now plain
 * memory, mapped at any of some addresses, and now tables of level 1. Any operation may be refused:
 * that is the hypervisor's business with others at work in between. Only the numbers of frames that
 * are given back and got anew belong to one vCPU each.
 */
#include "pages_grants.h"
#include "torture.h"
#include "vm_pages.h"

#include "../host/tlb_threads.h"
#include <string.h>

#include <core/domain/domain_table.h>
#include <core/life/domain_system.h>
#include <core/state/guest_ops.h>
#include <pv/pv_bits.h>
#include <pv/pv_mm.h>
#include <pv/pv_ops.h>
#include <xen/memory.h>
#include <xen/mmu.h>

#define DOMAINS 5 /* from FIRST_VM on fully virtualized: vm_pages.c */
#define VCPUS   3
#define PAGES   18
#define VA      0x40000000ull /* L4 entry 0, L3 entry 1, L2 entry 0 */
#define SLOTS   4             /* of the table of level 2, and entries of each table of level 1 */

enum { L4, SECOND_L4, L3, L2, L1, PLAIN }; /* from there on: plain memory, or tables of level 1 */

#define RW (PTE_PRESENT | PTE_RW | PTE_USER | PTE_ACCESSED | PTE_DIRTY)
#define RO (PTE_PRESENT | PTE_USER | PTE_ACCESSED)

extern mfn_t pv_zero_page; /* pv/domain_ops.c */

static uint64_t frames[DOMAINS][PAGES];
static uint32_t ready[DOMAINS];
static bool control_started[2]; /* its vCPU's */
static uint64_t own_l4[512] __aligned(PAGE_SIZE);

static uint64_t frame(const struct guest *g, unsigned int i)
{
    return get(&frames[g->v->domain->domain_id][i]);
}

static unsigned int any(struct guest *g)
{
    return PLAIN + chance(g, PAGES - PLAIN);
}

static uint64_t any_entry(struct guest *g)
{
    static const uint64_t kind[] = {0, RO, RW, RW};
    uint64_t flags = kind[chance(g, ARRAY_SIZE(kind))];

    return flags ? frame(g, any(g)) << PAGE_SHIFT | flags : 0;
}

/* Where a frame was mapped first; or what a table hung into level 2 may map. */
static gva_t any_va(struct guest *g)
{
    if (chance(g, 3))
        return VA + any(g) * PAGE_SIZE;
    return VA + ((uint64_t)(1 + chance(g, SLOTS - 1)) << 21) + chance(g, SLOTS) * PAGE_SIZE;
}

/* ---- hypercalls ---- */

static void update(struct guest *g, uint64_t table, unsigned int entry, uint64_t val)
{
    *ARGS(g, mmu_update) = (struct mmu_update){.ptr = table << PAGE_SHIFT | entry * 8, .val = val};
    CALL(g, NULL, mmu_update, g->args, 1, 0, DOMID_SELF);
}

static void ext(struct guest *g, void (*done)(struct guest *, long), unsigned int cmd, uint64_t arg)
{
    *ARGS(g, mmuext_op) = (struct mmuext_op){.cmd = cmd, .arg1.mfn = arg};
    CALL(g, done, mmuext_op, g->args, 1, 0, DOMID_SELF);
}

static void map(struct guest *g)
{
    static const uint64_t flush[] = {UVMF_NONE, UVMF_NONE, UVMF_INVLPG | UVMF_ALL,
                                     UVMF_TLB_FLUSH | UVMF_ALL};

    CALL(g, NULL, update_va_mapping, VA + any(g) * PAGE_SIZE, any_entry(g),
         flush[chance(g, ARRAY_SIZE(flush))]);
}

static void change_entry(struct guest *g)
{
    if (chance(g, 2))
        update(g, frame(g, L1), any(g), any_entry(g));
    else
        update(g, frame(g, any(g)), chance(g, SLOTS), any_entry(g));
}

/* Hangs a table into level 2, or takes it away. */
static void hang(struct guest *g)
{
    uint64_t e = chance(g, 3) ? frame(g, any(g)) << PAGE_SHIFT | RW : 0;

    update(g, frame(g, L2), 1 + chance(g, SLOTS - 1), e);
}

static void pin(struct guest *g)
{
    ext(g, NULL, MMUEXT_PIN_L1_TABLE, frame(g, any(g)));
}

static void unpin(struct guest *g)
{
    ext(g, NULL, MMUEXT_UNPIN_TABLE, frame(g, any(g)));
}

static void flush(struct guest *g)
{
    if (chance(g, 2))
        ext(g, NULL, chance(g, 2) ? MMUEXT_TLB_FLUSH_LOCAL : MMUEXT_TLB_FLUSH_ALL, 0);
    else
        ext(g, NULL, chance(g, 2) ? MMUEXT_INVLPG_LOCAL : MMUEXT_INVLPG_ALL, any_va(g));
}

static void load_base(struct guest *g)
{
    ext(g, NULL, MMUEXT_NEW_BASEPTR, frame(g, chance(g, 2) ? L4 : SECOND_L4));
}

/* A frame of its own goes back, and another comes in its place: unmapped, but no TLB is flushed,
 * and whoever has it mapped elsewhere, or as a table, keeps it for the time. */
static void map_it(struct guest *g)
{
    CALL(g, NULL, update_va_mapping, VA + g->a[0] * PAGE_SIZE,
         frame(g, (unsigned int)g->a[0]) << PAGE_SHIFT | RW, UVMF_NONE);
}

static void got(struct guest *g, long rc)
{
    if (rc != 1)
        return;
    put(&frames[g->v->domain->domain_id][g->a[0]], *(uint64_t *)host_guest(g->args + 512));
    g->next = map_it;
}

static void reserve(struct guest *g, unsigned int cmd, void (*done)(struct guest *, long))
{
    *ARGS(g, xen_memory_reservation) = (struct xen_memory_reservation){
        .extent_start = g->args + 512, .nr_extents = 1, .domid = DOMID_SELF};
    CALL(g, done, memory_op, cmd, g->args);
}

static void get_another(struct guest *g)
{
    *(uint64_t *)host_guest(g->args + 512) = g->a[0];
    reserve(g, XENMEM_populate_physmap, got);
}

/* It may be another's by now, and this CPU not know. */
static void use_what_was_there(struct guest *g)
{
    uint64_t load;

    (void)host_touch(VA + g->a[0] * PAGE_SIZE, &load, NULL);
    g->next = chance(g, 24) ? use_what_was_there : get_another;
}

static void given(struct guest *g, long rc)
{
    if (rc == 1)
        g->next = use_what_was_there;
}

static void give_back(struct guest *g)
{
    *(uint64_t *)host_guest(g->args + 512) = frame(g, (unsigned int)g->a[0]);
    reserve(g, XENMEM_decrease_reservation, given);
}

static void exchange(struct guest *g)
{
    uint64_t load;

    g->a[0] = any(g);
    if (g->a[0] % VCPUS != g->v->vcpu_id)
        return;
    (void)host_touch(VA + g->a[0] * PAGE_SIZE, &load, NULL);
    CALL(g, NULL, update_va_mapping, VA + g->a[0] * PAGE_SIZE, 0, UVMF_NONE);
    g->next = give_back;
}

/* Its LDT, or none; any page that can be read may be one of it. */
static void set_ldt(struct guest *g)
{
    *ARGS(g, mmuext_op) = (struct mmuext_op){.cmd = MMUEXT_SET_LDT,
                                             .arg1.linear_addr = VA + any(g) * PAGE_SIZE,
                                             .arg2.nr_ents = chance(g, 4) ? SLOTS * 512 : 0};
    CALL(g, NULL, mmuext_op, g->args, 1, 0, DOMID_SELF);
}

/* ---- the CPU ---- */

/* The fault of who loads a selector of it. */
static void load_selector(struct guest *g)
{
    (void)pv_map_ldt_page(g->v, chance(g, SLOTS) * PAGE_SIZE);
    if (chance(g, 4))
        g->next = load_selector;
}

static void touch(struct guest *g)
{
    uint64_t store = any_entry(g), load;
    gva_t va = any_va(g) + chance(g, SLOTS) * 8;

    if (chance(g, 3))
        (void)host_touch(va, NULL, &store);
    else
        (void)host_touch(va, &load, NULL);
}

static void touch_some(struct guest *g)
{
    touch(g);
    if (chance(g, 10))
        g->next = touch_some;
}

/* ---- grants ---- */

static domid_t any_vm(struct guest *g)
{
    return (domid_t)(FIRST_VM + chance(g, DOMAINS - FIRST_VM));
}

/* Seldom: who unmaps one makes all CPUs flush, which hides flushes that are missing elsewhere. */
static void use_grant(struct guest *g)
{
    switch (chance(g, 20)) {
    case 0:
        pages_copy_grant(g, any_vm(g));
        break;
    case 1:
        pages_unmap_grant(g);
        break;
    case 2 ... 4:
        pages_map_grant(g, any_vm(g), any_va(g) & PAGE_MASK);
        break;
    default:
        touch_some(g);
    }
}

/* ---- the program ---- */

static void operation(struct guest *g)
{
    static step_fn *const each[] = {
        map,           map,           map,           change_entry, change_entry, hang,
        pin,           unpin,         flush,         load_base,    touch_some,   touch_some,
        touch_some,    exchange,      exchange,      exchange,     guest_yield,  set_ldt,
        load_selector, load_selector, load_selector, use_grant};

    g->last = chance(g, ARRAY_SIZE(each));
    each[g->last](g);
}

static void must(struct guest *g, long rc)
{
    if (rc && !READ_ONCE(g->v->domain->dying))
        torture_failed("mmuext_op %u: %ld", ARGS(g, mmuext_op)->cmd, rc);
}

static void is_ready(struct guest *g)
{
    put(&ready[g->v->domain->domain_id], 1);
}

static void load_first(struct guest *g)
{
    ext(g, must, MMUEXT_NEW_BASEPTR, frame(g, L4));
    if (!g->v->vcpu_id)
        g->next = is_ready;
}

static void pin_second(struct guest *g)
{
    ext(g, must, MMUEXT_PIN_L4_TABLE, frame(g, SECOND_L4));
    g->next = load_first;
}

static void start(struct guest *g)
{
    if (!g->v->vcpu_id) {
        ext(g, must, MMUEXT_PIN_L4_TABLE, frame(g, L4));
        g->next = pin_second;
    } else if (get(&ready[g->v->domain->domain_id])) {
        load_first(g);
    } else {
        guest_yield(g);
        g->next = start;
    }
}

/* ---- the control domain ---- */

static mfn_t frame_of_vm(domid_t id, uint64_t gfn)
{
    struct domain *d = get_domain_by_id(id);
    mfn_t mfn = d ? d->ops->gfn_to_mfn(d, GFN(gfn)) : INVALID_MFN;

    if (d)
        put_domain(d);
    return mfn;
}

/* By its own number, or where that was a moment ago. */
static void map_foreign(struct guest *g)
{
    domid_t id = any_vm(g);
    uint64_t table = frame(g, L1) << PAGE_SHIFT | any(g) * 8, n = vm_pages_any(g);
    bool translated = chance(g, 2);

    if (!translated)
        n = frame_of_vm(id, n).n;
    if (n == INVALID_MFN.n)
        return;
    *ARGS(g, mmu_update) =
        (struct mmu_update){.ptr = table | (translated ? 0 : MMU_PT_UPDATE_NO_TRANSLATE),
                            .val = n << PAGE_SHIFT | (chance(g, 3) ? RW : RO)};
    CALL(g, NULL, mmu_update, g->args, 1, 0, id);
}

/* Frames of one come and go. */
static void balloon(struct guest *g)
{
    *(uint64_t *)host_guest(g->args + 512) = vm_pages_any(g);
    *ARGS(g, xen_memory_reservation) =
        (struct xen_memory_reservation){.extent_start = g->args + 512,
                                        .nr_extents = 1,
                                        .extent_order = chance(g, 2) * chance(g, 4),
                                        .domid = any_vm(g)};
    CALL(g, NULL, memory_op, chance(g, 2) ? XENMEM_populate_physmap : XENMEM_decrease_reservation,
         g->args);
}

static void control(struct guest *g)
{
    static step_fn *const each[] = {map_foreign, map_foreign, map,     touch_some,
                                    touch_some,  flush,       balloon, balloon};

    if (!control_started[g->v->vcpu_id]) {
        control_started[g->v->vcpu_id] = true;
        start(g);
        return;
    }
    each[chance(g, ARRAY_SIZE(each))](g);
}

/* ---- what they begin with ---- */

static uint64_t *words(domid_t id, unsigned int i)
{
    return map_frame(MFN(frames[id][i]));
}

static void born(domid_t id)
{
    put(&ready[id], 0);
    if (id >= FIRST_VM) {
        vm_pages_born(id);
        return;
    }
    if (!id)
        memset(control_started, 0, sizeof(control_started));
    pages_grants_born(id);
    torture_frames(id, frames[id], PAGES);
    for (unsigned int i = 0; i < PAGES; i++)
        words(id, L1)[i] = frames[id][i] << PAGE_SHIFT | (i < PLAIN ? RO : RW);
    words(id, L2)[0] = frames[id][L1] << PAGE_SHIFT | RW;
    words(id, L3)[1] = frames[id][L2] << PAGE_SHIFT | RW;
    words(id, L4)[0] = words(id, SECOND_L4)[0] = frames[id][L3] << PAGE_SHIFT | RW;
}

/* What is kept for the next domain (the page of zeros) is made now, and not missed at the end. */
static void machine(void)
{
    guest_kinds[0] = &pv_guest_ops;
    hv_l4 = own_l4;
    pv_zero_page = MFN(0);
    host_destroy(host_domain(1, false, 1, 1));
}

static void check(void)
{
    unsigned int wrong = host_recount();

    if (wrong)
        torture_failed("%u frames have other references than counted: %s", wrong, host_console);
}

const struct scenario torture_pages = {
    .name = "pages",
    .what = "page tables changed, pinned and used by CPUs with TLBs: nobody writes a table",
    .operations = 300,
    .machine = machine,
    .domains = DOMAINS,
    .vcpus = VCPUS,
    .pages = PAGES,
    .vms = 1 << FIRST_VM | 1 << (FIRST_VM + 1),
    .vm = &torture_vm_pages,
    .control = control,
    .frames = 700 + 1300, /* few, so that they go round; and two blocks of 512 */
    .born = born,
    .start = start,
    .operation = operation,
    .rest = guest_block,
    .check = check,
};
