/* SPDX-License-Identifier: MIT */
/*
 * The guest of pv_mm_support.h.
 */
#include <pv/pv_ops.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pv_mm_support.h"

#include <core/base/hypercall.h>
#include <core/life/domain_system.h>
#include <core/state/guest_ops.h>

extern mfn_t pv_zero_page; /* pv/domain_ops.c: made once a machine */

bool mm_preempt, mm_recount;
unsigned int mm_issues;

static uint64_t free_before;
static uint64_t own_l4[512];
static struct mm_guest *guests[8];
static unsigned int nr_guests;

void mm_init(uint64_t frames)
{
    host_init(frames);
    guest_kinds[0] = &pv_guest_ops;
    hv_l4 = own_l4;
    pv_zero_page = MFN(0);
    mm_preempt = false;
    mm_recount = true;
    nr_guests = 0;
    /* What is kept for the next domain (the page of zeros, pages of small objects) is not missed
     * below. */
    host_destroy(host_domain(1, false, 1, 1));
    free_before = heap_free_frames();
}

static void build_tables(struct mm_guest *g)
{
    for (unsigned int i = 0; i < MM_FRAMES; i++)
        mm_words(g, MM_L1)[i] = mm_pte(g->frame[i], i < MM_SPARE ? MM_RO : MM_RW);
    mm_words(g, MM_L2)[0] = mm_pte(g->frame[MM_L1], MM_RW);
    mm_words(g, MM_L3)[1] = mm_pte(g->frame[MM_L2], MM_RW);
    mm_words(g, MM_L4)[0] = mm_pte(g->frame[MM_L3], MM_RW);
}

void mm_guest_init(struct mm_guest *g, domid_t id, bool control)
{
    mm_guest_init_vcpus(g, id, control, 1);
}

void mm_guest_init_vcpus(struct mm_guest *g, domid_t id, bool control, unsigned int vcpus)
{
    struct page_info *pg;
    unsigned int i = 0;

    g->d = host_domain(id, control, vcpus, MM_FRAMES);
    g->v = g->d->vcpu[0];
    for (pg = page_list_first(&g->d->pages); pg; i++) {
        g->frame[i] = page_to_mfn(pg);
        pg = pg->next == PAGE_LIST_END ? NULL : &frame_table[pg->next];
    }
    assert_int_equal(i, MM_FRAMES);
    guests[nr_guests++] = g;
    build_tables(g);
    assert_int_equal(mm_ext(g, MMUEXT_PIN_L4_TABLE, g->frame[MM_L4].n, 0), 0);
    assert_int_equal(mm_ext(g, MMUEXT_NEW_BASEPTR, g->frame[MM_L4].n, 0), 0);
    assert_int_equal(mm_type_count(g, MM_L4), 2);
}

void mm_forget(struct mm_guest *g)
{
    for (unsigned int i = 0; i < nr_guests; i++)
        if (guests[i] == g)
            guests[i] = guests[--nr_guests];
}

void mm_guest_gone(struct mm_guest *g)
{
    host_destroy(g->d);
    mm_forget(g);
}

void mm_fini(void)
{
    assert_int_equal(host_recount(), 0);
    for (unsigned int i = 0; i < nr_guests; i++)
        host_destroy(guests[i]->d);
    assert_int_equal(host_locks_held(), 0);
    assert_int_equal(heap_free_frames(), free_before);
}

long mm_call(struct mm_guest *g, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2,
             uint64_t a3)
{
    const uint64_t args[6] = {a0, a1, a2, a3};
    long rc;

    if (mm_preempt)
        this_cpu()->pending = CPU_WORK_CONSOLE;
    rc = host_hypercall(g->v, nr, args, &mm_issues);
    this_cpu()->pending = 0;
    if (mm_recount)
        assert_int_equal(host_recount(), 0);
    return rc;
}

long mm_update_foreign(struct mm_guest *g, uint64_t ptr, uint64_t val, unsigned int foreigndom)
{
    struct mmu_update *req = host_guest(HOST_GUEST_BASE);

    *req = (struct mmu_update){.ptr = ptr, .val = val};
    return mm_call(g, __HYPERVISOR_mmu_update, HOST_GUEST_BASE, 1, 0, foreigndom);
}

long mm_update(struct mm_guest *g, uint64_t ptr, uint64_t val)
{
    return mm_update_foreign(g, ptr, val, DOMID_SELF);
}

long mm_update_va(struct mm_guest *g, gva_t va, uint64_t val, uint64_t flags)
{
    return mm_call(g, __HYPERVISOR_update_va_mapping, va, val, flags, 0);
}

long mm_ext_foreign(struct mm_guest *g, unsigned int cmd, uint64_t arg1, uint64_t arg2,
                    unsigned int dom)
{
    struct mmuext_op *op = host_guest(HOST_GUEST_BASE);

    *op = (struct mmuext_op){.cmd = cmd, .arg1.mfn = arg1, .arg2.src_mfn = arg2};
    return mm_call(g, __HYPERVISOR_mmuext_op, HOST_GUEST_BASE, 1, 0, dom);
}

long mm_ext(struct mm_guest *g, unsigned int cmd, uint64_t arg1, uint64_t arg2)
{
    return mm_ext_foreign(g, cmd, arg1, arg2, DOMID_SELF);
}

void mm_make_table(struct mm_guest *g, unsigned int i)
{
    assert_int_equal(mm_update_va(g, mm_va(i), mm_pte(g->frame[i], MM_RO), 0), 0);
    for (unsigned int k = 0; k < 512; k++)
        mm_words(g, i)[k] = 0;
}

long mm_make_plain(struct mm_guest *g, unsigned int i)
{
    return mm_update_va(g, mm_va(i), mm_pte(g->frame[i], MM_RW), 0);
}

uint64_t mm_type(const struct mm_guest *g, unsigned int i)
{
    return mm_page(g, i)->type_info & PGT_type_mask;
}

uint64_t mm_type_count(const struct mm_guest *g, unsigned int i)
{
    return mm_page(g, i)->type_info & PGT_count_mask;
}

uint64_t mm_refs(const struct mm_guest *g, unsigned int i)
{
    return mm_page(g, i)->count_info & PGC_count_mask;
}
