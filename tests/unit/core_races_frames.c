/* SPDX-License-Identifier: MIT */
/*
 * Frames, and what another CPU does to them, or to their domain, at the worst moment.
 */
#include <pv/pv_mm.h> /* before the names of core_moment.h */

#include "core_moment.h"

#include <core/domain/domain_pages.h>
#include <core/domain/in_flight.h>
#include <core/frame/m2p.h>
#include <signal.h>
#include <sys/mman.h>
#include <xen/memory.h>

static uint32_t references;

static void all_frames_go_back(void)
{
    struct page_info *pg;

    while ((pg = page_list_first(&d->pages)) != NULL)
        assert_true(clear_allocated(pg));
    assert_int_equal(d->refcount, references);
}

/* The reference that a domain's frames hold is there before the frames are. */
static void the_first_frame_goes_at_once(void **state)
{
    (void)state;
    references = d->refcount;
    when(&d->page_alloc_lock, true, 0, all_frames_go_back);
    assert_non_null(host_frames(d, 1));
    assert_int_equal(moment.times, 1);
    assert_int_equal(d->refcount, references);
}

static xen_pfn_t place_seen;

static void look_at_its_place(void)
{
    place_seen = machine_to_phys[page_to_mfn(page_list_first(&d->pages)).n];
}

/* The place of a frame is told before the domain can have it, and give it to another. */
static void a_frame_has_its_place_when_it_is_seen(void **state)
{
    struct xen_memory_reservation r = {.extent_start = LIST, .nr_extents = 1, .domid = DOMID_SELF};

    (void)state;
    *(xen_pfn_t *)host_guest(LIST) = 0x4321;
    when(&d->page_alloc_lock, true, 0, look_at_its_place);
    assert_int_equal(call_with(d->vcpu[0], memory_op, XENMEM_populate_physmap, &r), 1);
    assert_int_equal(moment.times, 1);
    assert_int_equal(place_seen, 0x4321);
}

static struct page_info *changing;

static void let_it_change(int prot)
{
    uintptr_t first = (uintptr_t)changing & PAGE_MASK;
    uintptr_t end = ROUND_UP((uintptr_t)(changing + 1), PAGE_SIZE);

    assert_int_equal(mprotect((void *)first, end - first, prot), 0);
}

/* Who has found it d's comes to its counts, which cannot be written yet. */
static void another_has_it(int sig)
{
    (void)sig;
    let_it_change(PROT_READ | PROT_WRITE);
    WRITE_ONCE(changing->owner, dom0->domain_id);
}

static void find_it(struct page_info *pg)
{
    changing = pg;
    WRITE_ONCE(pg->owner, d->domain_id);
    let_it_change(PROT_READ);
}

/* A frame goes, and comes back as another domain's, between the look at its owner and the reference
 * or the lock: nobody gets either. */
static void a_frame_changes_hands(void **state)
{
    struct page_info *pg = host_frames(d, 0);
    const uint64_t table = PGT_l1_page_table | PGT_validated | 1;
    uint64_t pte = page_to_mfn(pg).n << PAGE_SHIFT | PTE_PRESENT | PTE_USER;
    struct page_info *of = host_frames(d, 0); /* a table that is to map it */
    struct sigaction segv = {.sa_handler = another_has_it}, was;

    (void)state;
    sigaction(SIGSEGV, &segv, &was);
    find_it(pg);
    assert_false(get_page(pg, d));
    find_it(pg);
    assert_int_equal(steal_page(d, pg), -XEN_EINVAL);
    assert_int_equal(pg->count_info, PGC_allocated | 1);
    WRITE_ONCE(pg->type_info, table);
    find_it(pg);
    assert_false(page_lock(pg, d));
    assert_int_equal(pg->type_info, table);
    WRITE_ONCE(of->type_info, table);
    of->used = 0xffff;
    for (unsigned int rw = 0; rw <= PTE_RW; rw += PTE_RW) {
        find_it(pg);
        assert_int_equal(write_pte(d, of, table_entry(of, 0), 0, pte | rw, PTE_WRITE, d),
                         -XEN_EBUSY);
        assert_int_equal(pg->count_info, PGC_allocated | 1);
        assert_int_equal(*table_entry(of, 0), 0);
    }
    sigaction(SIGSEGV, &was, NULL);
    WRITE_ONCE(pg->type_info, 0);
    WRITE_ONCE(pg->owner, d->domain_id);
    assert_true(clear_allocated(pg));
    WRITE_ONCE(of->type_info, 0);
    of->used = 0;
    assert_true(clear_allocated(of));
}

/* The control domain is at an exchange for a domain that ends: what it has in its hands is its own
 * until it has done. */
static void an_exchange_is_waited_for(void **state)
{
    struct page_info *pg = alloc_frames(0, 0);

    (void)state;
    page_list_add(&d->in_flight.taken, pg);
    WRITE_ONCE(d->in_flight.busy, true);
    assert_int_equal(in_flight_end(d), -XEN_ERESTART);
    assert_ptr_equal(page_list_first(&d->in_flight.taken), pg);
    __atomic_store_n(&d->in_flight.busy, false, __ATOMIC_RELEASE);
    assert_int_equal(in_flight_end(d), 0);
    assert_null(page_list_first(&d->in_flight.taken));
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup_teardown(f, moment_setup, moment_teardown)
    const struct CMUnitTest tests[] = {
        TEST(the_first_frame_goes_at_once),
        TEST(a_frame_has_its_place_when_it_is_seen),
        TEST(a_frame_changes_hands),
        TEST(an_exchange_is_waited_for),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
