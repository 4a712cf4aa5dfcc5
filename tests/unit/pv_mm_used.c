/* SPDX-License-Identifier: MIT */
/*
 * A table remembers which of its parts may have present entries (set_pte.h), and undoing it looks
 * at no others. So each way by which an entry becomes present must say so: these are all of them,
 * each into a part that had none. After each the machine is recounted (pv_invariants.c complains of
 * a present entry in a part that is held to be empty), and at last the table is undone, which must
 * give back each reference.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <string.h>
#include <cmocka.h>

#include "pv_mm_support.h"

#include <core/domain/domain_pages.h>
#include <pv/pv_bits.h>
#include <pv/pv_ops.h>
#include <xen/grant_table.h>

#define CODE  (HOST_GUEST_BASE + 0x10000)
#define ENTRY 300u
#define PART  (ENTRY / TABLE_PART)

enum { FRAME = MM_SPARE, T1, T2, T4 };

static struct mm_guest g, other;

static int setup(void **state)
{
    (void)state;
    mm_init(1024);
    mm_guest_init(&g, 1, false);
    mm_guest_init(&other, 2, false);
    g.d->vm_assist = 1u << VMASST_TYPE_writable_pagetables;
    g.v->arch.pv.cr3 = g.frame[MM_L4].n << PAGE_SHIFT;
    host_run_as(g.v);
    memset(&g.v->regs, 0, sizeof(g.v->regs));
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mm_fini();
    return 0;
}

static bool used(unsigned int table, unsigned int part)
{
    return mm_page(&g, table)->used >> part & 1;
}

/* By itself, by guests in the L1 table that is loaded: into entry ENTRY. */
static long by_update(uint64_t pte)
{
    return mm_update(&g, mm_entry_addr(&g, MM_L1, ENTRY), pte);
}

static long by_updates(uint64_t pte)
{
    struct mmu_update *req = host_guest(HOST_GUEST_BASE);

    req[0] = (struct mmu_update){.ptr = mm_entry_addr(&g, MM_L1, ENTRY), .val = pte};
    req[1] = (struct mmu_update){.ptr = mm_entry_addr(&g, MM_L1, ENTRY + 1), .val = 0};
    return mm_call(&g, __HYPERVISOR_mmu_update, HOST_GUEST_BASE, 2, 0, DOMID_SELF);
}

static long by_update_that_preserves(uint64_t pte)
{
    return mm_update(&g, mm_entry_addr(&g, MM_L1, ENTRY) | MMU_PT_UPDATE_PRESERVE_AD, pte);
}

static long by_va(uint64_t pte)
{
    return mm_update_va(&g, mm_va(ENTRY), pte, 0);
}

static long by_instruction(const char *code, unsigned int n, uint64_t pte)
{
    memcpy(host_guest(CODE), code, n);
    g.v->regs.rip = CODE;
    g.v->regs.rdi = mm_va(MM_L1) + ENTRY * 8;
    g.v->regs.rax = pte;
    return !pv_ptwr_fault(g.v, g.v->regs.rdi);
}

static long by_mov(uint64_t pte)
{
    return by_instruction("\x48\x89\x07", 3, pte); /* mov %rax,(%rdi) */
}

static long by_xchg(uint64_t pte)
{
    return by_instruction("\x48\x87\x07", 3, pte);
}

static long by_decoded(uint64_t pte)
{
    return by_instruction("\x48\x09\x07", 3, pte); /* or %rax,(%rdi) */
}

static void each_way_to_write_one(void **state)
{
    static long (*const ways[])(uint64_t) = {
        by_update, by_updates, by_update_that_preserves, by_va, by_mov, by_xchg, by_decoded};
    static const uint64_t rights[] = {MM_RW, MM_RO, MM_RW & ~PTE_ACCESSED};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(ways) * ARRAY_SIZE(rights); i++) {
        uint64_t pte = mm_pte(g.frame[FRAME], rights[i % ARRAY_SIZE(rights)]);
        uint64_t refs = mm_refs(&g, FRAME);

        mm_page(&g, MM_L1)->used = 3; /* as it was promoted */
        assert_int_equal(mm_words(&g, MM_L1)[ENTRY], 0);
        assert_int_equal(ways[i / ARRAY_SIZE(rights)](pte), 0);
        assert_int_equal(mm_words(&g, MM_L1)[ENTRY] & ~PTE_GLOBAL, pte);
        assert_true(used(MM_L1, PART));
        assert_int_equal(host_recount(), 0);
        assert_int_equal(mm_refs(&g, FRAME), refs + 1);
        assert_int_equal(mm_update_va(&g, mm_va(ENTRY), 0, 0), 0);
        assert_int_equal(mm_refs(&g, FRAME), refs);
    }
}

/* Present before and after with another frame, and with other rights: the part stays noted. */
static void changed_entries(void **state)
{
    (void)state;
    mm_page(&g, MM_L1)->used = 3;
    assert_int_equal(by_va(mm_pte(g.frame[FRAME], MM_RO)), 0);
    assert_int_equal(by_va(mm_pte(g.frame[FRAME], MM_RW)), 0);
    assert_int_equal(by_update(mm_pte(g.frame[T1], MM_RW)), 0);
    assert_int_equal(by_update(mm_pte(g.frame[T1], MM_RW & ~PTE_DIRTY)), 0);
    assert_true(used(MM_L1, PART));
    assert_int_equal(by_update(0), 0);
}

/* An entry of a higher table. */
static void higher_entry(void **state)
{
    (void)state;
    mm_make_table(&g, T1);
    mm_page(&g, MM_L2)->used = 1;
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, ENTRY), mm_pte(g.frame[T1], MM_RW)), 0);
    assert_true(used(MM_L2, PART));
    assert_int_equal(mm_type_count(&g, T1), 1);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, ENTRY), 0), 0);
    assert_int_equal(mm_make_plain(&g, T1), 0);
}

static void by_grant(void **state)
{
    struct page_info *pg = mm_page(&other, FRAME);

    (void)state;
    for (unsigned int k = 0; k < 2; k++) {
        uint64_t at = k ? mm_entry_addr(&g, MM_L1, ENTRY) : mm_va(ENTRY);
        unsigned int flags = GNTMAP_readonly | (k ? GNTMAP_contains_pte : 0);

        mm_page(&g, MM_L1)->used = 3;
        assert_true(get_page(pg, other.d));
        assert_int_equal(pv_grant_map(at, other.frame[FRAME], flags), 0);
        assert_true(used(MM_L1, PART));
        assert_int_equal(host_recount(), 0);
        assert_int_equal(pv_grant_unmap(at, other.frame[FRAME], flags, 0), 0);
        put_page(pg);
    }
}

static void fill(unsigned int table, const unsigned int *at, unsigned int n, uint64_t pte)
{
    mm_make_table(&g, table);
    for (unsigned int i = 0; i < n; i++)
        mm_words(&g, table)[at[i]] = pte;
}

/* An L1 and an L2 table with entries here and there, in one turn and in many, and undone likewise.
 */
static void by_promotion(void **state)
{
    static const unsigned int at[] = {0, 7, 8, 31, 32, 200, 223, 263, 264, 271, 480, 511};
    uint64_t refs = mm_refs(&g, FRAME);
    uint16_t parts = 0;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(at); i++)
        parts |= (uint16_t)(1u << at[i] / TABLE_PART);
    for (unsigned int k = 0; k < 4; k++) {
        fill(T1, at, ARRAY_SIZE(at), mm_pte(g.frame[FRAME], MM_RW));
        fill(T2, at, ARRAY_SIZE(at), mm_pte(g.frame[T1], MM_RW));
        mm_preempt = k & 1;
        assert_int_equal(mm_ext(&g, MMUEXT_PIN_L2_TABLE, g.frame[T2].n, 0), 0);
        assert_int_equal(mm_page(&g, T1)->used, parts);
        assert_int_equal(mm_page(&g, T2)->used, parts);
        assert_int_equal(mm_type_count(&g, T1), ARRAY_SIZE(at));
        assert_int_equal(mm_refs(&g, FRAME), refs + ARRAY_SIZE(at));
        mm_preempt = k & 2;
        assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[T2].n, 0), 0);
        mm_preempt = false;
        assert_int_equal(mm_type_count(&g, T1), 0);
        assert_int_equal(mm_refs(&g, FRAME), refs);
        assert_int_equal(mm_make_plain(&g, T1), 0);
        assert_int_equal(mm_make_plain(&g, T2), 0);
    }
}

/* What was noted of a table that is none any more says nothing of the next one in its frame. */
static void nothing_is_left_of_the_last(void **state)
{
    static const unsigned int low = 3, high = 500;

    (void)state;
    fill(T1, &high, 1, mm_pte(g.frame[FRAME], MM_RO));
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[T1].n, 0), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[T1].n, 0), 0);
    assert_int_equal(mm_make_plain(&g, T1), 0);
    fill(T1, &low, 1, mm_pte(g.frame[FRAME], MM_RO));
    mm_page(&g, T1)->used = 0x4000; /* as the time that is in this place meanwhile may say */
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[T1].n, 0), 0);
    assert_int_equal(mm_page(&g, T1)->used, 1);
    assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[T1].n, 0), 0);
    assert_int_equal(mm_make_plain(&g, T1), 0);
}

/* The hypervisor's slots of an L4 table, which it writes itself; M2P among them comes and goes. */
static void slots_of_the_hypervisor(void **state)
{
    (void)state;
    mm_make_table(&g, T4);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L4_TABLE, g.frame[T4].n, 0), 0);
    assert_true(used(T4, HYPERVISOR_L4_FIRST / TABLE_PART));
    for (unsigned int show = 0; show < 2; show++) {
        pv_show_m2p(g.d, g.frame[T4], show);
        assert_int_equal(host_recount(), 0);
    }
    assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[T4].n, 0), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(each_way_to_write_one, setup, teardown),
        cmocka_unit_test_setup_teardown(changed_entries, setup, teardown),
        cmocka_unit_test_setup_teardown(higher_entry, setup, teardown),
        cmocka_unit_test_setup_teardown(by_grant, setup, teardown),
        cmocka_unit_test_setup_teardown(by_promotion, setup, teardown),
        cmocka_unit_test_setup_teardown(nothing_is_left_of_the_last, setup, teardown),
        cmocka_unit_test_setup_teardown(slots_of_the_hypervisor, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
