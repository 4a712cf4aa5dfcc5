/* SPDX-License-Identifier: MIT */
/*
 * Frame types: what makes a frame a table, what keeps it one, and that types exclude each other.
 */
#include <core/domain/domain_pages.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "pv_mm_support.h"

#include <xen/errno.h>

static struct mm_guest g;

static int setup(void **state)
{
    (void)state;
    mm_init(512);
    mm_guest_init(&g, 1, false);
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    mm_fini();
    return 0;
}

static void initial_types(void **state)
{
    (void)state;
    assert_int_equal(mm_type(&g, MM_L4), PGT_l4_page_table);
    assert_int_equal(mm_type(&g, MM_L3), PGT_l3_page_table);
    assert_int_equal(mm_type(&g, MM_L2), PGT_l2_page_table);
    assert_int_equal(mm_type(&g, MM_L1), PGT_l1_page_table);
    assert_int_equal(mm_type(&g, MM_SPARE), PGT_writable_page);
    assert_int_equal(mm_type_count(&g, MM_L1), 1);
    assert_int_equal(mm_refs(&g, MM_L1), 3); /* allocated, L2's entry, the read-only mapping */
    assert_int_equal(mm_refs(&g, MM_SPARE), 2);
}

/* Each entry became one that user mode may use, kernel pages marked, user pages global. */
static void entries_are_adjusted(void **state)
{
    uint64_t kernel = mm_pte(g.frame[MM_SPARE], PTE_PRESENT | PTE_RW), e;

    (void)state;
    assert_int_equal(mm_words(&g, MM_L1)[MM_SPARE] & (PTE_GLOBAL | PTE_USER),
                     PTE_GLOBAL | PTE_USER);
    assert_int_equal(mm_update_va(&g, mm_va(100), kernel, 0), 0);
    e = mm_words(&g, MM_L1)[100];
    assert_int_equal(e & (PTE_GUEST_KERNEL | PTE_USER | PTE_GLOBAL), PTE_GUEST_KERNEL | PTE_USER);
    /* written back as it was read, it stays a kernel page */
    assert_int_equal(mm_update_va(&g, mm_va(100), e, 0), 0);
    assert_int_equal(mm_words(&g, MM_L1)[100], e);
}

static void pin_needs_read_only(void **state)
{
    (void)state;
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), -XEN_EINVAL);
    mm_make_table(&g, MM_SPARE);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), 0);
    assert_int_equal(mm_make_plain(&g, MM_SPARE), -XEN_EBUSY);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), -XEN_EINVAL);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L2_TABLE, g.frame[MM_SPARE].n, 0), -XEN_EINVAL);
    assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[MM_SPARE].n, 0), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[MM_SPARE].n, 0), -XEN_EINVAL);
    assert_int_equal(mm_make_plain(&g, MM_SPARE), 0);
}

/* A frame that was writable is flushed from TLBs before it is a table, and the other way round;
 * nothing is flushed twice. (XSA-241, 408) */
static void type_change_flushes(void **state)
{
    unsigned int before;

    (void)state;
    mm_recount = false;
    mm_make_table(&g, MM_SPARE);
    before = host_flushes;
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), 0);
    assert_int_equal(host_flushes, before + 1);
    assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[MM_SPARE].n, 0), 0);
    /* the last use as a table has ended, and no flush since: becoming writable needs one */
    assert_int_equal(mm_make_plain(&g, MM_SPARE), 0);
    assert_int_equal(host_flushes, before + 2);
    mm_make_table(&g, MM_SPARE);
    mm_make_table(&g, MM_SPARE + 1);
    before = host_flushes;
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), 0);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE + 1].n, 0), 0);
    assert_int_equal(host_flushes, before + 1);
}

static void bad_contents_leave_nothing(void **state)
{
    (void)state;
    mm_make_table(&g, MM_SPARE);
    for (unsigned int i = 0; i < 10; i++)
        mm_words(&g, MM_SPARE)[i] = mm_pte(g.frame[MM_SPARE + 1 + i], MM_RW);
    mm_words(&g, MM_SPARE)[10] = mm_pte(g.frame[MM_L1], MM_RW); /* a table, writable */
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), -XEN_EBUSY);
    assert_int_equal(host_recount(), 0);
    assert_int_equal(mm_type_count(&g, MM_SPARE), 0);
    mm_words(&g, MM_SPARE)[10] = mm_pte(MFN(1ull << 30), MM_RO); /* no RAM */
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), -XEN_EPERM);
    mm_words(&g, MM_SPARE)[10] = mm_pte(frame_of(g.d->arch.pv.perdomain_l3), MM_RO); /* XSA-248 */
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), -XEN_EBUSY);
    /* No hardware, no memory types */
    mm_words(&g, MM_SPARE)[10] = mm_pte(g.frame[5], MM_RO | PTE_PCD);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), -XEN_EINVAL);
    mm_words(&g, MM_SPARE)[10] = 0;
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), 0);
}

static unsigned int let_go;

/* Another CPU, which writes to the table, is through with it. */
/* XSA-273: on CPUs that read what an absent entry names, it may not name RAM, in whatever way it
 * gets there, on whatever level; what Linux writes, bits inverted, may stay. Elsewhere all may. */
static void absent_entries_name_no_ram(void **state)
{
    const uint64_t bits = 0x0000000ffffff000, flags = 0x8000000000000062; /* of 36 bits */
    const uint64_t bad[] = {mm_pte(g.frame[5], 0), mm_pte(g.frame[5], flags),
                            mm_pte(MFN(max_mfn), 0), mm_pte(MFN(1), 0),
                            mm_pte(g.frame[5], 1ull << 40)}; /* above what the CPU looks at */
    const uint64_t good[] = {0, flags, mm_pte(MFN(max_mfn + 1), 0),
                             mm_pte(g.frame[5], 0) ^ PTE_FRAME_MASK, PTE_FRAME_MASK};
    static const unsigned int tables[] = {MM_L1, MM_L2, MM_L3, MM_L4};

    (void)state;
    mm_make_table(&g, MM_SPARE);
    for (unsigned int i = 0; i < ARRAY_SIZE(bad) + ARRAY_SIZE(good); i++) {
        bool is_bad = i < ARRAY_SIZE(bad);
        uint64_t e = is_bad ? bad[i] : good[i - ARRAY_SIZE(bad)];
        int wanted = is_bad ? -XEN_EINVAL : 0;

        absent_frame_bits = bits;
        assert_int_equal(mm_update_va(&g, mm_va(100), e, 0), wanted);
        for (unsigned int t = 0; t < 4; t++) {
            uint64_t was = mm_words(&g, tables[t])[200];

            assert_int_equal(mm_update(&g, mm_entry_addr(&g, tables[t], 200), e), wanted);
            assert_int_equal(mm_words(&g, tables[t])[200], is_bad ? was : e);
            assert_int_equal(mm_update(&g, mm_entry_addr(&g, tables[t], 200), 0), 0);
        }
        for (unsigned int level = 0; level < 3; level++) { /* found when it becomes a table */
            unsigned int pin = MMUEXT_PIN_L1_TABLE + level;

            memset(mm_words(&g, MM_SPARE), 0, PAGE_SIZE);
            mm_words(&g, MM_SPARE)[511] = e;
            assert_int_equal(mm_ext(&g, pin, g.frame[MM_SPARE].n, 0), wanted);
            if (!is_bad)
                assert_int_equal(mm_ext(&g, MMUEXT_UNPIN_TABLE, g.frame[MM_SPARE].n, 0), 0);
            assert_int_equal(mm_type_count(&g, MM_SPARE), 0);
        }
        absent_frame_bits = 0;
        assert_int_equal(mm_update_va(&g, mm_va(100), e, 0), 0);
        absent_frame_bits = bits;
        g.d->is_control = true;
        assert_int_equal(mm_update_va(&g, mm_va(101), e, 0), 0);
        g.d->is_control = false;
        absent_frame_bits = 0;
    }
}

static void let_it_go(void)
{
    host_on_flush = NULL;
    let_go++;
    assert_int_equal(mm_type_count(&g, MM_SPARE), 2);
    page_unlock(mm_page(&g, MM_SPARE));
}

/* Who has the last reference but that of who writes to the table waits for him, or his would be the
 * last: what the entries hold would be lost. (XSA-242) */
static void a_writer_is_waited_for(void **state)
{
    (void)state;
    mm_make_table(&g, MM_SPARE);
    mm_words(&g, MM_SPARE)[0] = mm_pte(g.frame[MM_SPARE + 1], MM_RW);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), 0);
    assert_int_equal(mm_type_count(&g, MM_SPARE + 1), 2);
    assert_true(page_lock(mm_page(&g, MM_SPARE), g.d));
    atomic_or(&this_cpu()->pending, CPU_WORK_FLUSH); /* served where it waits */
    host_on_flush = let_it_go;
    assert_int_equal(pv_unpin_table(g.d, g.frame[MM_SPARE]), 0);
    assert_int_equal(let_go, 1);
    assert_int_equal(mm_type_count(&g, MM_SPARE), 0);
    assert_int_equal(mm_type_count(&g, MM_SPARE + 1), 1);
}

/* A pin that comes when the end of its domain has begun does not stay: who ends the domain may have
 * looked at the frame already. */
static void pinned_at_the_end(void **state)
{
    static struct mm_guest control;

    (void)state;
    mm_guest_init(&control, 0, true);
    mm_make_table(&g, MM_SPARE);
    WRITE_ONCE(g.d->dying, true);
    assert_int_equal(mm_ext_foreign(&control, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0, 1), 0);
    assert_false(mm_page(&g, MM_SPARE)->type_info & PGT_pinned);
    assert_int_equal(mm_type_count(&g, MM_SPARE), 0);
    WRITE_ONCE(g.d->dying, false);
}

/* A table maps itself read-only: that is how kernels see them. Writable, it could rewrite itself.
 */
static void self_map(void **state)
{
    (void)state;
    mm_make_table(&g, MM_SPARE);
    mm_words(&g, MM_SPARE)[0] = mm_pte(g.frame[MM_SPARE], MM_RW);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), -XEN_EBUSY);
    mm_words(&g, MM_SPARE)[0] = mm_pte(g.frame[MM_SPARE], MM_RO);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE, g.frame[MM_SPARE].n, 0), 0);
}

/* Linear (recursive) tables are refused at every level. (XSA-240, 286, 185) */
static void linear_tables_refused(void **state)
{
    (void)state;
    for (unsigned int level = 2; level <= 4; level++) {
        mm_make_table(&g, MM_SPARE);
        mm_words(&g, MM_SPARE)[7] = mm_pte(g.frame[MM_SPARE], MM_RO);
        assert_int_equal(mm_ext(&g, MMUEXT_PIN_L1_TABLE + level - 1, g.frame[MM_SPARE].n, 0),
                         -XEN_EINVAL);
        assert_int_equal(mm_make_plain(&g, MM_SPARE), 0);
    }
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L4, 5), mm_pte(g.frame[MM_L4], MM_RO)),
                     -XEN_EINVAL);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L3, 5), mm_pte(g.frame[MM_L3], MM_RO)),
                     -XEN_EINVAL);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, 5), mm_pte(g.frame[MM_L2], MM_RO)),
                     -XEN_EINVAL);
}

/* Superpages: not when promoted, and not by changing the flags of a good entry. (XSA-148, 182) */
static void superpages_refused(void **state)
{
    uint64_t e = mm_words(&g, MM_L2)[0];

    (void)state;
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, 0), e | PTE_PSE), -XEN_EINVAL);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, 1), mm_pte(MFN(512), MM_RW | PTE_PSE)),
                     -XEN_EINVAL);
    assert_int_equal(mm_words(&g, MM_L2)[0], e);
    assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L2, 0), e ^ PTE_ACCESSED), 0);
    mm_make_table(&g, MM_SPARE);
    mm_words(&g, MM_SPARE)[0] = mm_pte(MFN(0), MM_RW | PTE_PSE);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L2_TABLE, g.frame[MM_SPARE].n, 0), -XEN_EINVAL);
    assert_int_equal(mm_ext(&g, MMUEXT_MARK_SUPER, 0, 0), -XEN_EOPNOTSUPP);
    assert_int_equal(mm_ext(&g, MMUEXT_UNMARK_SUPER, ~0ull, 0), -XEN_EOPNOTSUPP); /* XSA-167 */
}

/* Nothing is ever written to the hypervisor's slots, and what a guest had there is replaced. */
static void hypervisor_slots(void **state)
{
    (void)state;
    for (unsigned int i = HYPERVISOR_L4_FIRST; i <= HYPERVISOR_L4_LAST; i++)
        assert_int_equal(mm_update(&g, mm_entry_addr(&g, MM_L4, i), 0), -XEN_EINVAL);
    mm_make_table(&g, MM_SPARE);
    mm_words(&g, MM_SPARE)[HYPERVISOR_L4_FIRST + 1] = mm_pte(g.frame[MM_L1], MM_RW);
    assert_int_equal(mm_ext(&g, MMUEXT_PIN_L4_TABLE, g.frame[MM_SPARE].n, 0), 0);
    assert_int_equal(mm_words(&g, MM_SPARE)[HYPERVISOR_L4_FIRST + 1], 0);
    assert_int_equal(pte_mfn(mm_words(&g, MM_SPARE)[PERDOMAIN_L4_SLOT]).n,
                     g.d->arch.pv.perdomain_l3_mfn.n);
}

/* Descriptor tables are checked, and exclude writing. (XSA-214: a frame with a type is not stolen)
 */
static void descriptor_type(void **state)
{
    struct page_info *pg = mm_page(&g, MM_SPARE);

    (void)state;
    mm_make_table(&g, MM_SPARE);
    mm_words(&g, MM_SPARE)[3] = 0x00008c0000000000ull; /* a call gate */
    assert_int_equal(get_page_type(pg, PGT_seg_desc_page, g.d), -XEN_EINVAL);
    mm_words(&g, MM_SPARE)[3] = 0x00cf9a000000ffffull; /* a ring 0 code segment: made ring 3 */
    assert_true(get_page(pg, g.d));
    assert_int_equal(get_page_type(pg, PGT_seg_desc_page, g.d), 0);
    assert_int_equal(mm_words(&g, MM_SPARE)[3], 0x00cffa000000ffffull);
    assert_int_equal(get_page_type(pg, PGT_writable_page, g.d), -XEN_EINVAL);
    assert_int_equal(get_page_type(pg, PGT_l1_page_table, g.d), -XEN_EINVAL);
    assert_int_equal(steal_page(g.d, pg), -XEN_EBUSY);
    put_page_and_type(pg);
    assert_int_equal(mm_make_plain(&g, MM_SPARE), 0);
}

/* The count of a type does not wrap. (XSA-37) */
static void type_count_saturates(void **state)
{
    struct page_info *pg = mm_page(&g, MM_SPARE);
    uint64_t x = pg->type_info;

    (void)state;
    pg->type_info = x | PGT_count_mask;
    assert_int_equal(get_page_type(pg, PGT_writable_page, g.d), -XEN_EINVAL);
    pg->type_info = x;
}

/* Memory that was mapped around the caches is not read through them as a table before they are
 * flushed. (XSA-402) */
static void uncached_memory(void **state)
{
    static struct mm_guest control;
    uint64_t uc = mm_pte(INVALID_MFN, 0);

    (void)state;
    mm_guest_init(&control, 0, true);
    uc = mm_pte(control.frame[MM_SPARE], MM_RW | PTE_PCD | PTE_PWT);
    assert_int_equal(mm_update_va(&control, mm_va(100), uc, 0), 0);
    assert_true(mm_page(&control, MM_SPARE)->count_info & PGC_noncoherent);
    assert_int_equal(mm_update_va(&control, mm_va(100), 0, 0), 0);
    /* XSA-402: not what the hypervisor itself uses */
    uc = mm_pte(frame_of(control.d->shared_info), MM_RW | PTE_PCD | PTE_PWT);
    assert_int_equal(mm_update_va(&control, mm_va(100), uc, 0), -XEN_EACCES);
    mm_make_table(&control, MM_SPARE);
    assert_int_equal(mm_ext(&control, MMUEXT_PIN_L1_TABLE, control.frame[MM_SPARE].n, 0), 0);
    assert_false(mm_page(&control, MM_SPARE)->count_info & PGC_noncoherent);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(initial_types, setup, teardown),
        cmocka_unit_test_setup_teardown(entries_are_adjusted, setup, teardown),
        cmocka_unit_test_setup_teardown(pin_needs_read_only, setup, teardown),
        cmocka_unit_test_setup_teardown(type_change_flushes, setup, teardown),
        cmocka_unit_test_setup_teardown(bad_contents_leave_nothing, setup, teardown),
        cmocka_unit_test_setup_teardown(absent_entries_name_no_ram, setup, teardown),
        cmocka_unit_test_setup_teardown(a_writer_is_waited_for, setup, teardown),
        cmocka_unit_test_setup_teardown(pinned_at_the_end, setup, teardown),
        cmocka_unit_test_setup_teardown(self_map, setup, teardown),
        cmocka_unit_test_setup_teardown(linear_tables_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(superpages_refused, setup, teardown),
        cmocka_unit_test_setup_teardown(hypervisor_slots, setup, teardown),
        cmocka_unit_test_setup_teardown(descriptor_type, setup, teardown),
        cmocka_unit_test_setup_teardown(type_count_saturates, setup, teardown),
        cmocka_unit_test_setup_teardown(uncached_memory, setup, teardown),
    };
    return cmocka_run_group_tests(tests, NULL, NULL);
}
