/* SPDX-License-Identifier: MIT */
/*
 * Nested page tables: fully virtualized domains whose vCPUs load and store through them, have
 * frames taken out and put in, small and large ones, which are split, and have the hypervisor walk
 * page tables of theirs, which they write at the same time: for OUTS and INS, and to fetch an
 * instruction. So all that is looked up may be gone, or another frame, in between; and frames come
 * from the paravirtual domains of pages.c and go there.
 *
 * A fetch that fails ends the domain, and the control domain makes another.
 */
#include "vm.h"

#include <core/domain/domain_table.h>
#include <hv/x86_bits.h>

#include "pages_grants.h"
#include "vm_pages.h"

#define PAGES    18u
#define LARGE    512u          /* where 512 frames may be, and again behind them */
#define TABLES   5u            /* any of the first but 0 may be one of the guest's tables */
#define CHANGING 2u            /* frames behind those, that come and go all the time */
#define SLOTS    4u            /* of each table, and so many frames of a block that are touched */
#define WORDS    (VM_CODE / 8) /* that guests touch; 0xc00 is for copies, a part for each vCPU */
#define BLOCKS   2u

static uint64_t any_small(struct guest *g)
{
    return 1 + chance(g, PAGES - 1);
}

static uint64_t any_large(struct guest *g)
{
    return LARGE * (1 + chance(g, BLOCKS)) + chance(g, SLOTS) * 100;
}

static uint64_t any_frame(struct guest *g)
{
    return chance(g, 3) ? any_small(g) : any_large(g);
}

/* ---- loads and stores ---- */

/* Of a table, most often to another. */
static uint64_t any_entry(struct guest *g)
{
    uint64_t flags = PTE_PRESENT | PTE_RW | PTE_USER;

    if (!chance(g, 12))
        return chance(g, 2) ? 0 : LARGE << PAGE_SHIFT | flags | PTE_PSE;
    return (chance(g, 4) ? 1 + chance(g, TABLES) : any_frame(g)) << PAGE_SHIFT | flags;
}

static void set_entry(struct guest *g)
{
    uint64_t store = any_entry(g);

    (void)vm_touch(g->v->domain, 1 + chance(g, TABLES), chance(g, SLOTS) * 8, NULL, &store);
    if (chance(g, 10))
        g->next = set_entry;
}

static void touch_some(struct guest *g)
{
    unsigned int word = chance(g, WORDS);
    uint64_t store = any_entry(g), load;

    if (chance(g, 2))
        (void)vm_touch(g->v->domain, any_frame(g), word * 8, NULL, &store);
    else
        (void)vm_touch(g->v->domain, any_frame(g), word * 8, &load, NULL);
    if (chance(g, 10))
        g->next = touch_some;
}

/* ---- what is where ---- */

static void remove_one(struct guest *g)
{
    (void)vm_give_back(g, any_frame(g));
}

static void add_one(struct guest *g)
{
    (void)vm_populate(g, any_frame(g), 0);
}

/* Some change all the time, and by several at once. */
static void put_another(struct guest *g)
{
    (void)vm_populate(g, g->a[0], 0);
}

static void change_one(struct guest *g)
{
    g->a[0] = TABLES + 1 + chance(g, CHANGING);
    (void)vm_give_back(g, g->a[0]);
    g->next = put_another;
}

static void add_block(struct guest *g)
{
    (void)vm_populate(g, LARGE * (1 + chance(g, BLOCKS)), 9);
}

static void add_few(struct guest *g)
{
    (void)vm_populate(g, any_large(g) & ~7ull, 3);
}

/* ---- walks ---- */

static void page(struct guest *g, bool on)
{
    struct vmcb *b = vmcb_of(g->v);

    b->save.cr0 = X86_CR0_PE | 0x10 | (on ? X86_CR0_PG | X86_CR0_WP : 0);
    b->save.cr4 = on ? X86_CR4_PAE : 0;
    b->save.cr3 = (1 + chance(g, TABLES)) << PAGE_SHIFT;
    b->save.efer =
        (b->save.efer & ~(uint64_t)(EFER_LMA | EFER_LME)) | (on ? EFER_LMA | EFER_LME : 0);
    b->save.cs.attributes = on ? 0xa9b : 0xc9b;
    g->v->arch.hvm.lme = on;
}

/* Where its tables lead anywhere; in the page, what is its own. */
static gva_t any_address(struct guest *g)
{
    gva_t va = 0xc00 + g->v->vcpu_id * 64u + chance(g, 60);

    for (unsigned int level = 0; level < 4; level++)
        va |= (gva_t)chance(g, SLOTS) << (PAGE_SHIFT + 9 * level);
    return va;
}

static void string(struct guest *g)
{
    page(g, chance(g, 8));
    vm_string(g, 0x80, 1u << chance(g, 3), chance(g, 2), any_address(g));
    page(g, false);
}

static void apic(struct guest *g)
{
    page(g, !chance(g, 30));
    vm_apic_write(g, LAPIC_TPR, 0);
    page(g, false);
}

/* ---- grants ---- */

static void give(struct guest *g)
{
    pages_give(g, any_frame(g), FIRST_VM);
}

/* ---- the program ---- */

static void operation(struct guest *g)
{
    static step_fn *const any[] = {set_entry, touch_some,      touch_some, touch_some, remove_one,
                                   set_entry, add_one,         add_one,    add_block,  add_few,
                                   string,    string,          string,     apic,       vm_cpuid,
                                   give,      pages_take_back, change_one, change_one, change_one};

    g->last = chance(g, ARRAY_SIZE(any));
    any[g->last](g);
}

static void start(struct guest *g)
{
    if (!g->v->vcpu_id)
        vm_ipi(g, 0xc4601, 0, vm_cpuid);
}

const struct vm_program torture_vm_pages = {
    .start = start, .operation = operation, .rest = vm_halt};

void vm_pages_born(domid_t id)
{
    struct domain *d = get_domain_by_id(id);

    WRITE_ONCE(d->max_pages, PAGES + BLOCKS * LARGE);
    put_domain(d);
}

uint64_t vm_pages_any(struct guest *g)
{
    return any_frame(g);
}
