/* SPDX-License-Identifier: MIT */
/*
 * The fight for a page: see page_fight.h.
 *
 * Who has the page says so (writers, tables) from after it got it until before it lets it go. So
 * while somebody says that it is a table, all who had it as memory have dropped it, and nobody's
 * old mapping must work, whoever's CPU still knew it.
 */
#include <guest/kernel.h>
#include <guest/page_fight.h>
#include <guest/pagetable.h>

#define NOT_PRESENT 0x5a0 /* should it be an entry */

unsigned int page_fight_wrong;

static void *page;
static unsigned long mfn;
static unsigned int writers, tables;

static void wrong_if(bool wrong)
{
    if (wrong)
        __atomic_add_fetch(&page_fight_wrong, 1, __ATOMIC_SEQ_CST);
}

static void write_there(void *arg)
{
    *(volatile uint64_t *)arg = NOT_PRESENT;
}

static bool can_write(unsigned long va)
{
    struct trap_catch c;

    return !trap_catch(&c, write_there, (void *)va) || c.vector != TRAP_PAGE_FAULT;
}

int page_fight_begin(void)
{
    page = page_alloc_zeroed();
    if (!page)
        return -XEN_ENOMEM;
    mfn = virt_to_mfn(page);
    return pt_unmap((unsigned long)page);
}

int page_fight_end(void)
{
    int rc = pt_map((unsigned long)page, pte_make(mfn, PTE_KERNEL_RW | PTE_NX));

    if (!rc)
        page_free(page);
    return rc;
}

/* Others have it. When they have it as a table, what this CPU knew of it as writable is gone. */
static bool refused(unsigned long va)
{
    wrong_if(__atomic_load_n(&tables, __ATOMIC_SEQ_CST) && can_write(va));
    return false;
}

bool page_fight_as_memory(unsigned long va)
{
    volatile uint64_t *word = (volatile uint64_t *)va + this_cpu()->id;

    if (HYPERVISOR_update_va_mapping(va, pte_make(mfn, PTE_KERNEL_RW | PTE_NX), 0))
        return refused(va);
    __atomic_add_fetch(&writers, 1, __ATOMIC_SEQ_CST);
    *word = NOT_PRESENT;
    wrong_if(__atomic_load_n(&tables, __ATOMIC_SEQ_CST) || *word != NOT_PRESENT);
    *word = 0;
    __atomic_sub_fetch(&writers, 1, __ATOMIC_SEQ_CST);
    wrong_if(HYPERVISOR_update_va_mapping(va, 0, 0)); /* without a flush */
    return true;
}

bool page_fight_as_table(unsigned long va)
{
    struct mmuext_op op = {.cmd = MMUEXT_PIN_L1_TABLE, .arg1.mfn = mfn};

    if (HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF))
        return refused(va);
    __atomic_add_fetch(&tables, 1, __ATOMIC_SEQ_CST);
    wrong_if(__atomic_load_n(&writers, __ATOMIC_SEQ_CST) || can_write(va));
    __atomic_sub_fetch(&tables, 1, __ATOMIC_SEQ_CST);
    op.cmd = MMUEXT_UNPIN_TABLE;
    wrong_if(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
    return true;
}
