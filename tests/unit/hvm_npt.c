/* SPDX-License-Identifier: MIT */
/*
 * Nested page tables: what may be mapped where, large entries and their splitting, frames taken
 * out, memory that runs out at any point, the end of the domain in as many turns as there can be;
 * and random operations held against a list. References are recounted from scratch all the time.
 */
#include "core_test.h"
#include "hvm_guest.h"
#include "hvm_npt_random.h"

#include <core/domain/domain_pages.h>
#include <core/life/life.h>
#include <core/sched/pause.h>
#include <core/state/guest_ops.h>

#define FRAMES 8192ull

static struct domain *dom0, *d;
static uint64_t free_before;
static struct page_info *large; /* 512 frames of d's */

static int setup(void **state)
{
    (void)state;
    hvm_guest_init(FRAMES);
    dom0 = host_domain(0, true, 1, 4);
    free_before = heap_free_frames();
    d = host_domain(1, false, 1, 0);
    d->max_pages = 4096;
    large = host_frames(d, 9);
    assert_non_null(large);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_run_as(dom0->vcpu[0]);
    if (d)
        host_destroy(d);
    assert_int_equal(heap_free_frames(), free_before);
    host_check_invariants();
    host_destroy(dom0);
    return 0;
}

static void expect(uint64_t tables, uint64_t small, uint64_t big)
{
    struct hvm_tables t = hvm_recount(d, NULL);

    assert_int_equal(t.tables, tables);
    assert_int_equal(t.small, small);
    assert_int_equal(t.large, big);
}

/* ---- the tests ---- */

static void map_and_look(void **state)
{
    struct page_info *pg = host_frames(d, 2);
    mfn_t mfn = page_to_mfn(pg);

    (void)state;
    expect(1, 0, 0);
    assert_int_equal(npt_lookup(d, GFN(0)).n, INVALID_MFN.n);
    assert_int_equal(npt_map(d, GFN(0x1ff), mfn, 2), 0); /* over the end of a table */
    expect(5, 4, 0);
    for (unsigned int i = 0; i < 4; i++) {
        assert_int_equal(npt_lookup(d, GFN(0x1ff + i)).n, mfn.n + i);
        assert_int_equal(pg[i].count_info, PGC_allocated | 2);
        assert_int_equal(machine_to_phys[mfn.n + i], 0x1ff + i);
    }
    assert_int_equal(npt_lookup(d, GFN(0x1fe)).n, INVALID_MFN.n);
    assert_int_equal(npt_lookup(d, GFN(0x203)).n, INVALID_MFN.n);
    assert_int_equal(npt_lookup(d, GFN(0x1ff | 1ull << 28)).n, INVALID_MFN.n);
    assert_int_equal(npt_lookup(d, INVALID_GFN).n, INVALID_MFN.n);
    assert_int_equal(hvm_unmap(d, GFN(0x200)), 0);
    assert_int_equal(npt_lookup(d, GFN(0x200)).n, INVALID_MFN.n);
    assert_int_equal(machine_to_phys[mfn.n + 1], INVALID_GPFN);
    assert_int_equal(pg[1].count_info, PGC_allocated | 1);
    assert_int_equal(hvm_unmap(d, GFN(0x200)), -XEN_ENOENT);
    assert_int_equal(hvm_unmap(d, GFN(0x200000)), -XEN_ENOENT);
    assert_int_equal(hvm_unmap(d, GFN(1ull << 28 | 0x201)), -XEN_ENOENT);
    assert_int_equal(hvm_unmap(d, INVALID_GFN), -XEN_ENOENT);
    expect(5, 3, 0);
    assert_int_equal(npt_map(d, GFN((1ull << 28) - 1), MFN(mfn.n + 1), 0), 0); /* the last */
    expect(8, 4, 0);
}

static void large_ones(void **state)
{
    mfn_t mfn = page_to_mfn(large);

    (void)state;
    assert_int_equal(npt_map(d, GFN(0x400), mfn, 9), 0);
    expect(3, 0, 1);
    for (unsigned int i = 0; i < 512; i++) {
        assert_int_equal(npt_lookup(d, GFN(0x400 + i)).n, mfn.n + i);
        assert_int_equal(large[i].count_info, PGC_allocated | 2);
    }
    assert_int_equal(npt_map(d, GFN(0x5ff), page_to_mfn(host_frames(d, 0)), 0), -XEN_EEXIST);
    assert_int_equal(hvm_unmap(d, GFN(0x407)), 0);
    expect(4, 511, 0);
    assert_int_equal(npt_lookup(d, GFN(0x407)).n, INVALID_MFN.n);
    assert_int_equal(npt_map(d, GFN(0x400), mfn, 9), -XEN_EEXIST);
    for (unsigned int i = 0; i < 512; i++)
        assert_int_equal(hvm_unmap(d, GFN(0x400 + i)), i == 7 ? -XEN_ENOENT : 0);
    expect(4, 0, 0);
    assert_int_equal(npt_map(d, GFN(0x400), mfn, 9), 0); /* there is a table already */
    expect(4, 512, 0);
}

/* Who found a frame there takes out none that came to its place meanwhile. */
static void another_is_there_by_now(void **state)
{
    struct page_info *was = host_frames(d, 0), *is = host_frames(d, 0);

    (void)state;
    assert_int_equal(npt_map(d, GFN(9), page_to_mfn(is), 0), 0);
    assert_int_equal(npt_map(d, GFN(0x400), page_to_mfn(large), 9), 0);
    assert_int_equal(npt_map(d, GFN(8), page_to_mfn(was), 0), 0); /* and is elsewhere itself */
    assert_int_equal(npt_unmap(d, GFN(9), page_to_mfn(was)), -XEN_ENOENT);
    assert_int_equal(npt_unmap(d, GFN(0x405), page_to_mfn(large)), -XEN_ENOENT);
    assert_int_equal(machine_to_phys[page_to_mfn(was).n], 8);
    expect(4, 2, 1);
    assert_int_equal(npt_unmap(d, GFN(8), page_to_mfn(was)), 0);
    expect(4, 1, 1);
}

/* Aligned in one numbering alone, or in pieces: small. More than 512: as large as they may be. */
static void what_is_large(void **state)
{
    mfn_t mfn = page_to_mfn(large);
    struct page_info *two = host_frames(d, 10);

    (void)state;
    assert_int_equal(npt_map(d, GFN(0x401), mfn, 9), 0);
    expect(5, 512, 0);
    for (unsigned int i = 0; i < 512; i++)
        assert_int_equal(hvm_unmap(d, GFN(0x401 + i)), 0);
    for (unsigned int i = 0; i < 512; i += 256)
        assert_int_equal(npt_map(d, GFN(0x800 + i), MFN(mfn.n + i), 8), 0);
    expect(6, 512, 0);
    assert_int_equal(npt_map(d, GFN(0x1000), MFN(page_to_mfn(two).n + 1), 9), 0);
    expect(7, 1024, 0);
    for (unsigned int i = 0; i < 512; i++)
        assert_int_equal(hvm_unmap(d, GFN(0x1000 + i)), 0);
    assert_int_equal(npt_map(d, GFN(0x2000), page_to_mfn(two), 10), 0);
    expect(7, 512, 2);
}

static void what_is_refused(void **state)
{
    mfn_t mfn = page_to_mfn(large), other = page_to_mfn(page_list_first(&dom0->pages));

    (void)state;
    assert_int_equal(npt_map(d, GFN(1ull << 28), mfn, 0), -XEN_EINVAL);
    assert_int_equal(npt_map(d, GFN((1ull << 28) - 256), mfn, 9), -XEN_EINVAL);
    assert_int_equal(npt_map(d, GFN(~0ull), mfn, 0), -XEN_EINVAL);
    assert_int_equal(npt_map(d, GFN(~0ull), mfn, 1), -XEN_EINVAL);
    assert_int_equal(npt_map(d, GFN(0), mfn, 19), -XEN_EINVAL);
    assert_int_equal(npt_map(d, GFN(0), mfn, ~0u), -XEN_EINVAL);
    assert_int_equal(npt_map(d, GFN(0xfee00), mfn, 0), -XEN_EINVAL); /* the local APIC */
    assert_int_equal(npt_map(d, GFN(0xfee00), mfn, 9), -XEN_EINVAL);
    assert_int_equal(npt_map(d, GFN(0xfec01), mfn, 9), -XEN_EINVAL);
    expect(1, 0, 0);
    assert_int_equal(npt_map(d, GFN(5), other, 0), -XEN_EINVAL);
    assert_int_equal(npt_map(d, GFN(5), MFN(2), 0), -XEN_EINVAL); /* no RAM */
    assert_int_equal(npt_map(d, GFN(5), INVALID_MFN, 0), -XEN_EINVAL);
    assert_int_equal(npt_map(d, GFN(5), INVALID_MFN, 3), -XEN_EINVAL);
    assert_int_equal(npt_map(d, GFN(5), frame_of(d->arch.hvm.npt), 0), -XEN_EINVAL);
    assert_int_equal(npt_map(d, GFN(5), MFN(mfn.n + 510), 2), -XEN_EINVAL); /* two are not d's */
    assert_int_equal(npt_map(d, GFN(5), MFN(max_mfn), 4), -XEN_EINVAL);
    expect(4, 0, 0);
    assert_int_equal(npt_map(d, GFN(0xfec00), mfn, 9), 0);
    assert_int_equal(npt_map(d, GFN(0x5000), MFN(mfn.n + 9), 0), -XEN_EBUSY); /* it is elsewhere */
    assert_int_equal(npt_map(d, GFN(0x5000), mfn, 9), -XEN_EBUSY);
    assert_int_equal(npt_map(d, GFN(0xfec00), mfn, 9), -XEN_EEXIST);
    assert_int_equal(npt_map(d, GFN(0xfedff), mfn, 0), -XEN_EEXIST);
    machine_to_phys[mfn.n] = 0x5000; /* where it is to be soon, says who has just given it */
    assert_int_equal(npt_map(d, GFN(0x5000), page_to_mfn(host_frames(d, 0)), 0), 0);
    machine_to_phys[mfn.n] = 0xfec00;
    hvm_recount(d, NULL);
}

/* The hypervisor's page that is shown to the domain is mapped like its own. */
static void shared_pages(void **state)
{
    mfn_t mfn = frame_of(d->shared_info);

    (void)state;
    assert_int_equal(npt_map(d, GFN(0xff000), mfn, 0), 0);
    expect(4, 1, 0);
    assert_int_equal(hvm_unmap(d, GFN(0xff000)), 0);
    expect(4, 0, 0);
}

/* The domain runs: what is taken out is flushed between the end of the entry and that of the
 * reference. */
static struct page_info *going;
static unsigned int seen;

static void look_at_going(void)
{
    seen++;
    assert_int_equal(npt_lookup(d, GFN(0x400)).n, INVALID_MFN.n);
    assert_int_equal(going->count_info, 1);
    assert_int_equal(host_locks_held(), 0);
}

static void flushed_in_between(void **state)
{
    uint64_t before = d->tot_pages;

    (void)state;
    assert_int_equal(npt_map(d, GFN(0x400), page_to_mfn(large), 9), 0);
    host_run_as(d->vcpu[0]);
    assert_true(d->dirty_cpus);
    going = large;
    assert_true(clear_allocated(going)); /* the entry's reference is the last */
    assert_int_equal(d->tot_pages, before);
    host_on_flush = look_at_going;
    seen = 0;
    assert_int_equal(hvm_unmap(d, GFN(0x400)), 0);
    host_on_flush = NULL;
    assert_int_equal(seen, 1);
    assert_int_equal(d->tot_pages, before - 1);
    assert_int_equal(going->owner, DOMID_INVALID);
    hvm_recount(d, NULL);
}

/* Below the top a frame needs three tables: each try gets one further. */
static void no_memory(void **state)
{
    static const struct {
        unsigned int spare;
        int rc;
    } tries[] = {{0, -XEN_ENOMEM}, {1, -XEN_ENOMEM}, {1, -XEN_ENOMEM}, {1, 0}};
    mfn_t mfn = page_to_mfn(large);

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(tries); i++) {
        hvm_hoard_all_but(tries[i].spare);
        assert_int_equal(npt_map(d, GFN(0x3000), mfn, 0), tries[i].rc);
        hvm_give_hoard_back();
        expect(1 + i, tries[i].rc == 0, 0);
        assert_int_equal(npt_lookup(d, GFN(0x3000)).n, tries[i].rc ? INVALID_MFN.n : mfn.n);
    }
    hvm_hoard_all_but(1); /* for the first of two tables */
    assert_int_equal(npt_map(d, GFN(0x7fffff), MFN(mfn.n + 1), 1), -XEN_ENOMEM);
    hvm_give_hoard_back();
    assert_int_equal(npt_lookup(d, GFN(0x7fffff)).n, INVALID_MFN.n);
    hvm_recount(d, NULL);
}

static void no_memory_to_split(void **state)
{
    (void)state;
    assert_int_equal(npt_map(d, GFN(0x200), page_to_mfn(large), 9), 0);
    hvm_hoard_all_but(0);
    assert_int_equal(hvm_unmap(d, GFN(0x3ff)), -XEN_ENOMEM);
    hvm_give_hoard_back();
    expect(3, 0, 1);
    assert_int_equal(npt_lookup(d, GFN(0x3ff)).n, page_to_mfn(large).n + 511);
    assert_int_equal(hvm_unmap(d, GFN(0x3ff)), 0);
    expect(4, 511, 0);
}

/* A guest that puts one frame here and there, and takes it out again, does not fill the machine
 * with tables; and what is large is split all the same. */
static void few_tables(void **state)
{
    mfn_t mfn = page_to_mfn(host_frames(d, 0));
    uint64_t n, tables;
    int rc;

    (void)state;
    assert_int_equal(npt_map(d, GFN(0), page_to_mfn(large), 9), 0);
    for (n = 1; (rc = npt_map(d, GFN(n << 18), mfn, 0)) == 0; n++)
        assert_int_equal(hvm_unmap(d, GFN(n << 18)), 0);
    assert_int_equal(rc, -XEN_ENOMEM);
    tables = hvm_recount(d, NULL).tables;
    assert_in_range(tables, 64, 64 + 4096 / 256);
    assert_int_equal(hvm_unmap(d, GFN(3)), 0);
    expect(tables + 1, 511, 0);
    assert_int_equal(npt_map(d, GFN(n << 18), mfn, 0), -XEN_ENOMEM);
    d->max_pages = 8192;
    assert_int_equal(npt_map(d, GFN(n << 18), mfn, 0), 0);
}

static void few_tables_by_splitting(void **state)
{
    mfn_t mfn = page_to_mfn(large);
    uint64_t n;
    int rc;

    (void)state;
    for (n = 0; (rc = npt_map(d, GFN(n << 9), mfn, 9)) == 0; n++)
        for (uint64_t i = 0; i < 512; i++)
            assert_int_equal(hvm_unmap(d, GFN(n << 9 | i)), 0);
    assert_int_equal(rc, -XEN_ENOMEM);
    assert_in_range(hvm_recount(d, NULL).tables, 64, 64 + 4096 / 256);
}

/* Whether there may be as many as a request can need is looked at first. */
static void tables_that_may_be_needed(void **state)
{
    const uint64_t most = 64 + 4096 / 256 - 6;
    mfn_t mfn = page_to_mfn(large);

    (void)state;
    d->arch.hvm.npt_tables = most + 1;
    assert_int_equal(npt_map(d, GFN(0), mfn, 0), -XEN_ENOMEM);
    d->arch.hvm.npt_tables = most;
    assert_int_equal(npt_map(d, GFN(0), mfn, 0), 0);
    assert_int_equal(hvm_unmap(d, GFN(0)), 0);
    d->arch.hvm.npt_tables = most;
    assert_int_equal(npt_map(d, GFN(0x200), mfn, 9), -XEN_ENOMEM);
    d->arch.hvm.npt_tables = most - 1;
    assert_int_equal(npt_map(d, GFN(0x200), mfn, 9), 0);
}

/* Memory that lies together never meets that limit, in frames one by one or out of large ones. */
static void dense_memory_has_its_tables(void **state)
{
    struct page_info *block = host_frames(d, 11);
    mfn_t mfn = page_to_mfn(block);

    (void)state;
    d->max_pages = d->tot_pages;
    for (uint64_t i = 0; i < 2048; i++)
        assert_int_equal(npt_map(d, GFN(0x100000 + i), MFN(mfn.n + i), 0), 0);
    assert_int_equal(npt_map(d, GFN(0), page_to_mfn(large), 9), 0);
    for (uint64_t i = 0; i < 2048; i++)
        assert_int_equal(hvm_unmap(d, GFN(0x100000 + i)), 0);
    assert_int_equal(npt_map(d, GFN(0x80000), mfn, 11), 0);
    for (uint64_t i = 0; i < 2048; i += 512)
        assert_int_equal(hvm_unmap(d, GFN(0x80000 + i)), 0);
    hvm_recount(d, NULL);
}

/* Each look says: give way. */
static void the_end_in_turns(void **state)
{
    struct page_info *two = host_frames(d, 10), *kept = &two[513];
    uint64_t gfns[] = {0, 0x1ff, 0x3fe00, 0x40000, 0x8000000, 0xfffffff};
    struct hvm_tables now, last = {0};
    unsigned int turns = 0;
    uint8_t *held;
    int rc;

    (void)state;
    assert_int_equal(npt_map(d, GFN(0x200), page_to_mfn(large), 9), 0);
    assert_int_equal(npt_map(d, GFN(0x10000), page_to_mfn(two), 10), 0);
    assert_int_equal(hvm_unmap(d, GFN(0x10005)), 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(gfns); i++)
        assert_int_equal(npt_map(d, GFN(gfns[i]), page_to_mfn(host_frames(d, 0)), 0), 0);
    assert_true(get_page(kept, d)); /* somebody else still has it */
    held = calloc(max_mfn + 1, 1);
    held[page_to_mfn(kept).n] = 1;
    host_run_as(dom0->vcpu[0]);
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER); /* stays */
    while ((now = hvm_recount(d, held)).tables > 1) {
        turns += memcmp(&now, &last, sizeof(now)) != 0;
        last = now;
        assert_int_equal(domain_kill(d), -XEN_ERESTART);
        assert_true(!d->dying || npt_map(d, GFN(0x5000), page_to_mfn(kept), 0) == -XEN_EINVAL);
    }
    /* 511 small ones, two large, five tables of one or two, and all tables but the top */
    assert_int_equal(turns, 512 / 64 + 2 + 5 + 12);
    assert_int_equal(npt_lookup(d, GFN(0x201)).n, INVALID_MFN.n);
    this_cpu()->pending = 0;
    while ((rc = domain_kill(d)) == -XEN_ERESTART)
        this_cpu()->slice_end = 0;
    assert_int_equal(rc, 0);
    host_reap();
    assert_int_equal(d->tot_pages, 1);
    d = NULL;
    put_page(kept);
    host_reap();
    free(held);
}

static void any_operations(void **state)
{
    struct npt_random_result result = {0};
    uint64_t seed = 1;
    uint8_t data[1024];

    (void)state;
    for (unsigned int i = 0; i < 200; i++) {
        for (unsigned int k = 0; k < sizeof(data); k++) {
            seed = seed * 6364136223846793005ull + 1442695040888963407ull;
            data[k] = (uint8_t)(seed >> 40);
        }
        npt_random_run(data, sizeof(data), &result);
    }
    print_message("%u mapped (%u large), %u taken out, %u times no memory\n", result.mapped,
                  result.large, result.unmapped, result.no_memory);
    assert_true(result.mapped > 1000 && result.large > 50 && result.unmapped > 1000 &&
                result.no_memory > 100);
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
    const struct CMUnitTest tests[] = {
        TEST(map_and_look),
        TEST(large_ones),
        TEST(another_is_there_by_now),
        TEST(what_is_large),
        TEST(what_is_refused),
        TEST(shared_pages),
        TEST(flushed_in_between),
        TEST(no_memory),
        TEST(no_memory_to_split),
        TEST(few_tables),
        TEST(few_tables_by_splitting),
        TEST(tables_that_may_be_needed),
        TEST(dense_memory_has_its_tables),
        TEST(the_end_in_turns),
        cmocka_unit_test(any_operations),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
