/* SPDX-License-Identifier: MIT */
/*
 * Long changes give way, keep their progress in the frame, and are finished by whoever comes next:
 * the call issued again, another parent, or teardown. (XSA-45, 58, 264, 290, 299, 309, 310)
 *
 * The tables: an L4 with two L3, each with two L2, each with three L1 that map one frame. Every
 * check says "give way", so each turn does the least there is. After each turn everything is
 * recounted.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pv_mm_support.h"

#include <core/domain/domain_pages.h>
#include <core/life/life.h>
#include <pv/hypercall.h>
#include <pv/pv_bits.h>
#include <pv/pv_ops.h>
#include <xen/errno.h>

enum { T4 = MM_SPARE, T3, T2 = T3 + 2, T1 = T2 + 4, T_END = T1 + 12, PLAIN = T_END };

static struct mm_guest g;

static void build(void)
{
    for (unsigned int i = T4; i < T_END; i++)
        mm_make_table(&g, i);
    for (unsigned int i = 0; i < 2; i++)
        mm_words(&g, T4)[i * 300] = mm_pte(g.frame[T3 + i], MM_RW);
    for (unsigned int i = 0; i < 4; i++)
        mm_words(&g, T3 + i / 2)[i % 2 * 511] = mm_pte(g.frame[T2 + i], MM_RW);
    for (unsigned int i = 0; i < 12; i++) {
        mm_words(&g, T2 + i / 3)[i % 3] = mm_pte(g.frame[T1 + i], MM_RW);
        mm_words(&g, T1 + i)[i % 2 ? 500 + i : i] = mm_pte(g.frame[PLAIN], MM_RW);
    }
}

static int setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init(&g, 1, false);
    build();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mm_fini();
    return 0;
}

/* Issues an operation once, as a guest that does not come back to it. */
static long once(unsigned int cmd, unsigned int frame)
{
    struct mmuext_op *op = host_guest(HOST_GUEST_BASE);
    long rc;

    *op = (struct mmuext_op){.cmd = cmd, .arg1.mfn = g.frame[frame].n};
    host_run_as(g.v);
    this_cpu()->pending = CPU_WORK_CONSOLE;
    this_cpu()->slice_end = 0;
    rc = do_mmuext_op(HOST_GUEST_BASE, 1, 0, DOMID_SELF);
    this_cpu()->pending = 0;
    g.v->continuation = false;
    assert_int_equal(host_recount(), 0);
    return rc;
}

static void all_plain(void)
{
    for (unsigned int i = T4; i < T_END; i++) {
        assert_int_equal(mm_type_count(&g, i), 0);
        assert_int_equal(mm_make_plain(&g, i), 0);
    }
    assert_int_equal(mm_type_count(&g, PLAIN), 1);
}

static void pin_and_unpin(void **state)
{
    (void)state;
    mm_preempt = true;
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L4_TABLE, g.frame[T4].n, 0), 0);
    assert_true(mm_issues > 10);
    assert_int_equal(mm_type_count(&g, PLAIN), 13);
    assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[T4].n, 0), 0);
    assert_true(mm_issues > 6);
    all_plain();
}

/* An L1 table alone: each of its entries may be the last to hold a frame. */
static void one_table_in_parts(void **state)
{
    (void)state;
    mm_words(&g, T1 + 1)[3] = mm_words(&g, T1 + 1)[300] = mm_pte(g.frame[PLAIN], MM_RW);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[T1 + 1].n, 0), 0);
    assert_int_equal(mm_type_count(&g, PLAIN), 4);
    assert_int_equal(once(MMUEXT_UNPIN_TABLE, T1 + 1), -XEN_ERESTART);
    assert_true(mm_page(&g, T1 + 1)->type_info & PGT_partial);
    assert_int_equal(mm_type_count(&g, PLAIN), 3);
    assert_int_equal(once(MMUEXT_PIN_L2_TABLE, T1 + 1), -XEN_ERESTART); /* the rest comes first */
    g.v->arch.pv.old_guest_table[0] = MFN(0);
    put_page(mm_page(&g, T1 + 1));
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[T1 + 1].n, 0), 0); /* or is taken up */
    assert_int_equal(mm_type_count(&g, PLAIN), 4);
    assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[T1 + 1].n, 0), 0);
    all_plain();
}

/* The last entry is bad: all is undone again, as slowly. */
static void failure_is_undone(void **state)
{
    (void)state;
    mm_words(&g, T1 + 11)[511] = mm_pte(g.frame[T4], MM_RW);
    mm_preempt = true;
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L4_TABLE, g.frame[T4].n, 0), -XEN_EBUSY);
    assert_true(mm_issues > 10);
    all_plain();
}

static void failure_at_once(void **state)
{
    (void)state;
    mm_words(&g, T2)[0] |= PTE_PSE;
    mm_preempt = true;
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L4_TABLE, g.frame[T4].n, 0), -XEN_EINVAL);
    all_plain();
}

/* Stopped after any number of turns and never taken up: what is half done is the frame's own
 * affair, and teardown finds it. */
static void abandoned(void **state)
{
    (void)state;
    for (unsigned int turns = 1; turns < 16; turns++) {
        unsigned int i = 0;

        while (i++ < turns)
            assert_int_equal(once(MMUEXT_PIN_L4_TABLE, T4), -XEN_ERESTART);
        assert_int_equal(mm_type_count(&g, T4), 1);
        assert_true(mm_page(&g, T4)->type_info & PGT_partial);
        /* not as another type, not writable, not unpinned */
        assert_int_equal(once(MMUEXT_PIN_L3_TABLE, T4), -XEN_EINVAL);
        assert_int_equal(mm_make_plain(&g, T4), -XEN_EBUSY);
        assert_int_equal(once(MMUEXT_UNPIN_TABLE, T4), -XEN_EINVAL);
        mm_fini();
        setup(NULL);
    }
}

/* Begun for one parent, finished for another; the first then counts on. (XSA-299) */
static void taken_up_by_another(void **state)
{
    (void)state;
    assert_int_equal(once(MMUEXT_PIN_L4_TABLE, T4), -XEN_ERESTART);
    assert_true(mm_page(&g, T3)->type_info & PGT_partial);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L4, 9), mm_pte(g.frame[T3], MM_RW)), 0);
    assert_int_equal(mm_type_count(&g, T3), 1);
    mm_preempt = true;
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L4_TABLE, g.frame[T4].n, 0), 0);
    assert_int_equal(mm_type_count(&g, T3), 2);
    assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[T4].n, 0), 0);
    assert_int_equal(mm_type_count(&g, T3), 1);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L4, 9), 0), 0);
    all_plain();
}

/* Undoing is begun, and before it ends the table is pinned again: promotion goes on from where
 * undoing came to. (XSA-310) */
static void undone_and_promoted_again(void **state)
{
    (void)state;
    for (unsigned int turns = 1; turns < 7; turns++) {
        assert_int_equal(mm_ext(&g, MMUEXT_PIN_L4_TABLE, g.frame[T4].n, 0), 0);
        assert_int_equal(once(MMUEXT_UNPIN_TABLE, T4), -XEN_ERESTART); /* the end is put off */
        assert_true(mm_page(&g, T4)->type_info & PGT_partial);
        for (unsigned int i = 1; i < turns; i++)
            assert_int_equal(once(MMUEXT_TLB_FLUSH_LOCAL, 0), -XEN_ERESTART);
        g.v->arch.pv.old_guest_table[0] = MFN(0); /* as if another vCPU had put it off */
        put_page(mm_page(&g, T4));
        assert_int_equal(mm_ext(&g, MMUEXT_PIN_L4_TABLE, g.frame[T4].n, 0), 0);
        assert_int_equal(mm_type_count(&g, PLAIN), 13);
        assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[T4].n, 0), 0);
    }
    all_plain();
}

/* Loading another base table, and clearing an entry, put off what they give up; results come back
 * all the same. */
static void base_tables(void **state)
{
    (void)state;
    mm_preempt = true;
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_USER_BASEPTR, g.frame[T4].n, 0), 0);
    assert_int_equal(g.v->arch.pv.guest_table_user.n, g.frame[T4].n);
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_USER_BASEPTR, 0, 0), 0);
    assert_int_equal(mm_type_count(&g, T4), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_BASEPTR, g.frame[T4].n, 0), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[MM_L4].n, 0), 0);
    assert_int_equal(mm_type_count(&g, MM_L1), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_BASEPTR, g.frame[MM_SPARE + 1].n, 0), -XEN_EINVAL);
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_BASEPTR, g.frame[MM_L4].n, 0), 0);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L4, 7), mm_pte(g.frame[T3], MM_RW)), 0);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L4, 7), 0), 0);
    all_plain();
}

/* Teardown in the smallest turns, from tables that are pinned, half pinned, and loaded. */
static void teardown_gives_way(void **state)
{
    unsigned int turns = 0;
    int rc;

    (void)state;
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_USER_BASEPTR, g.frame[T4].n, 0), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L3_TABLE, g.frame[T3].n, 0), 0);
    host_run_as(this_cpu()->idle);
    do {
        this_cpu()->slice_end = 0;
        this_cpu()->pending = CPU_WORK_CONSOLE;
        rc = domain_kill(g.d);
        this_cpu()->pending &= ~CPU_WORK_CONSOLE;
        turns++;
    } while (rc == -XEN_ERESTART);
    assert_int_equal(rc, 0);
    assert_true(turns > 10);
    host_reap();
    mm_forget(&g);
}

/* A domain's end frees the descriptor tables of one vCPU, and looks whether to give way. */
static void one_vcpu_at_a_time(void **state)
{
    static struct mm_guest many;
    unsigned int had = 4, has;
    struct vcpu *v;
    int rc;

    (void)state;
    mm_guest_init_vcpus(&many, 2, false, 4);
    mm_make_table(&many, MM_SPARE); /* of zeros, and not writable */
    for_each_vcpu (many.d, v)
        assert_int_equal(pv_set_gdt(v, &many.frame[MM_SPARE].n, 8), 0);
    host_run_as(this_cpu()->idle);
    do {
        this_cpu()->slice_end = 0;
        this_cpu()->pending = CPU_WORK_CONSOLE;
        rc = domain_kill(many.d);
        this_cpu()->pending = 0;
        has = 0;
        for_each_vcpu (many.d, v)
            has += v->arch.pv.gdt_ents != 0;
        assert_true(had - has <= 1);
        had = has;
    } while (rc == -XEN_ERESTART);
    assert_int_equal(rc, 0);
    assert_int_equal(has, 0);
    host_reap();
    mm_forget(&many);
}

/* A vCPU's first context, whose GDT gives way: the tables, which may be a long way, are not begun
 * before it is there, so there is nothing of them to undo; and it goes back while they give way. */
static void a_context_takes_its_tables_last(void **state)
{
    static struct mm_guest two;
    struct vcpu_guest_context *c = host_guest(HOST_GUEST_BASE);
    struct page_info *l4;
    unsigned int turns = 0;
    uint64_t was;
    struct vcpu *v;
    int rc;

    (void)state;
    mm_guest_init_vcpus(&two, 2, false, 2);
    v = two.d->vcpu[1];
    v->initialised = false;
    for (unsigned int i = 0; i < 5; i++)
        mm_make_table(&two, MM_SPARE + i);
    for (unsigned int i = 0; i < 200; i++)
        mm_words(&two, MM_SPARE)[i] = mm_pte(two.frame[MM_SPARE + 1 + i % 2], MM_RW);
    memset(c, 0, sizeof(*c));
    c->flags = VGCF_in_kernel;
    c->ctrlreg[3] = two.frame[MM_SPARE].n << PAGE_SHIFT;
    c->gdt_ents = 1024;
    c->gdt_frames[0] = two.frame[MM_SPARE + 3].n;
    c->gdt_frames[1] = two.frame[MM_SPARE + 4].n;
    l4 = mm_page(&two, MM_SPARE);
    was = l4->type_info;
    this_cpu()->slice_end = 0;
    this_cpu()->pending = CPU_WORK_CONSOLE;
    this_cpu()->delayed = true;
    assert_int_equal(pv_set_context(v, c), -XEN_ERESTART);
    assert_int_equal(l4->type_info, was);
    while ((rc = pv_set_context(v, c)) == -XEN_ERESTART && turns++ < 1000) {
        assert_int_equal(mm_type_count(&two, MM_SPARE + 3), 0);
        assert_int_equal(v->arch.pv.gdt_ents, 0);
        assert_int_equal(host_recount(), 0);
    }
    this_cpu()->pending = 0;
    assert_int_equal(rc, 0);
    assert_true(turns);
    assert_int_equal(v->arch.pv.gdt_ents, 1024);
    assert_int_equal(mm_type_count(&two, MM_SPARE + 4), 1);
    assert_int_equal(host_recount(), 0);
    mm_guest_gone(&two);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(pin_and_unpin, setup, teardown),
        cmocka_unit_test_setup_teardown(one_table_in_parts, setup, teardown),
        cmocka_unit_test_setup_teardown(failure_is_undone, setup, teardown),
        cmocka_unit_test_setup_teardown(failure_at_once, setup, teardown),
        cmocka_unit_test_setup_teardown(abandoned, setup, teardown),
        cmocka_unit_test_setup_teardown(taken_up_by_another, setup, teardown),
        cmocka_unit_test_setup_teardown(undone_and_promoted_again, setup, teardown),
        cmocka_unit_test_setup_teardown(base_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(teardown_gives_way, setup, teardown),
        cmocka_unit_test_setup_teardown(one_vcpu_at_a_time, setup, teardown),
        cmocka_unit_test_setup_teardown(a_context_takes_its_tables_last, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
