/* SPDX-License-Identifier: MIT */
/*
 * mmu_update of one entry has a way of its own (update_one()), and must do what a batch does: each
 * request is made twice from the same state, the second time as a batch, which it is when it names
 * the caller's own tables (the high half of foreigndom). Results, memory, references, counters and
 * how often it had to give way are the same. So it is with lists of mmuext_op for the caller's own
 * frames (run_own()).
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "pv_mm_support.h"

#include <pv/hypercall.h>
#include <xen/errno.h>

#define REQ   HOST_GUEST_BASE
#define LIST  (HOST_GUEST_BASE + 0x4000)
#define DONE  (HOST_GUEST_BASE + 0x8000)
#define ENTRY 100u
#define BATCH (DOMID_SELF | (1u + 1) << 16) /* the tables of d1, which asks */

enum { FRAME = MM_SPARE, PLAIN, T1, T2 = T1 + 3, LAST };

static struct mm_guest control, g, other;

static int setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init(&control, 0, true);
    mm_guest_init(&g, 1, false);
    mm_guest_init(&other, 2, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mm_fini();
    return 0;
}

/* What there is to see of a request. */
struct seen {
    long rc;
    unsigned int issues, done;
    uint64_t word, counted, refs[MM_FRAMES], types[MM_FRAMES], given_up;
};

static struct seen ask_of(unsigned int nr, unsigned int foreigndom, unsigned int count, gva_t req,
                          gva_t done)
{
    uint64_t before = g.v->counter[COUNTER_ptes_written];
    struct seen s;

    memset(&s, 0, sizeof(s));
    *(unsigned int *)host_guest(DONE) = 77;
    s.rc = mm_call(&g, nr, req, count, done, foreigndom);
    s.issues = mm_issues;
    s.done = *(unsigned int *)host_guest(DONE);
    s.counted = g.v->counter[COUNTER_ptes_written] - before;
    s.given_up = g.v->arch.pv.old_guest_table[0].n;
    for (unsigned int i = 0; i < MM_FRAMES; i++) {
        s.refs[i] = mm_refs(&g, i);
        s.types[i] = mm_page(&g, i)->type_info;
    }
    return s;
}

static struct seen ask(unsigned int foreigndom, unsigned int count, gva_t req, gva_t done)
{
    return ask_of(__HYPERVISOR_mmu_update, foreigndom, count, req, done);
}

/* The same request both ways; the word at `word` is `old` before each. The result. */
static struct seen both(const uint64_t *word, unsigned int count, gva_t req, gva_t done,
                        bool put_back)
{
    uint64_t old = *word;
    struct seen one = ask(DOMID_SELF, count, req, done), many;

    one.word = *word;
    if (put_back) {
        const uint64_t at = (frame_of(word).n << PAGE_SHIFT) + ((uintptr_t)word & ~PAGE_MASK);
        struct mmu_update was = *(struct mmu_update *)host_guest(REQ);

        assert_int_equal(mm_update_foreign(&g, at, old, BATCH), 0);
        *(struct mmu_update *)host_guest(REQ) = was;
    }
    assert_int_equal(*word, old);
    many = ask(BATCH, count, req, done);
    many.word = *word;
    assert_memory_equal(&one, &many, sizeof(one));
    return one;
}

static struct seen both_of(const uint64_t *word, uint64_t ptr, uint64_t val, bool put_back)
{
    *(struct mmu_update *)host_guest(REQ) = (struct mmu_update){.ptr = ptr, .val = val};
    return both(word, 1, REQ, 0, put_back);
}

static uint64_t *l1e(void)
{
    return &mm_words(&g, MM_L1)[ENTRY];
}

/* Each value of an L1 entry after each other. */
static void values(void **state)
{
    const uint64_t vals[] = {
        0,
        mm_pte(g.frame[FRAME], MM_RW),
        mm_pte(g.frame[FRAME], MM_RO),
        mm_pte(g.frame[FRAME], MM_RW & ~PTE_DIRTY),
        mm_pte(g.frame[PLAIN], MM_RW),
        mm_pte(g.frame[FRAME], MM_RW) & ~PTE_PRESENT,
        mm_pte(g.frame[MM_L1], MM_RW),     /* a table, writable */
        mm_pte(g.frame[MM_L1], MM_RO),     /* and not */
        mm_pte(other.frame[FRAME], MM_RO), /* another's */
        mm_pte(MFN(0xfffff), MM_RO),       /* no RAM */
        mm_pte(g.frame[FRAME], MM_RW | PTE_PCD),
        ~0ull,
    };
    unsigned int refusals = 0;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(vals) * ARRAY_SIZE(vals); i++) {
        uint64_t old = vals[i / ARRAY_SIZE(vals)], val = vals[i % ARRAY_SIZE(vals)];
        struct seen s;

        if (mm_update_foreign(&g, mm_entry_addr(&g, MM_L1, ENTRY), old, BATCH))
            continue;
        s = both_of(l1e(), mm_entry_addr(&g, MM_L1, ENTRY), val, true);
        assert_int_equal(s.counted, !s.rc);
        refusals += !!s.rc;
    }
    assert_true(refusals > 10);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L1, ENTRY), 0), 0);
}

/* What the short way leaves to the batch: each kind of request, frames that are no table of the
 * caller's, lists that are not there. */
static void all_that_is_not_simple(void **state)
{
    const uint64_t at = mm_entry_addr(&g, MM_L1, ENTRY), val = mm_pte(g.frame[FRAME], MM_RW);
    uint64_t *plain = &mm_words(&g, PLAIN)[ENTRY];

    (void)state;
    for (unsigned int kind = 1; kind < 8; kind++) {
        struct seen s =
            both_of(l1e(), at | kind, kind == MMU_MACHPHYS_UPDATE ? 5 : val,
                    kind == MMU_PT_UPDATE_PRESERVE_AD || kind == MMU_PT_UPDATE_NO_TRANSLATE);

        assert_true(kind <= MMU_PT_UPDATE_NO_TRANSLATE || s.rc == -XEN_ENOSYS);
        if (*l1e())
            assert_int_equal(mm_update(&g, at, 0), 0);
    }
    assert_int_equal(both_of(plain, mm_entry_addr(&g, PLAIN, ENTRY), 5, true).rc, 0);
    assert_int_equal(*plain, 5);
    assert_int_equal(both_of(l1e(), mm_entry_addr(&other, MM_L1, ENTRY), 0, false).rc, -XEN_EINVAL);
    assert_int_equal(both_of(l1e(), mm_entry_addr(&other, FRAME, ENTRY), 0, false).rc, -XEN_EINVAL);
    assert_int_equal(both_of(l1e(), 1ull << 50, 0, false).rc, -XEN_EINVAL);
    assert_int_equal(both_of(l1e(), ~7ull, 0, false).rc, -XEN_EINVAL);
    *(struct mmu_update *)host_guest(REQ) = (struct mmu_update){.ptr = at, .val = val};
    assert_int_equal(both(l1e(), 0, REQ, 0, false).rc, 0);
    assert_int_equal(both(l1e(), 0, REQ, DONE, false).done, 0);
    assert_int_equal(both(l1e(), 1, REQ, DONE, true).done, 1);
    assert_int_equal(mm_update(&g, at, 0), 0);
    assert_int_equal(both(l1e(), 1, 0x8000, 0, false).rc, -XEN_EFAULT);
    assert_int_equal(both(l1e(), 1, 0x8000, DONE, false).done, 0);
}

static void build(uint64_t last)
{
    for (unsigned int i = T1; i <= T2; i++)
        mm_make_table(&g, i);
    for (unsigned int i = 0; i < 3; i++) {
        mm_words(&g, T1 + i)[10 * i] = mm_words(&g, T1 + i)[500] = mm_pte(g.frame[FRAME], MM_RW);
        mm_words(&g, T2)[100 * i] = mm_pte(g.frame[T1 + i], MM_RW);
    }
    mm_words(&g, T1 + 2)[501] = last;
}

static void all_plain(void)
{
    for (unsigned int i = T1; i <= T2; i++)
        assert_int_equal(mm_make_plain(&g, i), 0);
}

/* An entry of a higher table, which may have to give way; and one whose table is found to be bad at
 * its end, so that what was done is undone, in parts. */
static void higher_tables(void **state)
{
    const uint64_t at = mm_entry_addr(&g, MM_L3, ENTRY);
    const uint64_t *l3e = &mm_words(&g, MM_L3)[ENTRY];
    struct seen s;

    (void)state;
    for (unsigned int k = 0; k < 4; k++) {
        mm_preempt = false;
        build(k & 2 ? mm_pte(other.frame[FRAME], MM_RO) : 0);
        /* what has been a table is flushed for no more: that is the state from which both begin */
        assert_int_equal(mm_update_foreign(&g, at, mm_pte(g.frame[T2], MM_RW), BATCH),
                         k & 2 ? -XEN_EBUSY : 0);
        assert_int_equal(mm_update_foreign(&g, at, 0, BATCH), 0);
        mm_preempt = k & 1;
        s = both_of(l3e, at, mm_pte(g.frame[T2], MM_RW), !(k & 2));
        assert_int_equal(s.rc, k & 2 ? -XEN_EBUSY : 0);
        assert_true(mm_preempt ? s.issues > 3 : s.issues <= 2);
        assert_int_equal(s.given_up, 0);
        if (*l3e)
            s = both_of(l3e, at, 0, true);
        mm_preempt = false;
        all_plain();
    }
    assert_int_equal(both_of(&mm_words(&g, MM_L4)[260], mm_entry_addr(&g, MM_L4, 260), 0, false).rc,
                     -XEN_EINVAL);
}

/* A pinned table is not undone to its end, and the guest does not come back to it. */
static void give_up_in_part(void)
{
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L2_TABLE, g.frame[T2].n, 0), 0);
    *(struct mmuext_op *)host_guest(REQ) =
        (struct mmuext_op){.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = g.frame[T2].n};
    this_cpu()->pending = CPU_WORK_CONSOLE;
    this_cpu()->slice_end = 0;
    assert_int_equal(do_mmuext_op(REQ, 1, 0, DOMID_SELF), -XEN_ERESTART);
    this_cpu()->pending = 0;
    g.v->continuation = false;
    assert_true(g.v->arch.pv.old_guest_table[0].n);
}

/* What a call before left to be undone comes first. */
static void after_a_table_given_up(void **state)
{
    const uint64_t at = mm_entry_addr(&g, MM_L1, ENTRY), val = mm_pte(g.frame[PLAIN], MM_RW);

    (void)state;
    for (unsigned int k = 0; k < 2; k++) {
        unsigned int foreigndom = k ? BATCH : DOMID_SELF;

        build(0);
        give_up_in_part();
        mm_preempt = true;
        assert_int_equal(mm_update_foreign(&g, at, val, foreigndom), 0);
        assert_true(mm_issues > 2);
        mm_preempt = false;
        assert_int_equal(g.v->arch.pv.old_guest_table[0].n, 0);
        assert_int_equal(*l1e() & ~PTE_GLOBAL, val);
        assert_int_equal(mm_update(&g, at, 0), 0);
        all_plain();
    }
}

/* A list comes as far either way, and has its result. */
static struct seen list_both_ways(unsigned int n)
{
    struct seen own = ask_of(__HYPERVISOR_mmuext_op, DOMID_SELF, n, LIST, 0), many;

    if (mm_type(&g, T2) == PGT_l2_page_table && mm_type_count(&g, T2))
        assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[T2].n, 0), 0);
    many = ask_of(__HYPERVISOR_mmuext_op, DOMID_SELF | 1u << 16, n, LIST, 0);
    assert_memory_equal(&own, &many, sizeof(own));
    return own;
}

/* Between any two operations it may have to give way. */
static void lists_give_way(void **state)
{
    struct mmuext_op *l = host_guest(LIST);

    (void)state;
    mm_preempt = true;
    for (unsigned int n = 1; n < 5; n++) {
        l[n - 1] = (struct mmuext_op){.cmd = MMUEXT_TLB_FLUSH_LOCAL};
        assert_int_equal(list_both_ways(n).issues, n);
    }
    mm_preempt = false;
}

static void lists_of_operations(void **state)
{
    struct mmuext_op *l = host_guest(LIST);
    const unsigned int cmds[] = {MMUEXT_PIN_L2_TABLE,
                                 MMUEXT_UNPIN_TABLE,
                                 MMUEXT_PIN_L2_TABLE,
                                 MMUEXT_TLB_FLUSH_LOCAL,
                                 MMUEXT_UNPIN_TABLE,
                                 MMUEXT_PIN_L2_TABLE,
                                 99,
                                 MMUEXT_UNPIN_TABLE};

    (void)state;
    for (unsigned int k = 0; k < 2; k++)
        for (unsigned int n = 0; n <= ARRAY_SIZE(cmds); n++) {
            struct seen s;

            mm_preempt = false;
            build(0);
            assert_int_equal(mm_ext(&g, MMUEXT_PIN_L2_TABLE, g.frame[T2].n, 0), 0);
            assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[T2].n, 0), 0);
            for (unsigned int i = 0; i < ARRAY_SIZE(cmds); i++)
                l[i] = (struct mmuext_op){.cmd = cmds[i], .arg1.mfn = g.frame[T2].n};
            mm_preempt = k;
            s = list_both_ways(n);
            assert_int_equal(s.rc, n > 6 ? -XEN_ENOSYS : 0);
            assert_true(k && n ? s.issues > n / 2 : s.issues <= 4);
            assert_int_equal(s.types[T2] & PGT_count_mask, n == 1 || n == 3 || n == 4 || n >= 6);
            mm_preempt = false;
            if (mm_type_count(&g, T2))
                assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[T2].n, 0), 0);
            all_plain();
        }
}

/* The entry of each table that leads to the last page there is. */
static void map_last_page(mfn_t frame)
{
    for (unsigned int table = MM_L4; table < MM_L1; table++)
        assert_int_equal(
            mm_update(&g, mm_entry_addr(&g, table, 511), mm_pte(g.frame[table + 1], MM_RW)), 0);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L1, 511), mm_pte(frame, MM_RW)), 0);
    host_walk = true;
}

/* Of a list that goes on behind the last words there are nothing is done, though those are there;
 * either way. */
static void lists_past_the_end(void **state)
{
    struct mmuext_op *op = (void *)(mm_words(&g, LAST + 1)) - sizeof(*op);
    struct mmu_update *req = (void *)(mm_words(&g, LAST + 1)) - sizeof(*req);
    uint64_t *word = &mm_words(&g, PLAIN)[ENTRY];

    (void)state;
    assert_int_equal(g.frame[LAST + 1].n, g.frame[LAST].n + 1);
    map_last_page(g.frame[LAST]);
    for (unsigned int k = 0; k < 3; k++) {
        gva_t done = k == 1 ? DONE : 0;

        *word = 1;
        if (k < 2)
            *op = (struct mmuext_op){.cmd = MMUEXT_CLEAR_PAGE, .arg1.mfn = g.frame[PLAIN].n};
        else
            *req = (struct mmu_update){.ptr = mm_entry_addr(&g, PLAIN, ENTRY)};
        for (unsigned int n = 2; n; n--) {
            gva_t list = k < 2 ? -sizeof(*op) : -sizeof(*req);

            assert_int_equal(ask_of(k < 2 ? __HYPERVISOR_mmuext_op : __HYPERVISOR_mmu_update,
                                    DOMID_SELF, n, list, done)
                                 .rc,
                             n == 2 ? -XEN_EFAULT : 0);
            assert_int_equal(*word, n == 2);
        }
    }
}

/* What the first operation of a list leaves to be undone comes before its second, though the list
 * has time. */
static void a_table_given_up_in_a_list(void **state)
{
    struct mmuext_op *l = host_guest(LIST);
    uint64_t *word = &mm_words(&g, PLAIN)[ENTRY];

    (void)state;
    for (unsigned int k = 0; k < 2; k++) {
        build(0);
        assert_int_equal(mm_ext(&g, MMUEXT_PIN_L2_TABLE, g.frame[T2].n, 0), 0);
        *word = 1;
        l[0] = (struct mmuext_op){.cmd = MMUEXT_UNPIN_TABLE, .arg1.mfn = g.frame[T2].n};
        l[1] = (struct mmuext_op){.cmd = MMUEXT_CLEAR_PAGE, .arg1.mfn = g.frame[PLAIN].n};
        this_cpu()->slice_end = 1;
        this_cpu()->steps = 0; /* the table looks itself, who goes through the list not yet */
        assert_int_equal(do_mmuext_op(LIST, 2, k ? DONE : 0, DOMID_SELF), -XEN_ERESTART);
        assert_true(g.v->arch.pv.old_guest_table[0].n);
        assert_int_equal(*word, 1);
        g.v->continuation = false;
        this_cpu()->slice_end = 0;
        assert_int_equal(do_mmuext_op(g.v->hc_args[0], (unsigned int)g.v->hc_args[1],
                                      g.v->hc_args[2], (unsigned int)g.v->hc_args[3]),
                         0);
        assert_int_equal(*word, 0);
        assert_int_equal(g.v->arch.pv.old_guest_table[0].n, 0);
        assert_int_equal(host_recount(), 0);
        all_plain();
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(values, setup, teardown),
        cmocka_unit_test_setup_teardown(all_that_is_not_simple, setup, teardown),
        cmocka_unit_test_setup_teardown(higher_tables, setup, teardown),
        cmocka_unit_test_setup_teardown(after_a_table_given_up, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_give_way, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_of_operations, setup, teardown),
        cmocka_unit_test_setup_teardown(lists_past_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(a_table_given_up_in_a_list, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
