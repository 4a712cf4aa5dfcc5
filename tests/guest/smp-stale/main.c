/* SPDX-License-Identifier: MIT */
/*
 * Shows: what a vCPU keeps in its TLB of an old, writable mapping does not outlive the page's use.
 *
 * One vCPU writes to a page and then waits without a word to the hypervisor, so that its TLB still
 * knows the page as writable. Another drops the mapping without a flush and gives the page another
 * use: it becomes a page table, or goes back to the hypervisor, which hands it out again. Then the
 * first writes through its old mapping, which must fault.
 *
 * The same of what an entry of the root table maps, while the one returns from the hypervisor by a
 * segment whose descriptor has to be brought in first: that is the last moment on the way out.
 *
 * XSA-241 and its kin, on several CPUs. On one CPU the two never run at once, and it shows nothing.
 */
#include "test.h"

const char test_name[] = "smp-stale";

#define ROUNDS 16u
#define TRIES  64u

static unsigned int phase; /* of the two: odd, the keeper's turn */
static volatile uint64_t *volatile place;
static unsigned int written; /* through the old mapping */

static bool is(unsigned int wanted)
{
    return __atomic_load_n(&phase, __ATOMIC_SEQ_CST) == wanted;
}

static void wait_for(unsigned int wanted)
{
    while (!is(wanted))
        test_rest();
}

static void go(unsigned int next)
{
    __atomic_store_n(&phase, next, __ATOMIC_SEQ_CST);
}

static void touch(void *arg)
{
    *(volatile uint64_t *)arg = 0x5a0; /* not present, should it be an entry */
}

static void keep(void *arg)
{
    struct trap_catch c;

    (void)arg;
    for (unsigned int i = 0; i < 2 * ROUNDS; i++) {
        wait_for(4 * i + 1);
        *place = 0; /* now the TLB knows it as writable */
        go(4 * i + 2);
        while (!is(4 * i + 3))
            cpu_relax();
        if (!trap_catch(&c, touch, (void *)(uintptr_t)place))
            written++;
        go(4 * i + 4);
    }
}

/* The keeper's two turns around what becomes of the page. */
static void turn(unsigned int i, uint64_t *page)
{
    place = page;
    go(4 * i + 1);
    wait_for(4 * i + 2);
}

static void last_turn(unsigned int i)
{
    go(4 * i + 3);
    wait_for(4 * i + 4);
}

static void becomes_a_table(void)
{
    unsigned int tables = 0;

    for (unsigned int i = 0; i < ROUNDS; i++) {
        uint64_t *page = test_page();
        unsigned long va = (unsigned long)page, mfn = virt_to_mfn(page);
        pte_t pte = *pt_walk(pt_root, va, 1);

        turn(i, page);
        NEED(!HYPERVISOR_update_va_mapping(va, 0, 0));
        tables += !test_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0);
        last_turn(i);
        test_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0);
        NEED(!HYPERVISOR_update_va_mapping(va, pte, UVMF_INVLPG | UVMF_ALL));
        page_free(page);
    }
    CHECK_EQ(tables, ROUNDS, "the page can be made a table");
    CHECK_EQ(written, 0, "and not be written by who still knows it as writable");
}

static int reservation(unsigned int cmd, xen_pfn_t *frame)
{
    struct xen_memory_reservation r = {.nr_extents = 1, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, frame);
    return (int)HYPERVISOR_memory_op(cmd, &r);
}

/* Gives the frame back and takes one for the same page, until it is the same again, for which the
 * hypervisor has its own order. The one that it is now; 0: none. */
static xen_pfn_t give_and_take(xen_pfn_t mine, unsigned long pfn)
{
    xen_pfn_t frame = mine;

    for (unsigned int i = 0; i < TRIES && (!i || frame != mine); i++) {
        if (reservation(XENMEM_decrease_reservation, &frame) != 1)
            return 0;
        frame = pfn;
        if (reservation(XENMEM_populate_physmap, &frame) != 1)
            return 0;
    }
    return frame;
}

/* The frame goes to the hypervisor and comes back, or another: in either case it is zeros. */
static void comes_back(void)
{
    unsigned int dirty = 0, same = 0, reached = 0;

    for (unsigned int i = ROUNDS; i < 2 * ROUNDS; i++) {
        uint64_t *page = test_page(), *again;
        unsigned long va = (unsigned long)page, pfn = virt_to_pfn(page);
        pte_t pte = *pt_walk(pt_root, va, 1);
        xen_pfn_t frame;

        written = 0;
        turn(i, page);
        NEED(!HYPERVISOR_update_va_mapping(va, 0, 0));
        frame = give_and_take(pte_mfn(pte), pfn);
        NEED(frame);
        last_turn(i);
        /* What is nobody's may still be written: it is cleared before it is somebody's. */
        if (frame == pte_mfn(pte)) {
            same++;
            reached += written;
        }
        p2m[pfn] = frame;
        again = map_frames(&frame, 1, PTE_KERNEL_RW | PTE_NX);
        NEED(again);
        for (unsigned int w = 0; w < PAGE_SIZE / 8; w++)
            dirty += again[w] != 0;
        unmap_frames(again, 1);
        NEED(!HYPERVISOR_update_va_mapping(va, pte_make(frame, pte & ~PTE_MFN_MASK),
                                           UVMF_INVLPG | UVMF_ALL));
        page_free(page);
    }
    printf("smp-stale: %u of %u frames came back\n", same, ROUNDS);
    CHECK_EQ(reached, 0, "a page that was given back and is somebody's again is not reached");
    CHECK_EQ(dirty, 0, "and what is handed out is zeros");
}

/* ---- an entry of the root goes while another vCPU is on its way out ---- */

#define LEAVES       64u
#define SLOT         9u /* of the root: addresses that only the test uses */
#define THERE        ((unsigned long)SLOT << 39)
#define CODE_SEGMENT 0x00affb000000ffffull /* 64-bit code, DPL 3 */
#define LDT_CODE     0x4ul                 /* its selector, as the kernel's frames have it */

static uint64_t *ldt;
static unsigned int left, reached, still;

/* By the iret hypercall to what follows, in the code segment of the LDT. */
static void leave_by_ldt(void)
{
    __asm__ volatile("mov %%rsp, %%rdx\n\t"
                     "pushq %[ss]\n\t"
                     "pushq %%rdx\n\t"
                     "pushfq\n\t"
                     "pushq %[cs]\n\t"
                     "leaq 1f(%%rip), %%rcx\n\t"
                     "pushq %%rcx\n\t"
                     "pushq $0\n\t"
                     "pushq %%rcx\n\t"
                     "pushq %%r11\n\t"
                     "pushq %%rax\n\t"
                     "movl %[nr], %%eax\n\t"
                     "syscall\n"
                     "1:"
                     :
                     : [ss] "i"(FLAT_KERNEL_SS), [cs] "i"(LDT_CODE), [nr] "i"(__HYPERVISOR_iret)
                     : "rax", "rcx", "rdx", "r11", "memory");
}

static void leaver(void *arg)
{
    (void)arg;
    for (unsigned int i = 0; i < LEAVES; i++) {
        uint16_t cs;

        wait_for(4 * i + 1);
        test_mmuext(MMUEXT_SET_LDT, (unsigned long)ldt, 512);
        reached += probe_read((void *)THERE, NULL) == -1;
        go(4 * i + 2);
        leave_by_ldt();
        while (!is(4 * i + 3))
            cpu_relax();
        still += probe_read((void *)THERE, NULL) == -1;
        __asm__ volatile("mov %%cs, %0" : "=r"(cs));
        left += cs == (LDT_CODE | 3);
        test_iret(__HYPERVISOR_iret, NULL, 0, 0);
        test_mmuext(MMUEXT_SET_LDT, 0, 0);
        go(4 * i + 4);
    }
}

/* Its frame is the writable memory that it was before, for which CPUs flush when it is read again.
 */
static int new_ldt(void)
{
    int rc = test_page_protect(ldt, true);

    ldt[0] = CODE_SEGMENT;
    return rc | test_page_protect(ldt, false);
}

static void upper_entry(void)
{
    uint64_t *content = test_page(), *upper;
    const pte_t *slot = &pt_root[SLOT];
    unsigned int tables = 0;
    pte_t entry;

    ldt = test_page();
    phase = 0;
    NEED(!pt_map_in(pt_root, THERE, pte_make(virt_to_mfn(content), PTE_KERNEL_RO | PTE_NX)));
    entry = *slot;
    upper = pfn_to_virt(mfn_to_pfn(pte_mfn(entry)));
    NEED(!test_mmuext(MMUEXT_PIN_L2_TABLE, pte_mfn(upper[0]), 0));
    while (HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, NULL)) /* the keeper is through */
        test_rest();
    NEED(!smp_start(1, leaver, NULL));
    for (unsigned int i = 0; i < LEAVES; i++) {
        NEED(!new_ldt());
        NEED(!pt_write(slot, entry));
        go(4 * i + 1);
        wait_for(4 * i + 2);
        for (volatile unsigned int wait = i * 8; wait; wait--)
            ;
        NEED(!pt_write(slot, 0));
        tables += !test_page_protect(upper, true); /* a table no more */
        go(4 * i + 3);
        wait_for(4 * i + 4);
        NEED(!test_page_protect(upper, false));
    }
    CHECK_EQ(tables, LEAVES, "what an entry of the root names can be made ordinary memory");
    CHECK_EQ(reached, LEAVES, "what it maps is reached while it is there");
    CHECK_EQ(left, LEAVES, "a vCPU leaves by a segment of an LDT meanwhile");
    CHECK_EQ(still, 0, "and reaches nothing by the entry that went");
}

void test_main(void)
{
    if (test_vcpus() < 2) {
        test_skip("the domain has one vCPU only");
        return;
    }
    NEED(!smp_start(1, keep, NULL));
    becomes_a_table();
    comes_back();
    upper_entry();
}
