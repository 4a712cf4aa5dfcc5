/* SPDX-License-Identifier: MIT */
/*
 * Shows: several vCPUs can change the same page tables at once, and each finds in them what it
 * wrote.
 *
 * Own entries: each vCPU maps, protects, unmaps and reads pages at addresses that only it uses, in
 * an L1 table that all share. One page, two uses: all fight for one page (guest/page_fight.h), each
 * to write to it or to make it a table; both at once must not be. Another's table: one vCPU runs on
 * a root table that another takes entries out of, unpins, and cannot have back before it is left.
 *
 * XSA-241 (flushes), XSA-299, XSA-310 (tables that several change), on several CPUs.
 */
#include <guest/page_fight.h>

#include "test.h"

const char test_name[] = "smp-tables";

#define MOST              8u
#define PAGES             8u
#define ROUNDS            400u
#define FIGHTS            600u
#define VA(me, i)         (MAP_BASE + 0x10000000ul + ((me)*PAGES + (i)) * PAGE_SIZE)
#define MARK(me, i, turn) ((uint64_t)(me) << 48 | (uint64_t)(i) << 40 | (uint64_t)(turn) << 8)

static uint64_t *page[MOST][PAGES];
static unsigned int wrong[MOST];

static void write_mark(void *arg)
{
    *(volatile uint64_t *)arg = 0xbad;
}

static bool faults(void (*fn)(void *), unsigned long va)
{
    struct trap_catch c;

    return trap_catch(&c, fn, (void *)va) && c.vector == TRAP_PAGE_FAULT;
}

static void read_it(void *arg)
{
    (void)*(volatile uint64_t *)arg;
}

/* By the address, or by the entry's place; the flush reaches this vCPU, or all. */
static int set_entry(uint32_t *random, unsigned long va, pte_t pte)
{
    struct mmuext_op all = {.cmd = MMUEXT_INVLPG_ALL, .arg1.linear_addr = va};
    uint32_t r = test_random(random);
    int rc;

    if (r & 1)
        return (int)HYPERVISOR_update_va_mapping(va, pte,
                                                 UVMF_INVLPG | (r & 2 ? UVMF_ALL : UVMF_LOCAL));
    rc = pt_write(pt_walk(pt_root, va, 1), pte);
    return rc ? rc : (int)HYPERVISOR_mmuext_op(&all, 1, NULL, DOMID_SELF);
}

static void own_entries(unsigned int me)
{
    uint32_t random = me + 77;

    for (unsigned int turn = 0; turn < ROUNDS; turn++) {
        unsigned int i = test_random(&random) % PAGES, at = test_random(&random) % PAGES;
        unsigned long va = VA(me, at), mfn = virt_to_mfn(page[me][i]);

        page[me][i][1] = MARK(me, i, turn);
        wrong[me] += set_entry(&random, va, pte_make(mfn, PTE_KERNEL_RW | PTE_NX)) != 0;
        wrong[me] += ((volatile uint64_t *)va)[1] != MARK(me, i, turn);
        ((volatile uint64_t *)va)[2] = MARK(me, i, turn);
        wrong[me] += page[me][i][2] != MARK(me, i, turn);
        wrong[me] += set_entry(&random, va, pte_make(mfn, PTE_KERNEL_RO | PTE_NX)) != 0;
        wrong[me] += !faults(write_mark, va);
        wrong[me] += set_entry(&random, va, 0) != 0;
        wrong[me] += !faults(read_it, va);
    }
}

static unsigned int won[2];

static void fight(unsigned int me)
{
    uint32_t random = me + 5;
    unsigned long va = VA(me, 0);

    for (unsigned int i = 0; i < FIGHTS; i++) {
        if (test_random(&random) & 1)
            won[0] += page_fight_as_memory(va);
        else
            won[1] += page_fight_as_table(va);
        if (!(i % 16))
            test_rest();
    }
}

static void one_page_two_uses(void)
{
    NEED(!page_fight_begin());
    NEED(test_on_all(fight));
    CHECK_EQ(page_fight_wrong, 0, "a page is never memory and a table at once");
    CHECK(won[0] && won[1], "each use is had");
    NEED(!page_fight_end());
}

#define SLOT  7u /* of the root: addresses that only the test uses */
#define THERE ((unsigned long)SLOT << 39)
static pte_t *root;
static unsigned int step;

static void until(unsigned int wanted)
{
    while (__atomic_load_n(&step, __ATOMIC_SEQ_CST) != wanted)
        test_rest();
}

static void next(unsigned int n)
{
    __atomic_store_n(&step, n, __ATOMIC_SEQ_CST);
}

static void runs_on_it(void *arg)
{
    (void)arg;
    wrong[1] += test_mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(root), 0) != 0;
    wrong[1] += *(volatile uint64_t *)THERE != MARK(1, 1, 1);
    next(1);
    until(2);
    wrong[1] += !faults(read_it, THERE);
    next(3);
    until(4);
    wrong[1] += test_mmuext(MMUEXT_NEW_BASEPTR, virt_to_mfn(pt_root), 0) != 0;
    next(5);
}

/* As one root of this kernel, with a page of its own in a slot that the kernel's does not use. */
static bool make_root(uint64_t *content)
{
    root = test_root();
    content[0] = MARK(1, 1, 1);
    return !test_mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(root), 0) &&
           !pt_map_in(root, THERE, pte_make(virt_to_mfn(content), PTE_KERNEL_RO | PTE_NX));
}

static void anothers_table(void)
{
    uint64_t *content = test_page();

    NEED(make_root(content));
    wrong[1] = 0;
    NEED(!smp_start(1, runs_on_it, NULL));
    until(1);
    CHECK_EQ(pt_write(&root[SLOT], 0), 0, "an entry of a root on which another vCPU runs");
    CHECK_EQ(test_mmuext(MMUEXT_TLB_FLUSH_ALL, 0, 0), 0, "and a flush");
    next(2);
    until(3);
    CHECK_EQ(test_mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(root), 0), 0, "it can be unpinned");
    CHECK(test_page_protect(root, true) != 0, "and is still a table, as it is in use");
    next(4);
    until(5);
    CHECK_EQ(test_page_protect(root, true), 0, "and ordinary memory when it was left");
    CHECK_EQ(wrong[1], 0, "the vCPU saw the entry, and saw it go");
}

void test_main(void)
{
    unsigned int vcpus = test_vcpus(), all = 0;

    if (vcpus < 2) {
        test_skip("the domain has one vCPU only");
        return;
    }
    NEED(vcpus <= MOST);
    for (unsigned int v = 0; v < vcpus; v++)
        for (unsigned int i = 0; i < PAGES; i++) {
            page[v][i] = test_page();
            NEED(!pt_map(VA(v, i), 0)); /* makes the tables */
        }
    NEED(test_on_all(own_entries));
    for (unsigned int v = 0; v < vcpus; v++)
        all += wrong[v];
    CHECK_EQ(all, 0, "each vCPU finds its own entries in tables that all change");
    one_page_two_uses();
    anothers_table();
}
