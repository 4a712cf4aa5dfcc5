/* SPDX-License-Identifier: MIT */
/*
 * How often is flushed, and by whom (that it is often enough is pv_tlb's): a guest cannot make the
 * hypervisor flush many times in one go, with interrupts off and its page tables locked, nor CPUs
 * flush that cannot know what is to be forgotten.
 *
 * The guest has a helper: while the hypervisor flushes, another of its vCPUs gives the frames that
 * come next their old type again for a moment, so that each is younger than any flush.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pv_mm_support.h"

#include <core/domain/domain_pages.h>
#include <core/grant/grant_table.h>
#include <pv/pv_bits.h>
#include <string.h>
#include <xen/errno.h>
#include <xen/grant_table.h>
#include <xen/vcpu.h>

#define ARG   HOST_GUEST_BASE
#define VCPUS 8u
#define LDTS  3u /* of these have one */
#define S     MM_SPARE
#define FIRST (S + 2) /* of the frames that the helper is at */
#define MANY  14u

static struct mm_guest g, other;

static void bring_up(unsigned int id)
{
    struct vcpu_guest_context *c = host_guest(ARG);

    g.d->vcpu[id]->initialised = false; /* as a domain that is not the host's own */
    memset(c, 0, sizeof(*c));
    c->flags = VGCF_in_kernel;
    c->ctrlreg[3] = g.frame[MM_L4].n << PAGE_SHIFT;
    assert_int_equal(mm_call(&g, __HYPERVISOR_vcpu_op, VCPUOP_initialise, id, ARG, 0), 0);
    assert_int_equal(mm_call(&g, __HYPERVISOR_vcpu_op, VCPUOP_up, id, 0, 0), 0);
}

static int setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init_vcpus(&g, 1, false, VCPUS);
    mm_guest_init(&other, 2, false);
    for (unsigned int i = 1; i < VCPUS; i++)
        bring_up(i);
    host_tlb_check();
    mm_recount = false; /* its memory comes from the heap */
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_on_flush = NULL;
    mm_fini();
    return 0;
}

/* The helper's, as an L1 table and back. */
static void turn_into_tables(void)
{
    static bool inside;
    struct cpu *c = this_cpu(), was = *c;

    if (inside)
        return;
    inside = true;
    c->pending = 0; /* it is on a CPU of its own */
    for (unsigned int i = 0; i < MANY; i++) {
        struct page_info *pg = mm_page(&g, FIRST + i);

        if ((pg->type_info & PGT_count_mask) == 0 && !get_page_type(pg, PGT_l1_page_table, g.d))
            assert_int_equal(put_page_type_preemptible(pg, g.d), 0);
    }
    c->pending = was.pending;
    c->delayed = was.delayed;
    inside = false;
}

static void let_help(void)
{
    for (unsigned int i = 0; i < MANY; i++)
        mm_make_table(&g, FIRST + i);
    turn_into_tables();
    host_on_flush = turn_into_tables;
    mm_preempt = true; /* the slice is over at each look */
}

/* Since `clock`: each flush ticks when all that is flushed for is as young as can be. */
static void at_most_one_a_turn(uint32_t clock, unsigned int least)
{
    host_on_flush = NULL;
    mm_preempt = false;
    assert_true(tlb_clock() - clock >= least);
    assert_true(tlb_clock() - clock <= mm_issues);
}

static void a_table_is_promoted(void **state)
{
    uint32_t clock;

    (void)state;
    mm_make_table(&g, S);
    let_help();
    for (unsigned int i = 0; i < MANY; i++)
        mm_words(&g, S)[i] = mm_pte(g.frame[FIRST + i], MM_RW);
    clock = tlb_clock();
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[S].n, 0), 0);
    at_most_one_a_turn(clock, MANY);
    assert_int_equal(mm_type_count(&g, FIRST + MANY - 1), 1);
}

/* However fast each entry is: other CPUs may pull at the frames. */
static void a_long_table_gives_way(void **state)
{
    (void)state;
    mm_make_table(&g, S);
    for (unsigned int i = 0; i < TABLE_ENTRIES; i++)
        mm_words(&g, S)[i] = mm_pte(g.frame[S + 1], MM_RW);
    mm_preempt = true;
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[S].n, 0), 0);
    mm_preempt = false;
    assert_int_equal(mm_issues, 1 + TABLE_ENTRIES / 64); /* first it was flushed itself */
    assert_int_equal(mm_type_count(&g, S + 1), TABLE_ENTRIES + 1);
}

static void a_batch_of_updates(void **state)
{
    struct mmu_update *req = host_guest(ARG);
    uint32_t clock;

    (void)state;
    let_help();
    for (unsigned int i = 0; i < MANY; i++)
        req[i] = (struct mmu_update){.ptr = mm_entry_addr(&g, MM_L1, FIRST + i),
                                     .val = mm_pte(g.frame[FIRST + i], MM_RW)};
    clock = tlb_clock();
    assert_int_equal(mm_call(&g, __HYPERVISOR_mmu_update, ARG, MANY, 0, DOMID_SELF), 0);
    at_most_one_a_turn(clock, MANY);
}

static void a_gdt_is_set(void **state)
{
    uint64_t *frames = host_guest(ARG);
    uint32_t clock;

    (void)state;
    let_help();
    for (unsigned int i = 0; i < MANY; i++)
        frames[i] = g.frame[FIRST + i].n;
    clock = tlb_clock();
    assert_int_equal(mm_call(&g, __HYPERVISOR_set_gdt, ARG, MANY * 512, 0, 0), 0);
    at_most_one_a_turn(clock, 2);
    assert_int_equal(g.v->arch.pv.gdt_ents, MANY * 512);
}

/* ---- LDTs ---- */

static void let_have_ldts(void)
{
    mm_make_table(&g, S);
    *(uint64_t *)host_guest(ARG) = g.frame[S].n;
    assert_int_equal(mm_call(&g, __HYPERVISOR_set_gdt, ARG, 512, 0, 0), 0);
    for (unsigned int i = 0; i < LDTS; i++) {
        pv_set_ldt(g.d->vcpu[i], mm_va(S), 512);
        assert_true(pv_map_ldt_page(g.d->vcpu[i], 0));
    }
    host_tlb_check();
}

/* A read-only mapping of the page goes, and with it what the vCPUs have of it: one flush, of the
 * CPUs of those that had some. */
static void all_ldts_go_at_once(void **state)
{
    unsigned int before;
    uint32_t clock;

    (void)state;
    let_have_ldts();
    before = host_flushes;
    clock = tlb_clock();
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L1, S), 0), 0);
    assert_int_equal(tlb_clock() - clock, 1);
    assert_int_equal(host_flushes - before, LDTS);
    for (unsigned int i = 0; i < LDTS; i++)
        assert_int_equal(g.d->vcpu[i]->arch.pv.ldt_mapped, 0);
    host_tlb_check();
}

/* One's own is nobody else's affair. */
static void an_ldt_is_set(void **state)
{
    unsigned int before;

    (void)state;
    let_have_ldts();
    before = host_flushes;
    assert_int_equal(mm_ext(&g, MMUEXT_SET_LDT, 0, 0), 0);
    assert_int_equal(host_flushes - before, 1);
    host_tlb_check();
}

/* A whole table: entries of a descriptor table, and of granted frames that were not unmapped. */
static void a_table_goes(void **state)
{
    struct gnttab_map_grant_ref m = {.flags = GNTMAP_host_map | GNTMAP_contains_pte, .dom = 2};
    uint32_t clock;

    (void)state;
    let_have_ldts();
    mm_make_table(&g, S + 1);
    for (unsigned int i = 1; i < 9; i += 2)
        mm_words(&g, S + 1)[i] = mm_pte(g.frame[S], MM_RO);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[S + 1].n, 0), 0);
    for (unsigned int i = 0; i < 9; i += 2) {
        grant_table_set_entry(other.d, 1, 1, other.frame[S].n);
        m.ref = 1;
        m.host_addr = mm_entry_addr(&g, S + 1, i);
        memcpy(host_guest(ARG), &m, sizeof(m));
        assert_int_equal(
            mm_call(&g, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, ARG, 1, 0), 0);
        assert_int_equal(((struct gnttab_map_grant_ref *)host_guest(ARG))->status, GNTST_okay);
    }
    clock = tlb_clock();
    assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[S + 1].n, 0), 0);
    assert_int_equal(tlb_clock() - clock, 1);
    for (unsigned int i = 0; i < LDTS; i++)
        assert_int_equal(g.d->vcpu[i]->arch.pv.ldt_mapped, 0);
    host_tlb_check();
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(a_table_is_promoted), TEST(a_long_table_gives_way), TEST(a_batch_of_updates),
        TEST(a_gdt_is_set),        TEST(all_ldts_go_at_once),    TEST(an_ldt_is_set),
        TEST(a_table_goes),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
