/* SPDX-License-Identifier: MIT */
/*
 * What an idle CPU clears ahead: some of the free memory, all zero for who gets it, no less free
 * than the rest; nothing that a TLB may know; and one CPU at a time.
 */
#include "core_test.h"

#include <core/base/tlb.h>

#define FRAMES 4096

static int setup(void **state)
{
    (void)state;
    host_init(FRAMES);
    return 0;
}

/* Takes all memory, writes to it and gives it back, in blocks of 64. */
static void use_all(void)
{
    struct page_info *pg[FRAMES / 64];
    unsigned int n = 0;

    while ((pg[n] = alloc_frames(6, 0)) != NULL)
        memset(map_frame(page_to_mfn(pg[n++])), 0x55, PAGE_SIZE << 6);
    while (n)
        free_frames(pg[--n], 6);
}

/* An idle CPU has blocks of 64 clear for who asks for one, some, and they are free like all others.
 */
static void cleared_ahead(void **state)
{
    uint64_t before = heap_free_frames(), n = 0;
    struct page_info *pg;
    unsigned int budget = 0;

    (void)state;
    use_all();
    while (heap_clear_ahead())
        n++;
    assert_int_equal(n, heap_total_frames() / 32 / 64 * 64 + 1); /* the first one beyond */
    assert_int_equal(heap_free_frames(), before);
    host_check_invariants();
    pg = alloc_frames_within(6, 0, false, &budget);
    assert_non_null(pg);
    for (size_t k = 0; k < PAGE_SIZE << 6; k++)
        assert_int_equal(((const char *)read_frame(page_to_mfn(pg)))[k], 0);
    free_frames(pg, 6);
    budget = 63;
    assert_non_null(alloc_frames_within(6, 0, false, &budget));
}

/* And for who wants single frames, or large blocks. */
static void free_like_all_others(void **state)
{
    uint64_t before = heap_free_frames(), n;
    struct page_info *pg;

    (void)state;
    while (heap_clear_ahead())
        ;
    for (n = 0; alloc_frames(0, 0); n++)
        ;
    assert_int_equal(n, before);
    pg = mfn_to_page(MFN(FRAMES - 128));
    free_frames(pg, 7);
    while (heap_clear_ahead())
        ;
    assert_ptr_equal(alloc_frames(7, 0), pg);
    assert_false(heap_clear_ahead());
    host_check_invariants();
}

/* But not what a TLB may know, and nobody flushes for it. */
static void not_cleared_while_it_is_known(void **state)
{
    struct page_info *pg = alloc_frames(6, 0);
    unsigned int before, clear = 0;

    (void)state;
    while (alloc_frames(0, 0))
        ;
    free_frames_as(pg, 5, PGC_unseen); /* a block whose first half nobody knows */
    this_cpu()->tlb_time = tlb_clock();
    free_frames(&pg[32], 5);
    before = host_flushes;
    while (heap_clear_ahead())
        ;
    for (unsigned int i = 0; i < 64; i++)
        clear += !!(pg[i].count_info & PGC_clear);
    assert_int_equal(clear, 32);
    assert_int_equal(host_flushes, before);
    assert_ptr_equal(alloc_frames(6, 0), pg);
    assert_int_equal(host_flushes, before + 1);
}

static unsigned int others;

static void another_idles(const spinlock_t *l __unused, bool released)
{
    assert_false(!released && heap_clear_ahead());
    others++;
}

static void one_clears_ahead_at_a_time(void **state)
{
    (void)state;
    others = 0;
    host_on_lock = another_idles;
    assert_true(heap_clear_ahead());
    host_on_lock = NULL;
    assert_int_equal(others, 2);
    assert_true(heap_clear_ahead());
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(cleared_ahead),
        TEST(free_like_all_others),
        TEST(not_cleared_while_it_is_known),
        TEST(one_clears_ahead_at_a_time),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
