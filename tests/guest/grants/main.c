/* SPDX-License-Identifier: MIT */
/*
 * Shows: grant table version 1, with this domain as lender and borrower.
 *
 * Lends pages to itself, maps, writes through the mapping, unmaps, copies; and looks whether
 * each refusal is refused with the documented status and leaves no trace in the entry.
 *
 * XSA-227 (mapping into a misaligned entry), XSA-234 (unmapping with other permissions),
 * XSA-224 (half-done unmaps), XSA-18 (swapping entries out of range), XSA-316 (results of a
 * failed map), XSA-394 (unmapping twice).
 */
#include <guest/grant.h>

#include "test.h"

const char test_name[] = "grants";

#define BAD_REF 1000000u

static domid_t self;

static int map(grant_ref_t ref, domid_t dom, uint32_t flags, uint64_t host, grant_handle_t *handle)
{
    gnttab_map_grant_ref_t op = {.host_addr = host, .flags = flags, .ref = ref, .dom = dom};
    long rc = HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, &op, 1);

    if (handle)
        *handle = op.handle;
    return rc ? (int)rc * 1000 : op.status;
}

static int unmap(uint64_t host, grant_handle_t handle)
{
    gnttab_unmap_grant_ref_t op = {.host_addr = host, .handle = handle};
    long rc = HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &op, 1);

    return rc ? (int)rc * 1000 : op.status;
}

static void map_and_unmap(void)
{
    volatile uint64_t *page = test_page();
    grant_ref_t ref = (grant_ref_t)grant_access(self, virt_to_mfn((void *)(uintptr_t)page), false);
    grant_handle_t handle = 0;
    volatile uint64_t *mapped;
    void *va;

    page[0] = 0x1122334455667788;
    NEED(!grant_map(self, ref, false, &va, &handle));
    mapped = va;
    CHECK_EQ(mapped[0], 0x1122334455667788, "the page is seen through the grant");
    CHECK_EQ(probe_write(&mapped[1], 42, NULL), -1, "and can be written");
    CHECK_EQ(page[1], 42, "by both");
    CHECK(grant_in_use(ref), "the entry says that it is in use");
    CHECK(!grant_end(ref), "and cannot be revoked");
    CHECK(grant_entry(ref)->flags & GTF_writing, "it is used for writing");
    CHECK_EQ(unmap((uint64_t)va + PAGE_SIZE, handle), GNTST_general_error,
             "XSA-224: unmapping at another address is refused");
    CHECK(grant_in_use(ref), "and changes nothing");
    CHECK_EQ(unmap((uint64_t)va, handle), GNTST_okay, "unmapped");
    CHECK_EQ(probe_read(va, NULL), TRAP_PAGE_FAULT, "the mapping is gone");
    CHECK_EQ(unmap((uint64_t)va, handle), GNTST_bad_handle, "XSA-394: once");
    CHECK(!grant_in_use(ref), "the entry is free");

    CHECK_EQ(map(ref, self, GNTMAP_host_map | GNTMAP_readonly, (uint64_t)va, &handle), GNTST_okay,
             "mapped read-only");
    CHECK_EQ(probe_write(va, 1, NULL), TRAP_PAGE_FAULT, "it cannot be written");
    CHECK_EQ(grant_entry(ref)->flags & (GTF_reading | GTF_writing), GTF_reading,
             "used for reading");
    CHECK(!grant_unmap(va, handle), "unmapped again");
    CHECK(grant_end(ref), "the entry can be revoked");
}

static void readonly_grants(void)
{
    void *page = test_page();
    grant_ref_t ref = (grant_ref_t)grant_access(self, virt_to_mfn(page), true);
    unsigned long place = map_area_alloc(1);
    grant_handle_t handle = 0;

    NEED(place && !pt_map(place, 0));
    CHECK_EQ(map(ref, self, GNTMAP_host_map, place, NULL), GNTST_general_error,
             "a read-only grant cannot be mapped writable");
    CHECK(!grant_in_use(ref), "XSA-316: a failed map leaves the entry alone");
    CHECK_EQ(map(ref, self, GNTMAP_host_map | GNTMAP_readonly, place, &handle), GNTST_okay,
             "read-only it can");
    CHECK_EQ(HYPERVISOR_update_va_mapping(place, pte_make(virt_to_mfn(page), PTE_KERNEL_RW),
                                          UVMF_INVLPG),
             0, "the lender's own writable mapping replaces it");
    CHECK_EQ(unmap(place, handle), GNTST_general_error,
             "XSA-234: an entry with other permissions is not the grant's");
    CHECK(grant_in_use(ref), "which is in use still");
    CHECK_EQ(HYPERVISOR_update_va_mapping(place, pte_make(virt_to_mfn(page), PTE_KERNEL_RO),
                                          UVMF_INVLPG),
             0, "with the old permissions back");
    CHECK_EQ(unmap(place, handle), GNTST_okay, "it can be unmapped");
    CHECK(!grant_in_use(ref), "and no reference is left");
    CHECK(grant_end(ref), "revoked");
    page_free(page);
}

static void refusals(void)
{
    void *page = test_page();
    grant_ref_t ref = (grant_ref_t)grant_access(self, virt_to_mfn(page), false);
    grant_ref_t foreign = (grant_ref_t)grant_access(self, 0x100, false);
    grant_ref_t others = (grant_ref_t)grant_access((domid_t)(self + 1), virt_to_mfn(page), false);
    unsigned long place = map_area_alloc(1);
    const pte_t *pte;

    NEED(place && !pt_map(place, 0));
    pte = pt_walk(pt_root, place, 1);
    CHECK(map(BAD_REF, self, GNTMAP_host_map, place, NULL) == GNTST_bad_gntref,
          "a reference past the table");
    CHECK_EQ(map(ref + 100, self, GNTMAP_host_map, place, NULL), GNTST_general_error,
             "an empty entry");
    CHECK_EQ(map(ref, 0x1234, GNTMAP_host_map, place, NULL), GNTST_bad_domain, "no such domain");
    CHECK_EQ(map(others, self, GNTMAP_host_map, place, NULL), GNTST_general_error,
             "a grant for somebody else");
    CHECK(map(foreign, self, GNTMAP_host_map, place, NULL) < 0, "a frame that is not the lender's");
    CHECK_EQ(map(ref, self, 0, place, NULL), GNTST_bad_gntref, "neither host nor device map");
    CHECK(map(ref, self, GNTMAP_host_map, 0xffff830000000000ul, NULL) < 0, "into the hypervisor");
    CHECK(map(ref, self, GNTMAP_host_map, 0x0000800000000000ul, NULL) < 0, "at no address");
    CHECK(map(ref, self, GNTMAP_host_map | GNTMAP_contains_pte, pt_maddr(pte) + 4, NULL) < 0,
          "XSA-227: into the middle of an entry");
    CHECK(map(ref, self, GNTMAP_host_map | GNTMAP_contains_pte, 0x100000, NULL) < 0,
          "into memory that is no page table of ours");
    CHECK(!grant_in_use(ref) && !grant_in_use(others), "XSA-316: none of them left a trace");
    CHECK_EQ(unmap(place, 0xffffffff), GNTST_bad_handle, "a handle that was never given");
    CHECK_EQ(unmap(place, 12345), GNTST_bad_handle, "nor this one");
    CHECK(grant_end(ref) && grant_end(foreign) && grant_end(others), "all revoked");
    page_free(page);
}

static void by_entry_address(void)
{
    void *page = test_page();
    grant_ref_t ref = (grant_ref_t)grant_access(self, virt_to_mfn(page), false);
    unsigned long place = map_area_alloc(1);
    grant_handle_t handle = 0;
    uint64_t maddr;

    NEED(place && !pt_map(place, 0));
    maddr = pt_maddr(pt_walk(pt_root, place, 1));
    CHECK_EQ(map(ref, self, GNTMAP_host_map | GNTMAP_contains_pte, maddr, &handle), GNTST_okay,
             "the entry's machine address names the place as well");
    CHECK_EQ(probe_write((void *)place, 7, NULL), -1, "the page is there");
    CHECK_EQ(*(uint64_t *)page, 7, "it is the page");
    CHECK_EQ(unmap(maddr, handle), GNTST_okay, "unmapped the same way");
    CHECK_EQ(probe_read((void *)place, NULL), TRAP_PAGE_FAULT, "gone");
    CHECK(grant_end(ref), "revoked");
    page_free(page);
}

static int copy(gnttab_copy_t *op)
{
    long rc = HYPERVISOR_grant_table_op(GNTTABOP_copy, op, 1);

    return rc ? (int)rc * 1000 : op->status;
}

static void copying(void)
{
    char *from = test_page(), *to = test_page();
    grant_ref_t ref = (grant_ref_t)grant_access(self, virt_to_mfn(from), true);
    gnttab_copy_t good = {
        .source = {.u.ref = ref, .domid = self, .offset = 16},
        .dest = {.u.gmfn = virt_to_mfn(to), .domid = DOMID_SELF, .offset = 32},
        .len = 100,
        .flags = GNTCOPY_source_gref,
    };
    gnttab_copy_t c = good;

    for (unsigned int i = 0; i < PAGE_SIZE; i++)
        from[i] = (char)(i * 7);
    CHECK_EQ(copy(&c), GNTST_okay, "a copy from a grant to a frame");
    CHECK(!memcmp(from + 16, to + 32, 100) && !to[31] && !to[132],
          "copies those bytes and no others");
    c = good;
    c.len = PAGE_SIZE;
    CHECK_EQ(copy(&c), GNTST_bad_copy_arg, "a copy over the page's end");
    c = good;
    c.dest.offset = 0xffff;
    CHECK_EQ(copy(&c), GNTST_bad_copy_arg, "an offset outside the page");
    c = good;
    c.dest = good.source;
    c.flags = GNTCOPY_source_gref | GNTCOPY_dest_gref;
    CHECK_EQ(copy(&c), GNTST_general_error, "a copy into a read-only grant");
    c = good;
    c.source.u.ref = BAD_REF;
    CHECK_EQ(copy(&c), GNTST_bad_gntref, "a source past the table");
    c = good;
    c.dest.u.gmfn = 0x100;
    CHECK(copy(&c) < 0, "a target frame that is not ours");
    CHECK(!grant_in_use(ref), "the entry is left free");
    CHECK(grant_end(ref), "and can be revoked");
}

static void table_operations(void)
{
    gnttab_query_size_t q = {.dom = DOMID_SELF};
    gnttab_setup_table_t setup = {.dom = DOMID_SELF, .nr_frames = 100000};
    xen_pfn_t frame;

    CHECK_EQ(HYPERVISOR_grant_table_op(GNTTABOP_query_size, &q, 1), 0, "the size can be asked");
    CHECK_EQ(q.status, GNTST_okay, "of one's own table");
    CHECK(q.nr_frames >= GRANT_FRAMES && q.max_nr_frames >= q.nr_frames, "which is plausible");
    set_xen_guest_handle(setup.frame_list, &frame);
    CHECK(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1) < 0 || setup.status < 0,
          "a table larger than the limit is refused");
    setup.nr_frames = 1;
    set_xen_guest_handle(setup.frame_list, (xen_pfn_t *)0xffff830000000000ul);
    CHECK(HYPERVISOR_grant_table_op(GNTTABOP_setup_table, &setup, 1) < 0 || setup.status < 0,
          "a list in the hypervisor's memory is not written");
    q.dom = 0x1234;
    HYPERVISOR_grant_table_op(GNTTABOP_query_size, &q, 1);
    CHECK_EQ(q.status, GNTST_bad_domain, "the size of nobody's table");
    CHECK(HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, (void *)0x10000, 1) == -XEN_EFAULT,
          "arguments in unmapped memory");
    CHECK(HYPERVISOR_grant_table_op(77, &q, 1) == -XEN_ENOSYS, "an unknown operation");
}

void test_main(void)
{
    self = own_domid();
    NEED(self != DOMID_INVALID);
    NEED(!grant_init());
    map_and_unmap();
    readonly_grants();
    refusals();
    by_entry_address();
    copying();
    table_operations();
}
