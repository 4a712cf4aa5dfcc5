/* SPDX-License-Identifier: MIT */
/*
 * Shows: a domain can give memory back, get memory, and exchange it; the reservation is exact to
 * the page; what is not its own to give stays where it is. (What was in a page is the owner's
 * own to clear before giving it back: that is no check here.)
 *
 * XSA-29 and XSA-212 (exchange with handles into the hypervisor), XSA-31 and XSA-158 (orders
 * without bound), XSA-252 (giving back a page table).
 */
#include "test.h"

const char test_name[] = "memory";

static long reserve(unsigned int cmd, xen_pfn_t *list, unsigned long n, unsigned int order)
{
    struct xen_memory_reservation r = {
        .nr_extents = n,
        .extent_order = order,
        .domid = DOMID_SELF,
    };

    set_xen_guest_handle(r.extent_start, list);
    return HYPERVISOR_memory_op(cmd, &r);
}

static long current_pages(void)
{
    domid_t self = DOMID_SELF;

    return HYPERVISOR_memory_op(XENMEM_current_reservation, &self);
}

/* Gives a page back and gets another in its place. */
static void there_and_back(void)
{
    uint64_t *page = test_page();
    unsigned long va = (unsigned long)page, pfn = virt_to_pfn(page);
    xen_pfn_t frame = p2m[pfn], got;
    long before = current_pages();

    CHECK(before > 0, "the reservation can be asked");
    NEED(!pt_unmap(va));
    CHECK_EQ(reserve(XENMEM_decrease_reservation, &frame, 1, 0), 1, "one page is given back");
    CHECK_EQ(current_pages(), before - 1, "the reservation is one less");
    CHECK(HYPERVISOR_update_va_mapping(va, pte_make(frame, PTE_KERNEL_RW), UVMF_INVLPG) < 0,
          "the page is ours no more");
    CHECK_EQ(reserve(XENMEM_decrease_reservation, &frame, 1, 0), 0, "and cannot be given twice");

    got = pfn;
    CHECK_EQ(reserve(XENMEM_populate_physmap, &got, 1, 0), 1, "a page is got for that place");
    CHECK_EQ(current_pages(), before, "the reservation is what it was");
    p2m[pfn] = got;
    CHECK_EQ(HYPERVISOR_update_va_mapping(va, pte_make(got, PTE_KERNEL_RW), UVMF_INVLPG), 0,
             "it can be mapped");
    CHECK_EQ(((unsigned long *)MACH2PHYS_VIRT_START)[got], pfn, "the m2p knows its place");
    CHECK_EQ(probe_write(page, 1, NULL), -1, "and written");
    CHECK_EQ(reserve(XENMEM_populate_physmap, &got, 1, 0) <= 1, 1, "more is a matter of the limit");
    CHECK(current_pages() <=
              HYPERVISOR_memory_op(XENMEM_maximum_reservation, &(domid_t){DOMID_SELF}),
          "which holds");
    page_free(page);
}

static void exchanging(void)
{
    uint64_t *page = test_page();
    unsigned long va = (unsigned long)page, pfn = virt_to_pfn(page);
    xen_pfn_t in = p2m[pfn], out = pfn;
    struct xen_memory_exchange x = {
        .in = {.nr_extents = 1, .domid = DOMID_SELF},
        .out = {.nr_extents = 1, .domid = DOMID_SELF},
    };
    struct xen_memory_exchange bad;

    set_xen_guest_handle(x.in.extent_start, &in);
    set_xen_guest_handle(x.out.extent_start, &out);
    bad = x;
    bad.out.extent_start = 0xffff830000000000ul;
    CHECK(HYPERVISOR_memory_op(XENMEM_exchange, &bad) < 0, "XSA-29: results into the hypervisor");
    CHECK_EQ(bad.nr_exchanged, 0, "nothing was exchanged");
    bad = x;
    bad.in.extent_start = 0xffff82d040000000ul;
    CHECK(HYPERVISOR_memory_op(XENMEM_exchange, &bad) < 0, "XSA-29: or requests from it");
    bad = x;
    bad.nr_exchanged = 0x100000000000ul;
    CHECK(HYPERVISOR_memory_op(XENMEM_exchange, &bad) < 0, "XSA-212: a start past the end");
    bad = x;
    bad.in.nr_extents = 2;
    CHECK(HYPERVISOR_memory_op(XENMEM_exchange, &bad) < 0, "sides of different size");
    bad = x;
    bad.in.extent_order = bad.out.extent_order = 63;
    CHECK(HYPERVISOR_memory_op(XENMEM_exchange, &bad) < 0, "XSA-31: orders without bound");
    CHECK_EQ(probe_write(page, 1, NULL), -1, "the page is still there");

    NEED(!pt_unmap(va));
    CHECK_EQ(HYPERVISOR_memory_op(XENMEM_exchange, &x), 0, "a page for a page");
    CHECK_EQ(x.nr_exchanged, 1, "one");
    p2m[pfn] = out;
    CHECK_EQ(HYPERVISOR_update_va_mapping(va, pte_make(out, PTE_KERNEL_RW), UVMF_INVLPG), 0,
             "mapped");
    CHECK_EQ(probe_write(page, 1, NULL), -1, "and written");
    CHECK(out != in, "it is another one");
    page_free(page);
}

/* A page table in use must not become somebody else's memory. */
static void page_table_given_back(void)
{
    pte_t *table = test_page();
    unsigned long mfn = virt_to_mfn(table), va = (unsigned long)table;
    xen_pfn_t frame = mfn;

    NEED(!test_page_protect(table, false));
    NEED(!test_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0));
    reserve(XENMEM_decrease_reservation, &frame, 1, 0);
    CHECK(*(volatile pte_t *)table == 0, "XSA-252: the table is as it was");
    CHECK(HYPERVISOR_update_va_mapping(va, pte_make(mfn, PTE_KERNEL_RW), UVMF_INVLPG) < 0,
          "XSA-252: and not writable memory of anybody");
}

static void refusals(void)
{
    xen_pfn_t frame = 0x100;
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = 0x1234};
    domid_t nobody = 0x1234;

    CHECK_EQ(reserve(XENMEM_decrease_reservation, &frame, 1, 0), 0,
             "a foreign frame is not given back");
    CHECK(reserve(XENMEM_increase_reservation, &frame, 1, 60) <= 0,
          "XSA-158: an extent without bound");
    CHECK(reserve(XENMEM_populate_physmap, &frame, 1, 30) <= 0, "nor there");
    CHECK(reserve(XENMEM_decrease_reservation, (xen_pfn_t *)0x10000, 1, 0) <= 0,
          "a list in unmapped memory");
    CHECK(reserve(XENMEM_decrease_reservation, (xen_pfn_t *)0xffff830000000000ul, 1, 0) <= 0,
          "or the hypervisor's");
    CHECK_EQ(reserve(XENMEM_decrease_reservation, &frame, 0, 0), 0, "none is none");
    set_xen_guest_handle(r.extent_start, &frame);
    CHECK(HYPERVISOR_memory_op(XENMEM_populate_physmap, &r) <= 0, "for a domain that is not there");
    CHECK(HYPERVISOR_memory_op(XENMEM_current_reservation, &nobody) < 0, "nor its reservation");
    CHECK_EQ(HYPERVISOR_memory_op(63, &r), -XEN_ENOSYS, "an unknown operation");
    /* ABI: the answer counts the extents done, and none is. */
    CHECK_EITHER(HYPERVISOR_memory_op(XENMEM_populate_physmap, (void *)0x10000), 0, -XEN_EFAULT,
                 "arguments in unmapped memory");
    CHECK_EQ(HYPERVISOR_memory_op(XENMEM_current_reservation, (void *)0x10000), -XEN_EFAULT,
             "the same for an operation without extents");
}

static void facts(void)
{
    struct xen_machphys_mapping map = {0};
    long highest = HYPERVISOR_memory_op(XENMEM_maximum_ram_page, NULL);

    CHECK_EQ(HYPERVISOR_memory_op(XENMEM_machphys_mapping, &map), 0, "where the m2p is");
    CHECK_EQ(map.v_start, MACH2PHYS_VIRT_START, "where the ABI says");
    CHECK(highest > 0 && (unsigned long)highest <= map.max_mfn, "and it covers all memory");
    CHECK(virt_to_mfn(pt_root) <= (unsigned long)highest, "ours included");
}

void test_main(void)
{
    facts();
    there_and_back();
    exchanging();
    page_table_given_back();
    refusals();
}
