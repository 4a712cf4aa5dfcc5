/* SPDX-License-Identifier: MIT */
/*
 * Grants, as many at once as a table holds: the domain's own, and those of several others.
 *
 * A lender grants NR_MAPS pages and one more, the desk, through which the borrower tells it what to
 * do. The borrower fills a page table with grants of all lenders in turn. At the end the lenders
 * give their pages back to the hypervisor while they are mapped: then the page table is all that
 * holds them, and with it each of them goes to the heap.
 */
#include <guest/grant.h>

#include "bounded.h"
#include "test.h"

#define NR_MAPS    512u
#define NR_LENDERS 8u
#define FIRST_REF  GNTTAB_NR_RESERVED_ENTRIES
#define DESK_REF   (FIRST_REF + NR_MAPS)
#define PATIENCE   10000u /* milliseconds */

/* A grant may be mapped 128 times on some hypervisors of the family. */
#define NR_REFS 8u

struct desk {
    uint64_t order, answer;
};
enum { GIVE_BACK = 1, END };

static gnttab_map_grant_ref_t maps[NR_MAPS];
static gnttab_unmap_grant_ref_t unmaps[NR_MAPS];
static gnttab_copy_t copies[NR_MAPS];

void whole_table(void)
{
    gnttab_query_size_t size = {.dom = DOMID_SELF};
    gnttab_setup_table_t setup = {.dom = DOMID_SELF};

    NEED(!HYPERVISOR_grant_table_op(GNTTABOP_query_size, &size, 1));
    setup.nr_frames = size.max_nr_frames < NR_SINGLES ? size.max_nr_frames : NR_SINGLES;
    set_xen_guest_handle(setup.frame_list, list);
    CHECK_EQ(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1), 0,
             "all frames of the table");
    CHECK_EQ(setup.status, GNTST_okay, "are there");
}

static void map_all(const pte_t *table, domid_t (*whose)(unsigned int),
                    grant_ref_t (*ref)(unsigned int))
{
    unsigned int ok = 0;

    for (unsigned int i = 0; i < NR_MAPS; i++)
        maps[i] = (gnttab_map_grant_ref_t){.host_addr = pt_maddr(&table[i]),
                                           .flags = GNTMAP_host_map | GNTMAP_contains_pte,
                                           .ref = ref(i),
                                           .dom = whose(i)};
    CHECK_EQ(HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, maps, NR_MAPS), 0,
             "a table full of grants");
    for (unsigned int i = 0; i < NR_MAPS; i++)
        ok += maps[i].status == GNTST_okay;
    CHECK_EQ(ok, NR_MAPS, "is mapped");
}

static void unmap_all(const pte_t *table, int16_t want)
{
    unsigned int ok = 0;

    for (unsigned int i = 0; i < NR_MAPS; i++)
        unmaps[i] =
            (gnttab_unmap_grant_ref_t){.host_addr = pt_maddr(&table[i]), .handle = maps[i].handle};
    CHECK_EQ(HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, unmaps, NR_MAPS), 0, "unmapping");
    for (unsigned int i = 0; i < NR_MAPS; i++)
        ok += unmaps[i].status == want;
    CHECK_EQ(ok, NR_MAPS, "does for each what it should");
}

/* The table is none any more: what it mapped is let go. */
static void end_table(pte_t *table)
{
    CHECK_EQ(test_mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(table), 0), 0,
             "the table goes with its grants");
    CHECK_EQ(test_page_protect(table, true), 0, "and is memory");
    /* ABI: what is not mapped there cannot be unmapped there */
    unmap_all(table, GNTST_general_error);
}

static bool make_table(pte_t *table)
{
    memset(table, 0, PAGE_SIZE);
    return !test_page_protect(table, false) &&
           !test_mmuext(MMUEXT_PIN_L1_TABLE, virt_to_mfn(table), 0);
}

static void copy_all(void)
{
    CHECK_EQ(HYPERVISOR_grant_table_op(GNTTABOP_copy, copies, NR_MAPS), 0, "a batch of copies");
    CHECK_EQ(copies[NR_MAPS - 1].status, GNTST_okay, "to its last");
}

/* ---- the domain's own ---- */

static grant_ref_t own_refs[NR_REFS];

static domid_t from_self(unsigned int i)
{
    (void)i;
    return self;
}

static grant_ref_t own_ref(unsigned int i)
{
    return own_refs[i % NR_REFS];
}

void grants(bool hold)
{
    void *page = test_page(), *to = test_page();
    pte_t *table = test_page();

    for (unsigned int i = 0; i < NR_REFS; i++)
        own_refs[i] = (grant_ref_t)grant_access(self, virt_to_mfn(page), false);
    NEED(make_table(table));
    map_all(table, from_self, own_ref);
    if (hold)
        return;
    unmap_all(table, GNTST_okay);
    map_all(table, from_self, own_ref);
    end_table(table);
    for (unsigned int i = 0; i < NR_MAPS; i++) {
        copies[i] = (gnttab_copy_t){.len = PAGE_SIZE, .flags = GNTCOPY_source_gref};
        copies[i].source.u.ref = own_refs[0];
        copies[i].source.domid = copies[i].dest.domid = DOMID_SELF;
        copies[i].dest.u.gmfn = virt_to_mfn(to);
    }
    copy_all();
}

/* ---- those of others ---- */

static unsigned int lenders;
static volatile struct desk *desk[NR_LENDERS];

static domid_t from_lender(unsigned int i)
{
    return (domid_t)(self + 1 + i % lenders);
}

static grant_ref_t lent_ref(unsigned int i)
{
    return FIRST_REF + i;
}

static void a_moment(void)
{
    sched_poll(NULL, 0, time_system_ns() + 1000000);
}

static bool find_lender(unsigned int i)
{
    grant_handle_t handle;
    void *va = NULL;

    for (unsigned int n = 0; n < PATIENCE && !va; n++) {
        if (grant_map(from_lender(i), DESK_REF, false, &va, &handle))
            a_moment();
    }
    desk[i] = va;
    return va != NULL;
}

static bool tell(unsigned int i, uint64_t order)
{
    desk[i]->answer = 0;
    desk[i]->order = order;
    for (unsigned int n = 0; n < PATIENCE && !desk[i]->answer; n++)
        a_moment();
    return desk[i]->answer == NR_MAPS;
}

void foreign_grants(unsigned int n)
{
    pte_t *table = test_page();

    if (!n)
        return;
    NEED(n <= NR_LENDERS);
    lenders = n;
    for (unsigned int i = 0; i < n; i++)
        NEED(find_lender(i));
    NEED(make_table(table));
    map_all(table, from_lender, lent_ref);
    unmap_all(table, GNTST_okay);
    map_all(table, from_lender, lent_ref);
    end_table(table);
    for (unsigned int i = 0; i < NR_MAPS; i++) {
        copies[i] =
            (gnttab_copy_t){.len = PAGE_SIZE, .flags = GNTCOPY_source_gref | GNTCOPY_dest_gref};
        copies[i].source.u.ref = copies[i].dest.u.ref = lent_ref(i);
        copies[i].source.domid = from_lender(i);
        copies[i].dest.domid = from_lender(i + 1);
    }
    copy_all();
    NEED(make_table(table));
    map_all(table, from_lender, lent_ref);
    for (unsigned int i = 0; i < n; i++)
        CHECK(tell(i, GIVE_BACK), "the pages are their lender's no more");
    end_table(table);
    for (unsigned int i = 0; i < n; i++)
        desk[i]->order = END;
}

/* True: all pages of the lender are granted, and the desk. */
static bool offer(domid_t to, char *pages, void *the_desk)
{
    bool ok = pages && the_desk;

    for (unsigned int i = 0; ok && i < NR_MAPS; i++)
        ok = grant_access(to, virt_to_mfn(pages + i * PAGE_SIZE), false) == (int)lent_ref(i);
    return ok && grant_access(to, virt_to_mfn(the_desk), false) == (int)DESK_REF;
}

void lend(domid_t to)
{
    char *pages = pages_alloc(NR_MAPS);
    volatile struct desk *mine = page_alloc_zeroed();
    bool ok = offer(to, pages, (void *)(uintptr_t)mine);

    for (; ok && mine->order != END; a_moment()) {
        if (mine->order != GIVE_BACK)
            continue;
        mine->order = 0;
        mine->answer = take_pages(pages, NR_MAPS)
                           ? (uint64_t)reserve(XENMEM_decrease_reservation, NR_MAPS, 0)
                           : ~0ull;
    }
    shutdown_domain(ok ? SHUTDOWN_poweroff : SHUTDOWN_crash);
}
