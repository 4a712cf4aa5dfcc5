/* SPDX-License-Identifier: MIT */
/*
 * Shows: a guest cannot get a writable mapping of a page table, and the entries of its tables
 * are checked whatever way they are written.
 *
 * The rule is one: a frame is writable memory or a page table, never both. The test makes a
 * page into each and tries to reach it as the other; writes entries that name frames which are
 * not the guest's, or that would be superpages or tables of themselves; and looks whether
 * the count of done updates is right when one in the middle fails.
 *
 * XSA-148 (large page through an L2 entry), XSA-182 (writable self-reference of an L4 table),
 * XSA-279 (INVLPG of a non-canonical address), XSA-113 (MACHPHYS_UPDATE), XSA-23 (empty
 * top-level entries).
 */
#include "test.h"

const char test_name[] = "pagetable";

#define HYPERVISOR_SLOT 256 /* first L4 slot that is the hypervisor's */

static int map_writable(void *page)
{
    return test_page_protect(page, true);
}

static void one_frame_one_use(void)
{
    pte_t *table = test_page();
    unsigned long mfn = virt_to_mfn(table);
    uint64_t error = 0;

    CHECK_EQ(test_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), -XEN_EINVAL,
             "a page that is mapped writable cannot become a table");
    CHECK_EQ(test_page_protect(table, false), 0, "a page can be made read-only");
    CHECK_EQ(probe_write(table, 1, &error), TRAP_PAGE_FAULT, "then it cannot be written");
    CHECK_EQ(error, 3, "the fault is a protection violation on a write");
    CHECK_EQ(test_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), 0, "a read-only page can become a table");
    CHECK_EQ(map_writable(table), -XEN_EBUSY, "a table cannot be mapped writable");
    CHECK_EQ(test_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0), -XEN_EINVAL, "it cannot be pinned twice");
    CHECK_EQ(test_mmuext(MMUEXT_PIN_L2_TABLE, mfn, 0), -XEN_EINVAL, "nor as another level");
    CHECK_EQ(test_mmuext(MMUEXT_NEW_BASEPTR, mfn, 0), -XEN_EINVAL, "nor be a root");
    CHECK_EQ(pt_write(table, pte_make(mfn, PTE_KERNEL_RW)), -XEN_EBUSY,
             "a table cannot map itself writable");
    CHECK_EQ(pt_write(table, pte_make(mfn, PTE_KERNEL_RO)), 0, "but read-only it can");
    CHECK_EQ(pt_write(table, pte_make(mfn, PTE_KERNEL_RW)), -XEN_EBUSY,
             "and turning that entry writable is refused (the fast path too)");
    CHECK_EQ(pt_write(table, 0), 0, "the entry can be cleared");
    CHECK_EQ(test_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0, "a pinned table can be unpinned");
    CHECK_EQ(test_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), -XEN_EINVAL, "once");
    CHECK_EQ(map_writable(table), 0, "then the page is ordinary memory");
    page_free(table);
}

static void frames_of_others(void)
{
    unsigned long va = (unsigned long)test_page();
    uint64_t pte = *pt_walk(pt_root, va, 1);
    domid_t bad = DOMID_INVALID;
    mmu_update_t req = {.ptr = pt_maddr(pt_walk(pt_root, va, 1)), .val = pte};

    CHECK_EQ(HYPERVISOR_update_va_mapping(va, pte_make(0xfffffffff, PTE_KERNEL_RW), 0), -XEN_EPERM,
             "a frame beyond all memory is I/O space, for which one needs permission");
    CHECK(HYPERVISOR_update_va_mapping(va, pte_make(0x100, PTE_KERNEL_RO), 0) < 0,
          "a frame that is not the domain's cannot be mapped");
    CHECK_EQ(HYPERVISOR_mmu_update(&req, 1, NULL, bad), -XEN_ESRCH, "no such domain");
    CHECK_EQ(HYPERVISOR_update_va_mapping(va, pte, 0), 0, "the old entry can be written again");
    CHECK_EQ(HYPERVISOR_update_va_mapping(va, pte | PTE_AVAIL, UVMF_INVLPG), 0,
             "the bits that software owns may be used");
    CHECK_EQ(*pt_walk(pt_root, va, 1) & PTE_AVAIL, PTE_AVAIL, "and are kept");
    CHECK_EQ(HYPERVISOR_update_va_mapping(va, pte, UVMF_INVLPG), 0, "restored");
    page_free((void *)va);
}

static void addresses(void)
{
    unsigned long va = (unsigned long)test_page();
    pte_t pte = *pt_walk(pt_root, va, 1);

    CHECK(HYPERVISOR_update_va_mapping(0x0000800000000000ul, pte, UVMF_INVLPG | UVMF_ALL) < 0,
          "XSA-279: a non-canonical address has no entry");
    CHECK(HYPERVISOR_update_va_mapping(0xffff830000000000ul, pte, UVMF_INVLPG) < 0,
          "the hypervisor's addresses have no entry for us");
    test_mmuext(MMUEXT_INVLPG_LOCAL, 0x0000800000000000ul, 0);
    test_mmuext(MMUEXT_INVLPG_ALL, 0x0000800000000000ul, 0);
    CHECK(HYPERVISOR_xen_version(XENVER_version, NULL) > 0,
          "flushing a non-canonical address does no harm");
    page_free((void *)va);
}

static void superpages(void)
{
    unsigned long va = MAP_BASE;
    const pte_t *l2e, *l3e;
    pte_t old;

    NEED(!pt_map(va, 0)); /* makes the tables */
    l2e = pt_walk(pt_root, va, 2);
    l3e = pt_walk(pt_root, va, 3);
    old = *l2e;
    CHECK_EQ(pt_write(l2e, (old & PTE_MFN_MASK) | PTE_KERNEL_RW | PTE_USER | PTE_PSE), -XEN_EINVAL,
             "XSA-148: an L2 entry cannot become a large page");
    CHECK_EQ(pt_write(l2e, old | PTE_PSE), -XEN_EINVAL, "nor by setting the one bit");
    CHECK_EQ(*l2e, old, "and is as it was");
    CHECK_EQ(pt_write(l3e, *l3e | PTE_PSE), -XEN_EINVAL, "an L3 entry neither");
    CHECK_EQ(pt_write(l2e + 1, pte_make(0x100, PTE_TABLE)), -XEN_EINVAL,
             "a frame that is not ours is no table");
    CHECK_EQ(pt_write(l2e + 1, pte_make(virt_to_mfn(pt_root), PTE_TABLE)), -XEN_EINVAL,
             "an L4 table is no L1 table");
}

static void top_level(void)
{
    pte_t *root = test_page();
    const pte_t *own = pt_root;
    unsigned long mfn = virt_to_mfn(root);
    pte_t old = own[HYPERVISOR_SLOT];

    CHECK(pt_write(&own[HYPERVISOR_SLOT], 0) < 0, "the hypervisor's slots cannot be cleared");
    CHECK(pt_write(&own[HYPERVISOR_SLOT + 5], own[511]) < 0, "nor written");
    CHECK_EQ(own[HYPERVISOR_SLOT], old, "and are as they were");
    CHECK(pt_write(&own[300], pte_make(virt_to_mfn(pt_root), PTE_TABLE)) < 0,
          "XSA-182: a root cannot refer to itself with write permission");
    if (!pt_write(&own[300], pte_make(virt_to_mfn(pt_root), PTE_TABLE & ~PTE_RW))) {
        CHECK(pt_write(&own[300], pte_make(virt_to_mfn(pt_root), PTE_TABLE)) < 0,
              "XSA-182: nor get it later");
        CHECK_EQ(pt_write(&own[300], 0), 0, "a read-only one can be removed");
    }
    NEED(!test_page_protect(root, false));
    CHECK_EQ(test_mmuext(MMUEXT_PIN_L4_TABLE, mfn, 0), 0, "an empty root can be pinned");
    CHECK_EQ(map_writable(root), -XEN_EBUSY, "and is a table");
    CHECK_EQ(test_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0, "XSA-23: and unpinned");
    CHECK_EQ(map_writable(root), 0, "and is ordinary again");
    page_free(root);
}

static void batches(void)
{
    unsigned long va = (unsigned long)test_page();
    const pte_t *pte = pt_walk(pt_root, va, 1);
    pte_t value = *pte;
    mmu_update_t req[4];
    unsigned int done = 99;

    for (unsigned int i = 0; i < ARRAY_SIZE(req); i++) {
        req[i].ptr = pt_maddr(pte) | MMU_NORMAL_PT_UPDATE;
        req[i].val = i % 2 ? value : value & ~PTE_RW;
    }
    CHECK_EQ(HYPERVISOR_mmu_update(req, 4, &done, DOMID_SELF), 0, "four updates");
    CHECK_EQ(done, 4, "are four");
    req[2].val = pte_make(0xfffffffff, PTE_KERNEL_RW);
    CHECK(HYPERVISOR_mmu_update(req, 4, &done, DOMID_SELF) < 0, "a bad third one fails");
    CHECK_EQ(done, 2, "after two");
    CHECK_EQ(*pte, value, "the second one's value stays");
    CHECK_EQ(HYPERVISOR_mmu_update(req, 0, &done, DOMID_SELF), 0, "none is fine");
    req[0].ptr = pt_maddr(pte) | 4;
    CHECK(HYPERVISOR_mmu_update(req, 1, &done, DOMID_SELF) < 0, "a misaligned entry is refused");
    CHECK_EQ(HYPERVISOR_mmu_update((void *)0x10000, 1, NULL, DOMID_SELF), -XEN_EFAULT,
             "requests in unmapped memory");
    page_free((void *)va);
}

/* The last words there are, and the first. Of a list that goes on from those to these nothing is
 * done; Xen begins it, and would go on. */
static void list_past_the_end(void)
{
    unsigned long *target = test_page();
    void *page = test_page();
    unsigned long frame = virt_to_mfn(target), last = -PAGE_SIZE;
    mmuext_op_t *ops = (mmuext_op_t *)-sizeof(*ops);
    bool on_parvis = test_on_parvis();

    NEED(!pt_map(last, pte_make(virt_to_mfn(page), PTE_KERNEL_RW | PTE_NX)));
    NEED(!on_parvis || !pt_map(0, pte_make(virt_to_mfn(page), PTE_KERNEL_RW | PTE_NX)));
    *ops = (mmuext_op_t){.cmd = MMUEXT_CLEAR_PAGE, .arg1.mfn = frame};
    *target = 1;
    NEED(!test_page_protect(target, false));
    CHECK_EQ(HYPERVISOR_mmuext_op(ops, 2, NULL, DOMID_SELF), -XEN_EFAULT, "a list without an end");
    CHECK_EQ(*target, on_parvis, "is not begun");
    CHECK_EQ(HYPERVISOR_mmuext_op(ops, 1, NULL, DOMID_SELF), 0, "its first operation alone");
    CHECK_EQ(*target, 0, "is done");
    if (on_parvis) {
        *(uint64_t *)((char *)page + PAGE_SIZE - sizeof(uint64_t)) = MMUEXT_TLB_FLUSH_LOCAL;
        CHECK_EQ(HYPERVISOR_mmuext_op((void *)-sizeof(uint64_t), 1, NULL, DOMID_SELF), -XEN_EFAULT,
                 "an operation that goes on there");
    }
    NEED(!test_page_protect(target, true));
    NEED(!pt_unmap(last));
    NEED(!on_parvis || !pt_unmap(0));
    page_free(target);
    page_free(page);
}

static void kept_bits(void)
{
    volatile char *page = test_page();
    const pte_t *pte = pt_walk(pt_root, (unsigned long)page, 1);
    mmu_update_t req = {.ptr = pt_maddr(pte) | MMU_PT_UPDATE_PRESERVE_AD};

    page[0] = 1; /* accessed and dirty are set */
    CHECK_EQ(*pte & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED | PTE_DIRTY, "the processor marks it");
    req.val = *pte & ~(PTE_RW | PTE_ACCESSED | PTE_DIRTY);
    CHECK_EQ(HYPERVISOR_mmu_update(&req, 1, NULL, DOMID_SELF), 0, "PRESERVE_AD is offered");
    CHECK_EQ(*pte & (PTE_RW | PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED | PTE_DIRTY,
             "it keeps the marks and changes the rest");
    NEED(!test_page_protect((void *)(uintptr_t)page, true));
    page_free((void *)(uintptr_t)page);
}

static void machine_to_physical(void)
{
    unsigned long mfn = virt_to_mfn(test_page());
    const unsigned long *m2p = (const unsigned long *)MACH2PHYS_VIRT_START;
    unsigned long pfn = m2p[mfn];
    mmu_update_t req = {.ptr = ((uint64_t)mfn << PAGE_SHIFT) | MMU_MACHPHYS_UPDATE, .val = 0x1234};

    CHECK_EQ(HYPERVISOR_mmu_update(&req, 1, NULL, DOMID_SELF), 0, "our own entry can be set");
    CHECK_EQ(m2p[mfn], 0x1234, "and reads back");
    req.val = pfn;
    CHECK_EQ(HYPERVISOR_mmu_update(&req, 1, NULL, DOMID_SELF), 0, "and is restored");
    req.ptr = (0x100ul << PAGE_SHIFT) | MMU_MACHPHYS_UPDATE;
    CHECK(HYPERVISOR_mmu_update(&req, 1, NULL, DOMID_SELF) < 0, "that of a foreign frame cannot");
    CHECK_EQ(probe_write((void *)(uintptr_t)m2p, 0, NULL), TRAP_PAGE_FAULT,
             "the table itself is read-only");
}

static void emulated_writes(void)
{
    unsigned long va = (unsigned long)test_page();
    volatile pte_t *pte = (volatile pte_t *)pt_walk(pt_root, va, 1);
    pte_t value = *pte;

    CHECK_EQ(probe_write(pte, value, NULL), TRAP_PAGE_FAULT, "a store to a table faults");
    NEED(!HYPERVISOR_vm_assist(VMASST_CMD_enable, VMASST_TYPE_writable_pagetables));
    CHECK_EQ(probe_write(pte, value & ~PTE_RW, NULL), -1, "unless the assist carries it out");
    CHECK_EQ(*pte & ~(PTE_ACCESSED | PTE_DIRTY), value & ~(PTE_RW | PTE_ACCESSED | PTE_DIRTY),
             "which has the effect of a store");
    CHECK_EQ(probe_write(pte, pte_make(virt_to_mfn(pt_root), PTE_KERNEL_RW), NULL), TRAP_PAGE_FAULT,
             "and checks as mmu_update does");
    CHECK_EQ(probe_write(pte, value, NULL), -1, "the entry can be restored by a store");
    CHECK_EQ(HYPERVISOR_vm_assist(VMASST_CMD_disable, VMASST_TYPE_writable_pagetables), 0,
             "the assist can be turned off");
    CHECK_EQ(probe_write(pte, value, NULL), TRAP_PAGE_FAULT, "and stores fault again");
    page_free((void *)va);
}

void test_main(void)
{
    one_frame_one_use();
    frames_of_others();
    addresses();
    superpages();
    top_level();
    batches();
    list_past_the_end();
    kept_bits();
    machine_to_physical();
    emulated_writes();
}
