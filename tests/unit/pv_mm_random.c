/* SPDX-License-Identifier: MIT */
/*
 * The random operations of pv_mm_random.h.
 */
#include "pv_mm_random.h"
#include "pv_mm_support.h"

#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <core/domain/domain_pages.h>
#include <pv/hypercall.h>
#include <pv/pv_ops.h>
#include <xen/grant_table.h>

static struct mm_guest control, guest;
static const uint8_t *input, *input_end;

static unsigned int take(unsigned int below)
{
    unsigned int x = 0;

    if (input < input_end)
        x = *input++;
    return x % below;
}

static void must(bool ok, const char *what)
{
    if (ok)
        return;
    fprintf(stderr, "pv_mm_random: %s\n%.*s\n", what, (int)host_console_len, host_console);
    abort();
}

/* A frame: mostly one of the guest's first twenty, so that things collide. */
static mfn_t any_frame(void)
{
    unsigned int kind = take(16), i = take(20);

    switch (kind) {
    case 0:
        return control.frame[i];
    case 1:
        return MFN(i); /* not given to the heap: holes, device memory */
    case 2:
        return frame_of(guest.d->arch.pv.perdomain_l3);
    case 3:
        return MFN(max_mfn + i - 10);
    default:
        return guest.frame[i];
    }
}

static uint64_t any_entry(void)
{
    static const uint64_t bits[] = {
        PTE_RW,  PTE_USER,   PTE_PWT, PTE_PCD,          PTE_ACCESSED, PTE_DIRTY,
        PTE_PSE, PTE_GLOBAL, PTE_NX,  PTE_GUEST_KERNEL, PTE_AVAIL,    1ull << 60,
    };
    uint64_t e = mm_pte(any_frame(), PTE_PRESENT);

    switch (take(8)) {
    case 0:
        return 0;
    case 1:
    case 2:
        return e | PTE_USER; /* read-only */
    case 3:
    case 4:
    case 5:
        return e | MM_RW;
    case 6:
        return e ^ PTE_PRESENT;
    default:
        e ^= bits[take(ARRAY_SIZE(bits))];
        return e ^ bits[take(ARRAY_SIZE(bits))];
    }
}

static unsigned int any_index(void)
{
    unsigned int x = take(64);

    return x < 40 ? x : x < 48 ? 250 + x - 40 : x < 56 ? 256 + x - 48 : 504 + x - 56;
}

static void call(struct mm_guest *g, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2,
                 uint64_t a3)
{
    const uint64_t args[6] = {a0, a1, a2, a3};

    this_cpu()->pending = take(2) ? CPU_WORK_CONSOLE : 0;
    host_hypercall(g->v, nr, args, NULL);
    this_cpu()->pending = 0;
}

static unsigned int any_foreign(const struct mm_guest *g)
{
    switch (take(8)) {
    case 0:
        return DOMID_IO;
    case 1:
        return g == &control ? guest.d->domain_id : control.d->domain_id;
    case 2:
        return g == &control ? guest.d->domain_id | (guest.d->domain_id + 1u) << 16 : 0x20000;
    default:
        return DOMID_SELF;
    }
}

static void random_update(struct mm_guest *g)
{
    struct mmu_update *req = host_guest(HOST_GUEST_BASE);
    unsigned int n = 1 + take(4);

    for (unsigned int i = 0; i < n; i++) {
        unsigned int cmd = take(8) ? take(4) : take(8);

        req[i] = (struct mmu_update){.ptr = any_frame().n << PAGE_SHIFT | any_index() * 8 | cmd,
                                     .val = any_entry()};
    }
    call(g, __HYPERVISOR_mmu_update, HOST_GUEST_BASE, n, 0, any_foreign(g));
}

static void random_va(struct mm_guest *g)
{
    gva_t va = take(8) ? mm_va(any_index()) : (uint64_t)take(256) << 39 | (uint64_t)take(256) << 30;

    call(g, __HYPERVISOR_update_va_mapping, va, any_entry(), take(8), 0);
}

static void random_ext(struct mm_guest *g)
{
    struct mmuext_op *op = host_guest(HOST_GUEST_BASE);
    unsigned int n = 1 + take(3);

    for (unsigned int i = 0; i < n; i++)
        op[i] = (struct mmuext_op){
            .cmd = take(22), .arg1.mfn = any_frame().n, .arg2.src_mfn = any_frame().n};
    call(g, __HYPERVISOR_mmuext_op, HOST_GUEST_BASE, n, 0, any_foreign(g));
}

/* Issued once and, when it gives way, not again. */
static void random_abandoned(struct mm_guest *g)
{
    struct mmuext_op *op = host_guest(HOST_GUEST_BASE);

    *op = (struct mmuext_op){.cmd = take(5), .arg1.mfn = any_frame().n};
    host_run_as(g->v);
    this_cpu()->slice_end = 0;
    this_cpu()->pending = CPU_WORK_CONSOLE;
    if (do_mmuext_op(HOST_GUEST_BASE, 1, 0, any_foreign(g)) == -XEN_ERESTART)
        g->v->continuation = false;
    this_cpu()->pending = 0;
}

/* Sets the first frames behind the tables up as an L4 with two L3, four L2 and nine L1, as far as
 * they can be written now. */
static void random_tree(struct mm_guest *g)
{
    enum { L4 = MM_SPARE, L3, L2 = L3 + 2, L1 = L2 + 4, END = 20 };

    for (unsigned int i = L4; i < END; i++) {
        struct page_info *pg = mm_page(g, i);

        if (!get_page_and_writable(pg, g->d))
            continue;
        memset(mm_words(g, i), 0, PAGE_SIZE);
        for (unsigned int k = 0; k < 2 && i < L2; k++)
            mm_words(g, i)[k * 300] =
                mm_pte(g->frame[i == L4 ? L3 + k : L2 + (i - L3) * 2 + k], MM_RW);
        for (unsigned int k = 0; k < 3 && i >= L2 && i < L1; k++)
            mm_words(g, i)[k] = mm_pte(g->frame[L1 + (i - L2 + k * 2) % 9], MM_RW);
        for (unsigned int k = 0; k < 3 && i >= L1; k++)
            mm_words(g, i)[k] = mm_pte(g->frame[20 + k], k ? MM_RW : MM_RO);
        put_page_and_type(pg);
        call(g, __HYPERVISOR_update_va_mapping, mm_va(i), mm_pte(g->frame[i], MM_RO), 0, 0);
    }
}

/* Pins and unpins in the tree, mostly at the level that fits. */
static void random_pin(struct mm_guest *g)
{
    static const uint8_t level[] = {3, 2, 2, 1, 1, 1, 1, 0};
    struct mmuext_op *op = host_guest(HOST_GUEST_BASE);
    unsigned int i = take(8);

    *op = (struct mmuext_op){.cmd = take(2) ? MMUEXT_UNPIN_TABLE : MMUEXT_PIN_L1_TABLE + level[i],
                             .arg1.mfn = g->frame[MM_SPARE + i].n};
    if (take(8) == 0)
        op->cmd = take(2) ? MMUEXT_NEW_BASEPTR : MMUEXT_NEW_USER_BASEPTR;
    if (take(4)) {
        call(g, __HYPERVISOR_mmuext_op, HOST_GUEST_BASE, 1, 0, DOMID_SELF);
        return;
    }
    host_run_as(g->v);
    this_cpu()->slice_end = 0;
    this_cpu()->pending = CPU_WORK_CONSOLE;
    if (do_mmuext_op(HOST_GUEST_BASE, 1, 0, DOMID_SELF) == -XEN_ERESTART)
        g->v->continuation = false;
    this_cpu()->pending = 0;
}

/* Writes into a frame as the guest could: only when it has no type but writable. */
static void random_fill(struct mm_guest *g)
{
    unsigned int i = take(20), n = 1 + take(6);
    struct page_info *pg = mm_page(g, i);

    if (!get_page_and_writable(pg, g->d))
        return;
    while (n--)
        mm_words(g, i)[any_index()] = any_entry();
    put_page_and_type(pg);
}

static void random_ptwr(struct mm_guest *g)
{
    static const char code[][6] = {"\x48\x89\x07",     "\xf0\x80\x27\xfd",
                                   "\x48\x87\x37",     "\xf0\x48\x0f\xba\x37\x01",
                                   "\x48\x83\x0f\x02", "\x48\x0f\xb1\x37"};
    gva_t at = mm_va(take(8)) + any_index() * 8;

    memcpy(host_guest(HOST_GUEST_BASE), code[take(ARRAY_SIZE(code))], 6);
    host_run_as(g->v);
    g->v->arch.pv.cr3 = g->v->arch.pv.guest_table.n << PAGE_SHIFT;
    g->v->regs.rip = HOST_GUEST_BASE;
    g->v->regs.rdi = at;
    g->v->regs.rax = g->v->regs.rsi = any_entry();
    if (pv_ptwr_fault(g->v, at))
        must(g->v->regs.rip != HOST_GUEST_BASE, "a write was emulated, and RIP stayed");
}

/* A grant by the other domain, as the grant code maps and unmaps it. */
static void random_grant(struct mm_guest *g)
{
    struct mm_guest *granter = g == &control ? &guest : &control;
    unsigned int i = take(4) ? 19 + take(2) : take(20), flags = take(2) ? GNTMAP_readonly : 0;
    struct page_info *pg = mm_page(granter, i);
    uint64_t addr = mm_va(take(4) ? 100 + take(2) : any_index());
    bool unmap = take(2);
    int rc;

    if (take(2)) {
        flags |= GNTMAP_contains_pte;
        addr = any_frame().n << PAGE_SHIFT | any_index() * 8;
    }
    host_run_as(g->v);
    if (unmap) {
        rc = pv_grant_unmap(addr, granter->frame[i], flags, take(8) ? 0 : mm_va(any_index()));
    } else {
        if (!get_page(pg, granter->d))
            return;
        if (!(flags & GNTMAP_readonly) && get_page_type(pg, PGT_writable_page, granter->d)) {
            put_page(pg);
            return;
        }
        rc = pv_grant_map(addr, granter->frame[i], flags);
    }
    if (unmap == !rc) { /* unmapped, or not mapped: the references are ours */
        if (!(flags & GNTMAP_readonly))
            put_page_type(pg);
        put_page(pg);
    }
}

static void random_descriptors(struct mm_guest *g)
{
    uint64_t frames[2] = {any_frame().n, any_frame().n};

    host_run_as(g->v);
    if (take(2)) {
        memcpy(host_guest(HOST_GUEST_BASE), frames, sizeof(frames));
        call(g, __HYPERVISOR_set_gdt, HOST_GUEST_BASE, take(3) * 512, 0, 0);
    } else {
        call(g, __HYPERVISOR_update_descriptor, any_frame().n << PAGE_SHIFT | any_index() * 8,
             any_entry(), 0, 0);
    }
}

static void one(void)
{
    struct mm_guest *g = take(4) ? &guest : &control;

    switch (take(22)) {
    case 16:
        random_tree(g);
        break;
    case 17:
    case 18:
    case 19:
    case 20:
    case 21:
        random_pin(g);
        break;
    case 0:
    case 1:
    case 2:
    case 3:
        random_update(g);
        break;
    case 4:
    case 5:
    case 6:
        random_va(g);
        break;
    case 7:
    case 8:
    case 9:
        random_ext(g);
        break;
    case 10:
        random_abandoned(g);
        break;
    case 11:
    case 12:
        random_fill(g);
        break;
    case 13:
        random_ptwr(g);
        break;
    case 14:
        random_grant(g);
        break;
    default:
        random_descriptors(g);
    }
}

void mm_random_run(const uint8_t *data, size_t n, unsigned int every)
{
    unsigned int done = 0;

    input = data;
    input_end = data + n;
    mm_init(512);
    mm_guest_init(&control, 0, true);
    mm_guest_init(&guest, 1, false);
    guest.d->vm_assist = 1u << VMASST_TYPE_writable_pagetables;
    random_tree(&guest);
    while (input < input_end) {
        one();
        must(!host_locks_held(), "an operation came back with a lock");
        host_tlb_check();
        if (++done % every == 0)
            must(!host_recount(), "the recount differs");
    }
    must(!host_recount(), "the recount differs at the end");
    this_cpu()->pending = take(2) ? CPU_WORK_CONSOLE : 0;
    mm_fini();
}
