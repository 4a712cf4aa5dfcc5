/* SPDX-License-Identifier: MIT */
/*
 * Shows: a guest of kind pvh can have its memory in pieces: every second page of all that it can
 * spare given back, what remains between them untouched, and each place filled again; the
 * reservation is exact to the page. Frames move while they are read and run from: what is at a
 * place is what was put there last. The hypervisor's own frames (shared info, grant table) can be
 * put over each other and over the guest's code, and lose nothing.
 */
#include <guest/grant.h>
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "pvh-memory";

#define WINDOW 0x400000000000ul
#define MOST   8192u
#define SPARE  128u /* pages that the kernel keeps for itself */

static unsigned long *pages[MOST];
static xen_pfn_t list[MOST];
static unsigned int taken;

static long reserve(unsigned int cmd, unsigned int n)
{
    struct xen_memory_reservation r = {.nr_extents = n, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, list);
    return HYPERVISOR_memory_op(cmd, &r);
}

static long current_pages(void)
{
    return HYPERVISOR_memory_op(XENMEM_current_reservation, &(domid_t){DOMID_SELF});
}

/* 0, or -XEN_E* */
static long put(unsigned int space, unsigned long idx, const void *place)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF, .space = space, .idx = idx, .gpfn = virt_to_pfn(place)};

    return HYPERVISOR_memory_op(XENMEM_add_to_physmap, &a);
}

static void populate(const void *place)
{
    list[0] = virt_to_pfn(place);
    CHECK_EQ(reserve(XENMEM_populate_physmap, 1), 1, "the place is filled again");
}

static bool reads(const void *place, uint32_t value)
{
    return mmio_read(place) == value;
}

/* ---- holes ---- */

static void take_all(void)
{
    while (taken < MOST && pages_available() > SPARE) {
        pages[taken] = page_alloc();
        *pages[taken] = taken + 1;
        taken++;
    }
}

/* Those with an odd or an even number. */
static unsigned int name_half(unsigned int odd)
{
    unsigned int n = 0;

    for (unsigned int i = odd; i < taken; i += 2)
        list[n++] = virt_to_pfn(pages[i]);
    return n;
}

static bool half_reads(unsigned int odd, bool hole)
{
    for (unsigned int i = odd; i < taken; i += 2)
        if (!reads(pages[i], hole ? ~0u : i + 1))
            return false;
    return true;
}

static void write_half(unsigned int odd)
{
    for (unsigned int i = odd; i < taken; i += 2)
        *pages[i] = i + 1;
}

static void every_second(unsigned int odd)
{
    long before = current_pages();
    unsigned int n = name_half(odd);

    CHECK_EQ(reserve(XENMEM_decrease_reservation, n), n, "every second page is given back");
    CHECK_EQ(current_pages(), before - n, "the reservation is less by so many");
    CHECK(half_reads(odd, true), "where they were, nothing is");
    CHECK(half_reads(!odd, false), "those between them are as they were");
    CHECK_EQ(reserve(XENMEM_decrease_reservation, n), 0, "none of them is given twice");
    CHECK_EQ(reserve(XENMEM_populate_physmap, n), n, "they are got again");
    CHECK_EQ(current_pages(), before, "the reservation is what it was");
    write_half(odd);
    CHECK(half_reads(0, false) && half_reads(1, false), "all are memory, each its own");
}

static void holes(void)
{
    take_all();
    NEED(taken > 4096);
    for (unsigned int turn = 0; turn < 4; turn++)
        every_second(turn & 1);
    while (taken)
        page_free(pages[--taken]);
}

/* ---- frames that move ---- */

/* A page of code: mov eax, value; ret */
static void *code(uint32_t value)
{
    uint8_t *page = test_page();

    page[0] = 0xb8;
    memcpy(&page[1], &value, sizeof(value));
    page[5] = 0xc3;
    return page;
}

static unsigned int run_at_window(void)
{
    return ((unsigned int (*)(void))WINDOW)();
}

static void code_moves(void)
{
    void *first = code(1), *second = code(2);
    long before = current_pages();

    NEED(!pt_map(WINDOW, pte_make(virt_to_pfn(first), PTE_KERNEL_RO)));
    CHECK_EQ(run_at_window(), 1, "a page of code runs");
    CHECK_EQ(put(XENMAPSPACE_gmfn, virt_to_pfn(second), first), 0, "another comes in its place");
    CHECK_EQ(run_at_window(), 2, "and is what runs there");
    CHECK_EQ(current_pages(), before - 1, "the first is given back");
    CHECK(reads(second, ~0u), "the second has left its place");
    CHECK(put(XENMAPSPACE_gmfn, virt_to_pfn(second), first) < 0, "where there is none to move");
    CHECK_EQ(put(XENMAPSPACE_gmfn, virt_to_pfn(first), first), 0, "a move to where it is");
    CHECK_EQ(run_at_window(), 2, "changes nothing");
    CHECK_EQ(put(XENMAPSPACE_shared_info, 0, first), 0, "the shared info comes over the code");
    CHECK_EQ(current_pages(), before - 2, "which is given back");
    CHECK_EQ(((shared_info_t *)first)->wc_version, ((shared_info_t *)WINDOW)->wc_version,
             "what was mapped for code shows it");
    CHECK(!reads(first, 2u << 8 | 0xb8), "and no code");
    CHECK(reads(shared_info, ~0u), "where it was, nothing is");
    CHECK_EQ(put(XENMAPSPACE_shared_info, 0, shared_info), 0, "it goes back");
    CHECK(reads(first, ~0u), "and leaves a hole");
    populate(first);
    populate(second);
    CHECK_EQ(current_pages(), before, "the reservation is what it was");
    NEED(!pt_unmap(WINDOW));
    page_free(first);
    page_free(second);
}

static void hypervisors_frames(void)
{
    void *lent = test_page();
    grant_ref_t ref = (grant_ref_t)grant_access(own_domid(), virt_to_pfn(lent), false);
    grant_entry_v1_t *table = grant_entry(0), entry = *grant_entry(ref);
    long before = current_pages();

    CHECK_EQ(put(XENMAPSPACE_shared_info, 0, table), 0, "the shared info comes over the grants");
    CHECK(reads(shared_info, ~0u), "and is there alone");
    CHECK_EQ(put(XENMAPSPACE_grant_table, 0, shared_info), 0, "they change places");
    CHECK(!memcmp((grant_entry_v1_t *)shared_info + ref, &entry, sizeof(entry)),
          "the grants are as they were");
    CHECK_EQ(put(XENMAPSPACE_grant_table, 1, shared_info), 0, "another part of the table");
    CHECK(!((grant_entry_v1_t *)shared_info)[ref].flags, "is another frame");
    CHECK_EQ(put(XENMAPSPACE_shared_info, 0, shared_info), 0, "the shared info goes back");
    CHECK_EQ(put(XENMAPSPACE_grant_table, 0, table), 0, "and the grants");
    CHECK_EQ(put(XENMAPSPACE_grant_table, 1, (char *)table + PAGE_SIZE), 0, "all of them");
    CHECK(!memcmp(grant_entry(ref), &entry, sizeof(entry)), "which are as they were");
    CHECK(put(XENMAPSPACE_grant_table, 100000, lent) < 0, "a part past the table's end");
    CHECK(put(XENMAPSPACE_shared_info, 1, lent) < 0, "a second shared info");
    CHECK_EQ(current_pages(), before, "no memory of the guest's own came or went");
    CHECK(grant_end(ref), "the grant can be revoked");
    page_free(lent);
}

/* ---- grants of what is not there ---- */

static int copy_from(grant_ref_t ref, const void *to)
{
    gnttab_copy_t c = {.source = {.u.ref = ref, .domid = own_domid()},
                       .dest = {.u.gmfn = virt_to_pfn(to), .domid = DOMID_SELF},
                       .len = 8,
                       .flags = GNTCOPY_source_gref};
    long rc = HYPERVISOR_grant_table_op(GNTTABOP_copy, &c, 1);

    return rc ? (int)rc * 1000 : c.status;
}

static void lent_and_gone(void)
{
    unsigned long *lent = test_page(), *to = test_page();
    grant_ref_t ref = (grant_ref_t)grant_access(own_domid(), virt_to_pfn(lent), false);

    *lent = 77;
    CHECK_EQ(copy_from(ref, to), GNTST_okay, "a frame that is lent");
    CHECK_EQ(*to, 77, "is copied");
    list[0] = virt_to_pfn(lent);
    CHECK_EQ(reserve(XENMEM_decrease_reservation, 1), 1, "given back although it is lent");
    CHECK(copy_from(ref, to) < 0, "it cannot be had");
    CHECK_EQ(*to, 77, "and nothing was");
    CHECK(!grant_in_use(ref), "nobody uses the grant");
    populate(lent);
    *lent = 78;
    CHECK_EQ(copy_from(ref, to), GNTST_okay, "the grant names a place");
    CHECK_EQ(*to, 78, "and what is there now");
    CHECK(grant_end(ref), "the grant can be revoked");
    page_free(to);
    page_free(lent);
}

void test_main(void)
{
    NEED(!grant_init());
    cli(); /* an event would look for the shared info */
    holes();
    code_moves();
    hypervisors_frames();
    lent_and_gone();
    sti();
}
