/* SPDX-License-Identifier: MIT */
/*
 * mmu_update and update_va_mapping: what changes, what is refused with which error, how much is
 * said to be done.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pv_mm_support.h"

#include <core/base/log.h>
#include <core/frame/m2p.h>
#include <string.h>
#include <sys/mman.h>
#include <xen/errno.h>
#include <xen/memory.h>

#define REQS HOST_GUEST_BASE
#define DONE (HOST_GUEST_BASE + 0x8000)

static struct mm_guest g, control;

static int setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init(&control, 0, true);
    mm_guest_init(&g, 1, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mm_fini();
    return 0;
}

static uint64_t l1e(unsigned int i)
{
    return mm_words(&g, MM_L1)[i];
}

static void write_protect_and_back(void **state)
{
    uint64_t rw = mm_pte(g.frame[MM_SPARE], MM_RW), ro = mm_pte(g.frame[MM_SPARE], MM_RO);

    (void)state;
    assert_int_equal(mm_type_count(&g, MM_SPARE), 1);
    assert_int_equal(mm_update_va(&g, mm_va(MM_SPARE), ro, UVMF_INVLPG | UVMF_LOCAL), 0);
    assert_int_equal(mm_type_count(&g, MM_SPARE), 0);
    assert_int_equal(mm_refs(&g, MM_SPARE), 2);
    assert_int_equal(mm_update_va(&g, mm_va(MM_SPARE), rw, UVMF_INVLPG | UVMF_ALL), 0);
    assert_int_equal(mm_type_count(&g, MM_SPARE), 1);
    assert_int_equal(mm_refs(&g, MM_SPARE), 2);
    assert_int_equal(mm_update_va(&g, mm_va(MM_SPARE), 0, UVMF_TLB_FLUSH | UVMF_LOCAL), 0);
    assert_int_equal(mm_refs(&g, MM_SPARE), 1);
    assert_int_equal(l1e(MM_SPARE), 0);
}

/* Bits that are not present do not matter, and are kept as written: swap entries. */
static void absent_entries_are_the_guests(void **state)
{
    (void)state;
    assert_int_equal(mm_update_va(&g, mm_va(200), 0x7ffffffffffffffeull, 0), 0);
    assert_int_equal(l1e(200), 0x7ffffffffffffffeull);
}

static void flush_masks(void **state)
{
    uint64_t *mask = host_guest(DONE);
    uint64_t rw = mm_pte(g.frame[MM_SPARE], MM_RW);

    (void)state;
    *mask = 1;
    assert_int_equal(mm_update_va(&g, mm_va(MM_SPARE), rw, UVMF_TLB_FLUSH | DONE), 0);
    *mask = ~0ull;
    assert_int_equal(mm_update_va(&g, mm_va(MM_SPARE), rw, UVMF_INVLPG | DONE), 0);
    assert_int_equal(mm_update_va(&g, mm_va(MM_SPARE), rw, UVMF_INVLPG | 0x8000), -XEN_EFAULT);
    assert_int_equal(mm_ext(&g, MMUEXT_TLB_FLUSH_MULTI, 0, DONE), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_INVLPG_MULTI, mm_va(1), DONE), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_INVLPG_MULTI, mm_va(1), 0x8000), -XEN_EINVAL);
    /* XSA-279: addresses that cannot be the guest's are not flushed, and no error */
    assert_int_equal(mm_ext(&g, MMUEXT_INVLPG_LOCAL, 0x8000000000000000ull, 0), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_INVLPG_ALL, 0xffff830000000000ull, 0), 0);
}

/* What the vCPU's CPU takes the address for. */
static mfn_t known(struct vcpu *v, gva_t va)
{
    mfn_t mfn = INVALID_MFN;

    host_run_as(v);
    (void)host_tlb_lookup(va, false, &mfn);
    return mfn;
}

/* A set of vCPUs: who is in it forgets, who is not keeps what it knows; vCPUs that there are not do
 * not count. */
static void flush_sets(void **state)
{
    static const struct {
        uint64_t set;
        bool first, second; /* forgets */
    } rows[] = {{0, false, false}, {~3ull, false, false}, {1, true, false},
                {2, false, true},  {3, true, true},       {~0ull, true, true}};
    const gva_t va = mm_va(MM_SPARE);
    static struct mm_guest pair;
    uint64_t *mask = host_guest(DONE);

    (void)state;
    mm_guest_init_vcpus(&pair, 2, false, 2);
    pair.v = pair.d->vcpu[1];
    host_run_as(pair.v);
    assert_int_equal(mm_ext(&pair, MMUEXT_NEW_BASEPTR, pair.frame[MM_L4].n, 0), 0);
    pair.v = pair.d->vcpu[0];
    for (unsigned int i = 0; i < 4 * ARRAY_SIZE(rows); i++) {
        bool one = i & 1, multi = i & 2;
        const mfn_t was = pair.frame[MM_SPARE + i % 2], is = pair.frame[MM_SPARE + 1 - i % 2];

        assert_int_equal(mm_update_va(&pair, va, mm_pte(was, MM_RW), UVMF_TLB_FLUSH | UVMF_ALL), 0);
        assert_int_equal(known(pair.d->vcpu[1], va).n, was.n);
        *mask = rows[i / 4].set;
        mm_recount = false; /* its memory comes from the heap, which flushes */
        if (multi) {
            assert_int_equal(mm_update_va(&pair, va, mm_pte(is, MM_RW), 0), 0);
            assert_int_equal(mm_ext(&pair, one ? MMUEXT_INVLPG_MULTI : MMUEXT_TLB_FLUSH_MULTI,
                                    one ? va : 0, DONE),
                             0);
        } else {
            assert_int_equal(mm_update_va(&pair, va, mm_pte(is, MM_RW),
                                          (one ? UVMF_INVLPG : UVMF_TLB_FLUSH) | DONE),
                             0);
        }
        mm_recount = true;
        assert_int_equal(known(pair.d->vcpu[0], va).n, (rows[i / 4].first ? is : was).n);
        assert_int_equal(known(pair.d->vcpu[1], va).n, (rows[i / 4].second ? is : was).n);
    }
    mm_guest_gone(&pair);
}

static void no_such_entry(void **state)
{
    (void)state;
    assert_int_equal(mm_update_va(&g, 0, 0, 0), -XEN_EINVAL);
    assert_int_equal(mm_update_va(&g, 0x0000900000000000ull, 0, 0), -XEN_EINVAL);
    assert_int_equal(mm_update_va(&g, 0xffff830000000000ull, 0, 0), -XEN_EINVAL);
    assert_int_equal(mm_update_va(&g, mm_va(512), 0, 0), -XEN_EINVAL);
}

static void batch_stops_at_the_first_error(void **state)
{
    struct mmu_update *req = host_guest(REQS);
    uint32_t *done = host_guest(DONE);

    (void)state;
    for (unsigned int i = 0; i < 100; i++)
        req[i] = (struct mmu_update){.ptr = mm_entry_addr(&g, MM_L1, 100 + i),
                                     .val = mm_pte(g.frame[MM_SPARE + i % 40], MM_RW)};
    req[70].val = mm_pte(g.frame[MM_L4], MM_RW);
    assert_int_equal(mm_call(&g, __HYPERVISOR_mmu_update, REQS, 100, DONE, DOMID_SELF), -XEN_EBUSY);
    assert_int_equal(*done, 70);
    assert_int_not_equal(l1e(169), 0);
    assert_int_equal(l1e(170), 0);
    req[70].val = 0;
    mm_preempt = true;
    assert_int_equal(mm_call(&g, __HYPERVISOR_mmu_update, REQS, 100, DONE, DOMID_SELF), 0);
    assert_true(mm_issues > 1);
    assert_int_equal(*done, 100);
    assert_int_not_equal(l1e(199), 0);
}

/* The list may end where memory ends: what can be read is done. XSA-29, 212: ranges in the
 * hypervisor's are refused at once. */
static void unreadable_list(void **state)
{
    struct mmu_update *req = host_guest(REQS);
    uint32_t *done = host_guest(DONE);

    (void)state;
    for (unsigned int i = 0; i < 10; i++)
        req[i] = (struct mmu_update){.ptr = mm_entry_addr(&g, MM_L1, 100 + i)};
    host_fault = REQS + 5 * sizeof(*req);
    host_fault_end = host_fault + 4096;
    assert_int_equal(mm_call(&g, __HYPERVISOR_mmu_update, REQS, 10, DONE, DOMID_SELF), -XEN_EFAULT);
    assert_int_equal(*done, 5);
    host_fault = host_fault_end = 0;
    assert_int_equal(mm_call(&g, __HYPERVISOR_mmu_update, 0xffff830000000000ull, 1, 0, DOMID_SELF),
                     -XEN_EFAULT);
    assert_int_equal(mm_call(&g, __HYPERVISOR_mmu_update, ~15ull, 0x7fffffff, 0, DOMID_SELF),
                     -XEN_EFAULT);
    assert_int_equal(mm_call(&g, __HYPERVISOR_mmuext_op, 0xffff830000000000ull, 1, 0, DOMID_SELF),
                     -XEN_EFAULT);
    assert_int_equal(mm_call(&g, __HYPERVISOR_mmu_update, REQS, 0, 0, DOMID_SELF), 0);
}

/* What a guest makes the hypervisor say pushes nothing out of the log, however often it is said. */
static void a_count_without_a_place(void **state)
{
    static char text[70000];
    uint32_t pos = 0;
    size_t n;

    (void)state;
    log_info("something important");
    mm_recount = false;
    host_fault = DONE;
    host_fault_end = DONE + sizeof(uint32_t);
    for (unsigned int i = 0; i < 1000; i++) {
        assert_int_equal(mm_call(&g, __HYPERVISOR_mmu_update, REQS, 0, DONE, DOMID_SELF), 0);
        assert_int_equal(mm_call(&g, __HYPERVISOR_mmuext_op, REQS, 0, DONE, DOMID_SELF), 0);
    }
    host_fault = host_fault_end = 0;
    n = log_read(text, sizeof(text) - 1, &pos);
    text[n] = 0;
    assert_non_null(strstr(text, "mmu_update cannot report"));
    assert_non_null(strstr(text, "mmuext_op cannot report"));
    assert_non_null(strstr(text, "something important"));
}

static void unknown_commands(void **state)
{
    (void)state;
    for (unsigned int cmd = 4; cmd < 8; cmd++)
        assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L1, 100) | cmd, 0), -XEN_ENOSYS);
    assert_int_equal(mm_update(&g, ~7ull, 0), -XEN_EINVAL);
    assert_int_equal(mm_update(&g, 0, 0), -XEN_EINVAL);
    for (unsigned int cmd = 21; cmd < 40; cmd++)
        assert_int_equal(mm_ext(&g, cmd, 0, 0), -XEN_ENOSYS);
    assert_int_equal(mm_ext(&g, 14, 0, 0), -XEN_ENOSYS);
    assert_int_equal(mm_ext(&g, ~0u, 0, 0), -XEN_ENOSYS);
}

static void preserve_accessed_and_dirty(void **state)
{
    uint64_t clean = mm_pte(g.frame[MM_SPARE], PTE_PRESENT | PTE_RW | PTE_USER);
    uint64_t at = mm_entry_addr(&g, MM_L1, MM_SPARE);

    (void)state;
    assert_int_equal(mm_update(&g, at | MMU_PT_UPDATE_PRESERVE_AD, clean), 0);
    assert_int_equal(l1e(MM_SPARE) & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED | PTE_DIRTY);
    assert_int_equal(mm_update(&g, at | MMU_PT_UPDATE_NO_TRANSLATE, clean), 0);
    assert_int_equal(l1e(MM_SPARE) & (PTE_ACCESSED | PTE_DIRTY), 0);
    assert_int_equal(mm_update(&g, at, PTE_ACCESSED), 0); /* in an entry that is absent, too */
    assert_int_equal(mm_update(&g, at | MMU_PT_UPDATE_PRESERVE_AD, clean & ~PTE_RW), 0);
    assert_int_equal(l1e(MM_SPARE) & (PTE_ACCESSED | PTE_DIRTY), PTE_ACCESSED);
}

static void machine_to_frame(void **state)
{
    uint64_t at = g.frame[MM_SPARE].n << PAGE_SHIFT | MMU_MACHPHYS_UPDATE;
    uint64_t refs = mm_refs(&g, MM_SPARE);

    (void)state;
    assert_int_equal(mm_update(&g, at, 1234), 0);
    assert_int_equal(machine_to_phys[g.frame[MM_SPARE].n], 1234);
    assert_int_equal(mm_refs(&g, MM_SPARE), refs); /* XSA-113 */
    assert_int_equal(
        mm_update(&g, control.frame[MM_SPARE].n << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 1),
        -XEN_EINVAL);
    assert_int_equal(mm_update(&g, 1ull << 50 | MMU_MACHPHYS_UPDATE, 1), -XEN_EINVAL);
    assert_int_equal(mm_update_foreign(&control, at, 77, 1), 0);
    assert_int_equal(machine_to_phys[g.frame[MM_SPARE].n], 77);
    assert_int_equal(mm_update_foreign(&control, at, 77, 1 | 2u << 16), -XEN_EPERM);
}

/* A frame that is no table is written as it stands; not another's, not one that only may be read.
 */
static void plain_memory(void **state)
{
    (void)state;
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_SPARE, 9), 0x1234567890abcdefull), 0);
    assert_int_equal(mm_words(&g, MM_SPARE)[9], 0x1234567890abcdefull);
    assert_int_equal(mm_update(&g, mm_entry_addr(&control, MM_SPARE, 9), 1), -XEN_EINVAL);
    assert_int_equal(mm_update(&g, mm_entry_addr(&control, MM_L1, 9), 0), -XEN_EINVAL);
    assert_int_equal(mm_update(&g, frame_of(g.d->arch.pv.perdomain_l3).n << PAGE_SHIFT, 1),
                     -XEN_EINVAL);
}

static void foreign_domains(void **state)
{
    uint64_t at = mm_entry_addr(&control, MM_L1, 100), e = mm_pte(g.frame[MM_SPARE], MM_RW);

    (void)state;
    /* who may name whom */
    assert_int_equal(mm_update_foreign(&g, mm_entry_addr(&g, MM_L1, 100), 0, 0), -XEN_EPERM);
    assert_int_equal(mm_update_foreign(&g, mm_entry_addr(&g, MM_L1, 100), 0, 1), -XEN_ESRCH);
    assert_int_equal(mm_update_foreign(&g, mm_entry_addr(&g, MM_L1, 100), 0, 99), -XEN_ESRCH);
    assert_int_equal(mm_update_foreign(&g, mm_entry_addr(&g, MM_L1, 100), 0, DOMID_XEN),
                     -XEN_EPERM);
    assert_int_equal(mm_update_foreign(&g, mm_entry_addr(&g, MM_L1, 100), 0, DOMID_INVALID),
                     -XEN_ESRCH);
    assert_int_equal(mm_update_foreign(&g, mm_entry_addr(&g, MM_L1, 100), 0, DOMID_SELF | 1u << 16),
                     -XEN_EPERM);
    assert_int_equal(mm_ext_foreign(&g, MMUEXT_PIN_L1_TABLE, 0, 0, DOMID_IO), -XEN_EPERM);
    /* the control domain maps a frame of the guest, which then cannot become a table */
    assert_int_equal(mm_update(&control, at, e), -XEN_EBUSY);
    assert_int_equal(mm_update_foreign(&control, at, e, 1), 0);
    assert_int_equal(mm_update_va(&g, mm_va(MM_SPARE), mm_pte(g.frame[MM_SPARE], MM_RO), 0), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), -XEN_EINVAL);
    assert_int_equal(mm_update(&control, at, 0), 0);
    /* a foreign frame is mapped, never walked (XSA-109, 217) */
    assert_int_equal(mm_update_foreign(&control, mm_entry_addr(&control, MM_L2, 100),
                                       mm_pte(g.frame[MM_L1], MM_RW), 1),
                     -XEN_EINVAL);
    assert_int_equal(mm_update_foreign(&control, mm_entry_addr(&control, MM_L2, 100),
                                       mm_pte(control.frame[MM_L1], MM_RW), 1),
                     -XEN_EINVAL);
    assert_int_equal(
        mm_update(&control, mm_entry_addr(&control, MM_L2, 100), mm_pte(g.frame[MM_L1], MM_RW)),
        -XEN_EINVAL);
    /* the tables of another */
    assert_int_equal(mm_update_foreign(&control, mm_entry_addr(&g, MM_L1, 100),
                                       mm_pte(g.frame[MM_SPARE + 1], MM_RW), 1 | 2u << 16),
                     0);
    assert_int_equal(mm_call(&control, __HYPERVISOR_update_va_mapping_otherdomain, mm_va(101),
                             mm_pte(g.frame[MM_SPARE + 2], MM_RO), 0, 1),
                     0);
    assert_int_equal(mm_call(&g, __HYPERVISOR_update_va_mapping_otherdomain, mm_va(101), 0, 0, 0),
                     -XEN_EPERM);
}

/* What a guest tries with the frame of another's: refused. */
static void try_frame(uint64_t mfn)
{
    struct xen_memory_reservation r = {.extent_start = DONE, .nr_extents = 1, .domid = DOMID_SELF};

    assert_int_equal(mm_update(&g, mfn << PAGE_SHIFT, 0), -XEN_EINVAL);
    assert_int_equal(mm_update(&g, mfn << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, 0), -XEN_EINVAL);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, mfn, 0), -XEN_EINVAL);
    assert_int_equal(mm_ext(&g, MMUEXT_NEW_BASEPTR, mfn, 0), -XEN_EINVAL);
    assert_int_equal(mm_call(&g, __HYPERVISOR_update_descriptor, mfn << PAGE_SHIFT, 0, 0, 0),
                     -XEN_EINVAL);
    *(uint64_t *)host_guest(DONE) = mfn;
    memcpy(host_guest(REQS), &r, sizeof(r));
    assert_int_equal(mm_call(&g, __HYPERVISOR_memory_op, XENMEM_decrease_reservation, REQS, 0, 0),
                     0);
}

/* Whoever names frames of others changes nothing there, not for a moment, nor waits for who has
 * them: their tables would be locked, and their frames have a reference that they do not expect.
 * Here nothing of any frame can be written, and the table is locked. */
static void frames_of_others(void **state)
{
    size_t size = (max_mfn + 1) * sizeof(*frame_table);
    struct page_info *table = frame_table;
    struct page_info *sealed =
        mmap(NULL, size, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);

    (void)state;
    assert_true(sealed != MAP_FAILED);
    memcpy(sealed, table, size);
    sealed[control.frame[MM_L1].n].type_info |= PGT_locked;
    frame_table = sealed;
    mprotect(sealed, size, PROT_READ);
    mm_recount = false;
    try_frame(control.frame[MM_L1].n);
    try_frame(control.frame[MM_SPARE].n);
    frame_table = table;
    munmap(sealed, size);
}

/* The frame outlives its domain as long as it is mapped, and comes back when it is unmapped. */
static void zombie(void **state)
{
    static struct mm_guest other;
    uint64_t at = mm_entry_addr(&control, MM_L1, 100), before;

    (void)state;
    before = heap_free_frames();
    mm_guest_init(&other, 2, false);
    assert_int_equal(mm_update_foreign(&control, at, mm_pte(other.frame[MM_SPARE], MM_RW), 2), 0);
    mm_guest_gone(&other);
    assert_int_equal(host_recount(), 0);
    assert_true(heap_free_frames() < before);
    assert_int_equal(mm_update(&control, at, 0), 0);
    assert_int_equal(heap_free_frames(), before);
}

static void device_memory(void **state)
{
    uint64_t at = mm_entry_addr(&control, MM_L1, 100);

    (void)state;
    assert_int_equal(mm_update_va(&g, mm_va(100), mm_pte(MFN(9), MM_RW), 0), -XEN_EPERM);
    assert_int_equal(mm_update_va(&g, mm_va(100), mm_pte(MFN(PTE_FRAME_MASK >> 12), MM_RW), 0),
                     -XEN_EINVAL);
    assert_int_equal(
        mm_update_foreign(&g, mm_entry_addr(&g, MM_L1, 100), mm_pte(MFN(9), MM_RW), DOMID_IO),
        -XEN_EPERM);
    assert_int_equal(mm_update_foreign(&control, at, mm_pte(MFN(9), MM_RW), DOMID_IO), 0);
    /* XSA-154: not cached */
    assert_int_equal(mm_words(&control, MM_L1)[100] & PTE_CACHE, PTE_PCD | PTE_PWT);
    assert_int_equal(mm_update(&control, at, mm_pte(MFN(10), MM_RW | PTE_PAT | PTE_PWT)), 0);
    assert_int_equal(mm_words(&control, MM_L1)[100] & PTE_CACHE, PTE_PCD | PTE_PWT);
    assert_int_equal(mm_update(&control, at, mm_pte(MFN(10), MM_RW | PTE_PCD)), 0);
    assert_int_equal(mm_words(&control, MM_L1)[100] & PTE_CACHE, PTE_PCD);
    /* not on behalf of a domain that may not */
    assert_int_equal(mm_update_foreign(&control, mm_entry_addr(&g, MM_L1, 100),
                                       mm_pte(MFN(9), MM_RW), DOMID_IO | 2u << 16),
                     -XEN_EPERM);
}

/* An entry of a higher table: the child becomes a table with it, and none when it goes. */
static void higher_levels(void **state)
{
    (void)state;
    mm_make_table(&g, MM_SPARE);
    mm_words(&g, MM_SPARE)[0] = mm_pte(g.frame[MM_SPARE + 1], MM_RW);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, 1), mm_pte(g.frame[MM_SPARE], MM_RW)),
                     0);
    assert_int_equal(mm_type(&g, MM_SPARE), PGT_l1_page_table);
    assert_int_equal(mm_type_count(&g, MM_SPARE + 1), 2);
    assert_int_equal(mm_update_va(&g, MM_VA + 0x200000, 0, 0), 0);
    assert_int_equal(mm_type_count(&g, MM_SPARE + 1), 1);
    /* the same table twice; by another level not */
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, 2), mm_pte(g.frame[MM_SPARE], MM_RW)),
                     0);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L3, 2), mm_pte(g.frame[MM_SPARE], MM_RW)),
                     -XEN_EINVAL);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, 1), 0), 0);
    assert_int_equal(mm_make_plain(&g, MM_SPARE), -XEN_EBUSY);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, 2), 0), 0);
    assert_int_equal(mm_make_plain(&g, MM_SPARE), 0);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, 1), mm_pte(g.frame[MM_SPARE], MM_RW)),
                     -XEN_EINVAL);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(write_protect_and_back, setup, teardown),
        cmocka_unit_test_setup_teardown(absent_entries_are_the_guests, setup, teardown),
        cmocka_unit_test_setup_teardown(flush_masks, setup, teardown),
        cmocka_unit_test_setup_teardown(flush_sets, setup, teardown),
        cmocka_unit_test_setup_teardown(no_such_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(batch_stops_at_the_first_error, setup, teardown),
        cmocka_unit_test_setup_teardown(unreadable_list, setup, teardown),
        cmocka_unit_test_setup_teardown(a_count_without_a_place, setup, teardown),
        cmocka_unit_test_setup_teardown(unknown_commands, setup, teardown),
        cmocka_unit_test_setup_teardown(preserve_accessed_and_dirty, setup, teardown),
        cmocka_unit_test_setup_teardown(machine_to_frame, setup, teardown),
        cmocka_unit_test_setup_teardown(plain_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(foreign_domains, setup, teardown),
        cmocka_unit_test_setup_teardown(frames_of_others, setup, teardown),
        cmocka_unit_test_setup_teardown(zombie, setup, teardown),
        cmocka_unit_test_setup_teardown(device_memory, setup, teardown),
        cmocka_unit_test_setup_teardown(higher_levels, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
