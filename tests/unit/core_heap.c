/* SPDX-License-Identifier: MIT */
/*
 * The heap and small objects: everything given comes back to the page, whatever the order of frees;
 * blocks are aligned, cleared, below the limit asked for; a freed frame is flushed from the TLBs
 * before it is anyone's again; small objects do not overlap.
 */
#include <limits.h>

#include "core_test.h"

#include <core/base/tlb.h>

#define FRAMES 4096

static uint64_t seed;

static uint32_t rnd(void)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (uint32_t)(seed >> 33);
}

static int setup(void **state)
{
    (void)state;
    seed = 1;
    host_init(FRAMES);
    return 0;
}

static unsigned int largest_order(void)
{
    for (unsigned int order = HEAP_MAX_ORDER;; order--) {
        struct page_info *pg = alloc_frames(order, 0);

        if (pg) {
            free_frames(pg, order);
            return order;
        }
    }
}

static void all_comes_back(void **state)
{
    struct {
        struct page_info *pg;
        unsigned int order;
    } held[200] = {{NULL, 0}};
    uint64_t before = heap_free_frames();
    unsigned int largest = largest_order();

    (void)state;
    for (int i = 0; i < 20000; i++) {
        unsigned int k = rnd() % 200;

        if (held[k].pg) {
            free_frames(held[k].pg, held[k].order);
            held[k].pg = NULL;
        } else {
            held[k].order = rnd() % 6;
            held[k].pg = alloc_frames(held[k].order, 0);
            if (held[k].pg) {
                assert_int_equal(page_to_mfn(held[k].pg).n % (1u << held[k].order), 0);
                memset(map_frame(page_to_mfn(held[k].pg)), 0xaa, PAGE_SIZE << held[k].order);
            }
        }
        if (i % 1000 == 0)
            host_check_invariants();
    }
    for (int k = 0; k < 200; k++)
        if (held[k].pg)
            free_frames(held[k].pg, held[k].order);
    host_check_invariants();
    assert_int_equal(heap_free_frames(), before);
    assert_int_equal(largest_order(), largest); /* and it has grown together again */
}

static void cleared_also_after_use(void **state)
{
    struct page_info *pg = alloc_frames(2, 0);
    const char *p = map_frame(page_to_mfn(pg));

    (void)state;
    memset(map_frame(page_to_mfn(pg)), 0x55, PAGE_SIZE << 2); /* XSA-100 */
    free_frames(pg, 2);
    pg = alloc_frames(2, 0);
    p = map_frame(page_to_mfn(pg));
    for (size_t i = 0; i < PAGE_SIZE << 2; i++)
        assert_int_equal(p[i], 0);
}

/* Fresh memory may stay as firmware left it for the control domain; memory that was somebody's
 * never does. */
static void trusted_memory_was_nobodys(void **state)
{
    struct page_info *pg = alloc_frames(0, 0);
    uint64_t mfn = page_to_mfn(pg).n;
    char *p = map_frame(MFN(mfn));
    unsigned int budget = UINT_MAX;

    (void)state;
    p[7] = 'x';
    free_frames(pg, 0);
    while ((pg = alloc_frames_within(0, 0, true, &budget)) != NULL && page_to_mfn(pg).n != mfn)
        ;
    assert_non_null(pg);
    assert_int_equal(p[7], 0);
}

static void address_limits(void **state)
{
    struct page_info *pg;

    (void)state;
    while ((pg = alloc_frames(0, 22)) != NULL) /* below 4 MiB */
        assert_true(page_to_mfn(pg).n < 1024);
    assert_null(alloc_frames(0, 12));
    assert_null(alloc_frames(0, 1));
    pg = alloc_frames(0, 0);
    assert_true(page_to_mfn(pg).n >= 1024);
    assert_null(alloc_frames(HEAP_MAX_ORDER + 1, 0));
    assert_null(alloc_frames(64, 0));
}

static void high_memory_first(void **state)
{
    (void)state;
    assert_true(page_to_mfn(alloc_frames(0, 0)).n >= 2048);
}

/* XSA-241 and its kin. */
static void flushed_before_reuse(void **state)
{
    struct page_info *pg = alloc_frames(0, 0);
    unsigned int before = host_flushes;

    (void)state;
    this_cpu()->tlb_time = tlb_clock(); /* it may know guests' entries */
    free_frames(pg, 0);
    while (alloc_frames(0, 0) != pg)
        ;
    assert_true(host_flushes > before);
}

/* What the hypervisor had for itself alone no TLB knows, whoever gets it next. */
static void nobody_flushes_for_small_objects(void **state)
{
    void *small = hv_alloc(32), *large = hv_alloc(2 * PAGE_SIZE);
    unsigned int before;

    (void)state;
    this_cpu()->tlb_time = tlb_clock(); /* it may know guests' entries */
    while (alloc_frames(0, 0))
        ;
    for (unsigned int order = 0; order < 2; order++) {
        void *p = order ? large : small;
        struct page_info *pg = mfn_to_page(frame_of(p));

        before = host_flushes;
        hv_free(p);
        assert_ptr_equal(alloc_frames(order, 0), pg);
        assert_int_equal(host_flushes, before);
        free_frames(pg, order);
        assert_ptr_equal(alloc_frames(order, 0), pg);
        assert_int_equal(host_flushes, before + 1);
    }
}

/* Who gives a frame back and takes one, again and again, does not make all flush each time: it is
 * another frame as long as there are some, also when the first has joined the rest. */
static void nobody_flushes_for_one_frame(void **state)
{
    struct page_info *all[FRAMES];
    unsigned int before, n = 0;

    (void)state;
    while (n < FRAMES && (all[n] = alloc_frames(0, 0)) != NULL)
        n++;
    this_cpu()->tlb_time = tlb_clock(); /* it may know guests' entries */
    for (unsigned int i = 0; i < n; i++)
        free_frames(all[i], 0);
    before = host_flushes;
    for (unsigned int i = 0; i < 100; i++)
        free_frames(alloc_frames(0, 0), 0);
    assert_int_equal(host_flushes - before, 1);
    /* nor where it cannot join them */
    n = 0;
    while (n < FRAMES / 2 && (all[n] = alloc_frames(0, 0)) != NULL)
        n++;
    for (unsigned int i = 0; i < n; i += 2)
        free_frames(all[i], 0);
    before = host_flushes;
    for (unsigned int i = 0; i < 100; i++)
        free_frames(alloc_frames(0, 0), 0);
    assert_in_range(host_flushes - before, 0, 1);
}

/* Nor where it is the last one of the highest zone, though lower memory is not touched for long. */
static void nobody_flushes_for_the_last_frame(void **state)
{
    struct page_info *pg, *last = NULL;
    unsigned int low = 0, before;

    (void)state;
    while (page_to_mfn(pg = alloc_frames(0, 0)).n >= FRAMES / 2)
        last = pg;
    this_cpu()->tlb_time = tlb_clock(); /* it may know guests' entries */
    free_frames(last, 0);
    before = host_flushes;
    for (unsigned int i = 0; i < 2000; i++) {
        pg = alloc_frames(0, 0);
        low += pg != last;
        free_frames(pg, 0);
    }
    assert_in_range(host_flushes - before, 1, 4);
    assert_in_range(low, 1000, 1999);
}

/* Who keeps one of many frames that it takes does not have them from everywhere, however many. */
static void large_blocks_stay_whole(void **state)
{
    (void)state;
    for (unsigned int many = 8; many <= 1024; many *= 2) {
        uint64_t areas = 0;
        unsigned int before;

        host_init(1u << 16);
        this_cpu()->tlb_time = tlb_clock(); /* it may know guests' entries */
        before = host_flushes;
        for (unsigned int kept = 0; kept < 32; kept++) {
            areas |= 1ull << (page_to_mfn(alloc_frames(0, 0)).n / 512 % 64);
            for (unsigned int i = 0; i < many; i++)
                free_frames(alloc_frames(0, 0), 0);
        }
        assert_in_range(__builtin_popcountll(areas), 1, 4);
        assert_in_range(host_flushes - before, 0, 32 * many / 512 + 1);
    }
}

/* Single frames that were freed are a large block for who asks for one, before lower memory is
 * touched for it; and so are those of low memory alone. */
static void single_frames_grow_together(void **state)
{
    struct page_info *pg[512], *low;

    (void)state;
    while (page_to_mfn(low = alloc_frames(0, 0)).n >= FRAMES / 2)
        ;
    free_frames(low, 0);
    for (unsigned int i = 0; i < 512; i++)
        pg[i] = mfn_to_page(MFN(FRAMES - 512 + i));
    for (unsigned int i = 0; i < 512; i++)
        free_frames(pg[i], 0);
    assert_ptr_equal(alloc_frames(8, 0), pg[0]);
    assert_ptr_equal(alloc_frames(8, 0), pg[256]);
    assert_in_range(page_to_mfn(alloc_frames(1, 0)).n, 1, FRAMES / 2 - 1);
    while (alloc_frames(0, 0))
        ;
    for (unsigned int i = 0; i < 4; i++)
        free_frames(mfn_to_page(MFN(1024 + i)), 0);
    assert_ptr_equal(alloc_frames(2, 0), mfn_to_page(MFN(1024)));
    host_check_invariants();
}

/* Who must give way joins as many of them at a time as it could clear, and looks no lower
 * meanwhile. */
static void joined_a_few_at_a_time(void **state)
{
    struct page_info *pg, *pair = mfn_to_page(MFN(FRAMES - 256));
    unsigned int turns = 0, budget;

    (void)state;
    while (alloc_frames(0, 0))
        ;
    free_frames_as(mfn_to_page(MFN(1024)), 1, PGC_clear);
    for (unsigned int i = 1; i < 510; i += 2)
        if (pair != mfn_to_page(MFN(FRAMES - 512 + i - 1)))
            free_frames(mfn_to_page(MFN(FRAMES - 512 + i)), 0);
        else
            for (unsigned int k = 0; k < 2; k++)
                free_frames(&pair[k], 0);
    do {
        budget = 64;
        pg = alloc_frames_within(1, 0, true, &budget);
        turns++;
    } while (!pg && !budget);
    assert_ptr_equal(pg, pair);
    assert_in_range(turns, 3, 255 / 64 + 1); /* one of them, at most, to clear */
    host_check_invariants();
}

/* A block is as young as the youngest of its frames. */
static void youngest_of_a_block(void **state)
{
    struct page_info *pg = alloc_frames(1, 0);
    unsigned int before;

    (void)state;
    for (unsigned int i = 0; i < 2; i++) {
        while (alloc_frames(0, 0))
            ;
        free_frames(&pg[i], 0);
        this_cpu()->tlb_time = tlb_clock(); /* it may know guests' entries */
        flush_tlb_stamp(NULL, tlb_clock());
        free_frames(&pg[1 - i], 0);
        before = host_flushes;
        assert_ptr_equal(alloc_frames(1, 0), pg);
        assert_int_equal(host_flushes, before + 1);
    }
}

/* Also of frames whose stamps are half a round of the clock apart, which no comparison of two puts
 * in a row. */
static void youngest_of_all_ages(void **state)
{
    const uint32_t ages[4] = {0, (1u << 31) + 100, (1u << 31) - 10, (1u << 31) - 10};
    struct page_info *pg = alloc_frames(2, 0);
    unsigned int before;

    (void)state;
    while (alloc_frames(0, 0))
        ;
    free_frames(pg, 2);
    tlb_clock_line.now += 5;
    this_cpu()->tlb_time = tlb_clock();
    for (unsigned int i = 0; i < 4; i++)
        pg[i].tlb_stamp = tlb_clock() - ages[i];
    before = host_flushes;
    assert_ptr_equal(alloc_frames(2, 0), pg);
    assert_int_equal(host_flushes, before + 1);
}

static void given_twice_counts_once(void **state)
{
    uint64_t before = heap_total_frames();

    (void)state;
    heap_give(MFN(100), 50);
    heap_give(MFN(max_mfn), 100000);
    assert_int_equal(heap_total_frames(), before);
    host_check_invariants();
}

static void small_objects(void **state)
{
    unsigned char *held[500] = {NULL};
    size_t size[500];
    uint64_t before = heap_free_frames();

    (void)state;
    for (int i = 0; i < 20000; i++) {
        unsigned int k = rnd() % 500;

        if (held[k]) {
            for (size_t j = 0; j < size[k]; j++)
                assert_int_equal(held[k][j], (unsigned char)k);
            hv_free(held[k]);
            held[k] = NULL;
        } else {
            size[k] = 1 + rnd() % (rnd() % 8 ? 300 : 9000);
            held[k] = hv_alloc(size[k]);
            assert_non_null(held[k]);
            assert_int_equal((uintptr_t)held[k] % 16, 0);
            for (size_t j = 0; j < size[k]; j++)
                assert_int_equal(held[k][j], 0);
            memset(held[k], (int)k, size[k]);
        }
    }
    for (int k = 0; k < 500; k++)
        hv_free(held[k]);
    assert_int_equal(heap_free_frames(), before);
    hv_free(NULL);
}

static void sizes_that_cannot_be(void **state)
{
    (void)state;
    assert_null(hv_alloc_array(SIZE_MAX / 2, 3));
    assert_null(hv_alloc((size_t)1 << 40));
    assert_null(hv_alloc(FRAMES * PAGE_SIZE));
    host_check_invariants();
}

static void memory_runs_out(void **state)
{
    unsigned int n = 0;
    void *p, *last = NULL;

    (void)state;
    while ((p = hv_alloc(4096)) != NULL) {
        *(void **)p = last;
        last = p;
        n++;
    }
    assert_true(n > FRAMES / 2);
    while ((p = hv_alloc(2048)) != NULL) {
        *(void **)p = last;
        last = p;
    }
    assert_null(alloc_frames(0, 0));
    for (; last; last = p) {
        p = *(void **)last;
        hv_free(last);
    }
    assert_non_null(alloc_frames(8, 0));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(all_comes_back),
        TEST(cleared_also_after_use),
        TEST(trusted_memory_was_nobodys),
        TEST(address_limits),
        TEST(high_memory_first),
        TEST(flushed_before_reuse),
        TEST(nobody_flushes_for_small_objects),
        TEST(nobody_flushes_for_one_frame),
        TEST(nobody_flushes_for_the_last_frame),
        TEST(large_blocks_stay_whole),
        TEST(single_frames_grow_together),
        TEST(joined_a_few_at_a_time),
        TEST(youngest_of_a_block),
        TEST(youngest_of_all_ages),
        TEST(given_twice_counts_once),
        TEST(small_objects),
        TEST(sizes_that_cannot_be),
        TEST(memory_runs_out),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
