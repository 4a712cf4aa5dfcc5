/* SPDX-License-Identifier: MIT */
/*
 * Shows: nothing that a guest asks for keeps a CPU for long, however much of it is asked for at
 * once.
 *
 * Each hypercall that loops is driven at its largest size: page tables with as much below them as
 * memory allows, lists of frames, whole grant tables, every port. Each has to give way in between
 * and go on where it stopped, which the guest does not see: what is checked here is that the work
 * is done, and done once. How long the longest stretch was is measured from outside
 * (tests/bench/latency.py).
 *
 * With hold=1 on the command line the domain keeps it all and sleeps, for somebody to destroy it;
 * with reset=1 it closes all its ports at the end, the console's among them. With lenders=N it
 * borrows from the N domains after it, which run this program with lend_to= its number.
 *
 * XSA-45, XSA-280 and XSA-290 (work on page tables without bound), XSA-150 and XSA-158
 * (populating), XSA-97 and XSA-424 (teardown), XSA-379 and XSA-384 (grant tables).
 */
#include <guest/grant.h>

#include "bounded.h"
#include "test.h"

const char test_name[] = "bounded";

#define NR_L1     1024u
#define NR_L2     (NR_L1 / 512)
#define NR_CALLS  4096u
#define LDT_ENTRY 0x00cff3000000fffful /* a data segment of ring 3 */
#define SUPER     512u                 /* frames of an extent of order 9 */

domid_t self;
static pte_t *l1[NR_L1], *l2[NR_L2], *l3, *l4;

static void fill(pte_t *table, pte_t value, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++)
        table[i] = value;
}

static pte_t to_table(const pte_t *table)
{
    return pte_make(virt_to_mfn(table), PTE_PRESENT | PTE_RW | PTE_USER);
}

/* An L4 whose every entry leads to all L1 tables, whose every entry maps one page. */
static bool build_tables(void)
{
    void *page = page_alloc_zeroed();
    bool ok = page != NULL;

    for (unsigned int i = 0; ok && i < NR_L1; i++) {
        l1[i] = page_alloc();
        ok = l1[i] != NULL;
        if (ok)
            fill(l1[i], pte_make(virt_to_mfn(page), PTE_PRESENT | PTE_USER), 512);
    }
    for (unsigned int i = 0; ok && i < NR_L2; i++) {
        l2[i] = page_alloc();
        ok = l2[i] != NULL;
        for (unsigned int k = 0; ok && k < 512; k++)
            l2[i][k] = to_table(l1[i * 512 + k]);
    }
    l3 = page_alloc();
    l4 = page_alloc_zeroed();
    if (!ok || !l3 || !l4)
        return false;
    for (unsigned int k = 0; k < 512; k++)
        l3[k] = to_table(l2[k % NR_L2]);
    fill(l4, to_table(l3), 256);
    for (unsigned int i = 0; i < NR_L1; i++)
        ok = ok && !test_page_protect(l1[i], false);
    for (unsigned int i = 0; i < NR_L2; i++)
        ok = ok && !test_page_protect(l2[i], false);
    return ok && !test_page_protect(l3, false) && !test_page_protect(l4, false);
}

static void tables_pinned(void)
{
    unsigned long mfn = virt_to_mfn(l4);

    CHECK_EQ(test_mmuext(MMUEXT_PIN_L4_TABLE, mfn, 0), 0, "a tree of tables is pinned");
    CHECK_EQ(probe_write(l1[NR_L1 - 1], 1, NULL) != -1 || l1[NR_L1 - 1][0] != 1, 1,
             "the last of its tables is none that the guest can write freely");
    CHECK_EQ(test_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0), 0, "and unpinned");
    CHECK_EQ(test_page_protect(l1[NR_L1 - 1], true), 0, "the last is memory again");
    CHECK_EQ(test_page_protect(l1[NR_L1 - 1], false), 0, "for a while");
}

static void tables_entered(void)
{
    const pte_t *slot = &pt_root[2];

    NEED(*slot == 0);
    CHECK_EQ(pt_write(slot, to_table(l3)), 0, "one entry brings the tree in");
    CHECK_EQ(pt_write(slot, 0), 0, "and lets it go");
    CHECK_EQ(test_mmuext(MMUEXT_NEW_USER_BASEPTR, virt_to_mfn(l4), 0), 0, "as the user's tables");
    CHECK_EQ(test_mmuext(MMUEXT_NEW_USER_BASEPTR, 0, 0), 0, "and no more");
}

static multicall_entry_t calls[NR_CALLS];

/* An L2 of nothing but L1 tables that nobody else uses, set entry by entry from the n-th table on.
 */
static void enter_each(const pte_t *upper, const pte_t *const *tables, unsigned int n)
{
    mmu_update_t *updates = (mmu_update_t *)calls;
    unsigned int done = 0;

    for (unsigned int i = 0; i < n; i++)
        updates[i] = (mmu_update_t){pt_maddr(&upper[i]), tables ? to_table(tables[i]) : 0};
    CHECK_EQ(HYPERVISOR_mmu_update(updates, n, &done, DOMID_SELF), 0, "a batch of tables");
    CHECK_EQ(done, n, "to its last");
}

static void tables_in_batches(void)
{
    pte_t *upper = test_page();

    NEED(!test_page_protect(upper, false));
    NEED(!test_mmuext(MMUEXT_PIN_L2_TABLE, virt_to_mfn(upper), 0));
    enter_each(upper, (const pte_t *const *)l1, 512);
    enter_each(upper, (const pte_t *const *)&l1[512], 512); /* others instead */
    enter_each(upper, NULL, 512);
    CHECK_EQ(test_mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(upper), 0), 0, "and none");
    NEED(!test_page_protect(upper, true));
}

/* The last entry of the last table is refused, so that all comes undone. */
static void tables_refused(void)
{
    pte_t *last = l1[NR_L1 - 1], good = last[511];

    NEED(!test_page_protect(last, true));
    last[511] = pte_make(0xffffffffful, PTE_PRESENT | PTE_USER);
    NEED(!test_page_protect(last, false));
    CHECK(test_mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(l4), 0) < 0,
          "one bad entry in the last table");
    CHECK_EQ(test_page_protect(l1[0], true), 0, "XSA-310: leaves nothing pinned");
    NEED(!test_page_protect(l1[0], false) && !test_page_protect(last, true));
    last[511] = good;
    NEED(!test_page_protect(last, false));
}

/* ---- memory ---- */

xen_pfn_t list[NR_SINGLES];

long reserve(unsigned int cmd, unsigned long n, unsigned int order)
{
    struct xen_memory_reservation r = {.nr_extents = n, .extent_order = order, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, list);
    return HYPERVISOR_memory_op(cmd, &r);
}

bool take_pages(void *pages, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        unsigned long va = (unsigned long)pages + i * PAGE_SIZE;

        list[i] = virt_to_mfn((void *)va);
        if (HYPERVISOR_update_va_mapping(va, 0, UVMF_INVLPG))
            return false;
    }
    return true;
}

static bool put_pages(void *pages, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++) {
        unsigned long va = (unsigned long)pages + i * PAGE_SIZE;

        p2m[virt_to_pfn((void *)va)] = list[i];
        if (HYPERVISOR_update_va_mapping(va, pte_make(list[i], PTE_KERNEL_RW), UVMF_INVLPG))
            return false;
    }
    return true;
}

static void list_places(void *pages, unsigned int n)
{
    for (unsigned int i = 0; i < n; i++)
        list[i] = virt_to_pfn(pages) + i;
}

static void reservation(void)
{
    void *pages = pages_alloc(NR_SINGLES);

    NEED(pages && take_pages(pages, NR_SINGLES));
    CHECK_EQ(reserve(XENMEM_decrease_reservation, NR_SINGLES, 0), NR_SINGLES, "pages given back");
    list_places(pages, NR_SINGLES);
    CHECK_EQ(reserve(XENMEM_populate_physmap, NR_SINGLES, 0), NR_SINGLES, "and got again");
    NEED(put_pages(pages, NR_SINGLES));

    /* The same in large extents, where the machine has any. */
    NEED(take_pages(pages, NR_SINGLES));
    CHECK_EQ(reserve(XENMEM_decrease_reservation, NR_SINGLES, 0), NR_SINGLES, "given back");
    for (unsigned int i = 0; i < NR_SINGLES / SUPER; i++)
        list[i] = virt_to_pfn(pages) + i * SUPER;
    if (reserve(XENMEM_populate_physmap, NR_SINGLES / SUPER, 9) == NR_SINGLES / SUPER) {
        CHECK_EQ(reserve(XENMEM_decrease_reservation, NR_SINGLES / SUPER, 9), NR_SINGLES / SUPER,
                 "large extents come and go");
        CHECK_EQ(reserve(XENMEM_increase_reservation, NR_SINGLES / SUPER, 9), NR_SINGLES / SUPER,
                 "and come without a place");
        CHECK_EQ(reserve(XENMEM_decrease_reservation, NR_SINGLES / SUPER, 9), NR_SINGLES / SUPER,
                 "and go");
        list_places(pages, NR_SINGLES);
        NEED(reserve(XENMEM_populate_physmap, NR_SINGLES, 0) == NR_SINGLES);
        NEED(put_pages(pages, NR_SINGLES));
        pages_free(pages, NR_SINGLES);
    }
}

/* A table that holds the last references of 512 pages. */
static void last_mappings(void)
{
    pte_t *table = test_page();
    void *pages = pages_alloc(512);

    NEED(pages);
    for (unsigned int i = 0; i < 512; i++)
        table[i] =
            pte_make(virt_to_mfn((char *)pages + i * PAGE_SIZE), PTE_PRESENT | PTE_USER | PTE_RW);
    NEED(!test_page_protect(table, false));
    NEED(!test_mmuext(MMUEXT_PIN_L1_TABLE, virt_to_mfn(table), 0) && take_pages(pages, 512));
    CHECK_EQ(reserve(XENMEM_decrease_reservation, 512, 0), 512, "pages that a table still maps");
    CHECK_EQ(test_mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(table), 0), 0, "go with it");
    list_places(pages, 512);
    NEED(reserve(XENMEM_populate_physmap, 512, 0) == 512 && put_pages(pages, 512));
    pages_free(pages, 512);
}

static long exchange(unsigned long in, unsigned int in_order, unsigned long out,
                     unsigned int out_order, xen_pfn_t *from, xen_pfn_t *to)
{
    struct xen_memory_exchange x = {
        .in = {.nr_extents = in, .extent_order = in_order, .domid = DOMID_SELF},
        .out = {.nr_extents = out, .extent_order = out_order, .domid = DOMID_SELF},
    };

    set_xen_guest_handle(x.in.extent_start, from);
    set_xen_guest_handle(x.out.extent_start, to);
    return HYPERVISOR_memory_op(XENMEM_exchange, &x);
}

static void exchanging(void)
{
    void *pages = pages_alloc(SUPER);
    xen_pfn_t one;

    NEED(pages && take_pages(pages, SUPER));
    one = virt_to_pfn(pages);
    if (exchange(SUPER, 0, 1, 9, list, &one)) {
        NEED(put_pages(pages, SUPER)); /* no such extent is free: nothing changed */
        return;
    }
    for (unsigned int i = 0; i < SUPER; i++)
        list[i] = one + i;
    CHECK(put_pages(pages, SUPER), "pages become an extent");
    CHECK_EQ(probe_write((char *)pages + (SUPER - 1) * PAGE_SIZE, 1, NULL), -1, "which is memory");
    NEED(take_pages(pages, SUPER));
    list_places(pages, SUPER);
    CHECK_EQ(exchange(1, 9, SUPER, 0, &one, list), 0, "and the extent becomes pages");
    CHECK(put_pages(pages, SUPER), "which are memory too");
    pages_free(pages, SUPER);
}

/* Loads a segment of the LDT: the hypervisor makes a descriptor table of the page for it. */
static void load_ldt_entry(void)
{
    __asm__ volatile("mov %w0, %%fs; xor %%eax, %%eax; mov %%ax, %%fs"
                     :
                     : "r"(0x7)
                     : "eax", "memory");
}

/* A table full of read-only mappings of a descriptor table, which vCPUs may have loaded. */
static void descriptors_mapped(void)
{
    pte_t *table = test_page(), *gdt = test_page();

    gdt[0] = LDT_ENTRY;
    NEED(!test_page_protect(gdt, false));
    fill(table, pte_make(virt_to_mfn(gdt), PTE_PRESENT | PTE_USER), 512);
    NEED(!test_page_protect(table, false));
    CHECK_EQ(test_mmuext(MMUEXT_SET_LDT, (unsigned long)gdt, 512), 0, "an LDT is set");
    CHECK_EQ(test_mmuext(MMUEXT_PIN_L1_TABLE, virt_to_mfn(table), 0), 0, "and mapped 512 times");
    load_ldt_entry();
    CHECK_EQ(test_mmuext(MMUEXT_UNPIN_TABLE, virt_to_mfn(table), 0), 0, "and no more");
    CHECK_EQ(test_mmuext(MMUEXT_SET_LDT, 0, 0), 0, "nor is it set");
}

/* ---- the rest ---- */

static void ports(bool hold)
{
    struct evtchn_alloc_unbound a = {.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    struct evtchn_reset reset = {.dom = DOMID_SELF};
    unsigned int n = 0;

    while (n < 100000 && !HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &a))
        n++;
    CHECK(n > 1000, "ports until there are no more");
    if (hold)
        return;
    /* Ends the domain's own console and timer too: nothing is printed until it is over. */
    CHECK_EQ(HYPERVISOR_event_channel_op(EVTCHNOP_reset, &reset), 0, "all are closed");
    CHECK_EQ(HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &a), 0, "and can be had again");
}

static void batches(void)
{
    struct mmuext_op flush = {.cmd = MMUEXT_TLB_FLUSH_ALL};
    struct mmuext_op *ops = (struct mmuext_op *)calls;
    mmu_update_t *updates = (mmu_update_t *)calls;
    const pte_t *entry = pt_walk(pt_root, (unsigned long)list, 1);
    unsigned int done = 0, bad = 0;

    for (unsigned int i = 0; i < NR_CALLS; i++)
        calls[i] = (multicall_entry_t){.op = __HYPERVISOR_xen_version};
    CHECK_EQ(HYPERVISOR_multicall(calls, NR_CALLS), 0, "a long multicall");
    for (unsigned int i = 0; i < NR_CALLS; i++)
        bad += (long)calls[i].result <= 0;
    CHECK_EQ(bad, 0, "with all results");
    for (unsigned int i = 0; i < NR_CALLS; i++)
        ops[i] = flush;
    CHECK_EQ(HYPERVISOR_mmuext_op(ops, NR_CALLS, &done, DOMID_SELF), 0, "thousands of flushes");
    CHECK_EQ(done, NR_CALLS, "each done");
    for (unsigned int i = 0; i < NR_CALLS; i++)
        updates[i] = (mmu_update_t){pt_maddr(entry), *entry};
    CHECK_EQ(HYPERVISOR_mmu_update(updates, NR_CALLS, &done, DOMID_SELF), 0, "and updates");
    CHECK_EQ(done, NR_CALLS, "each done");
}

static void console(void)
{
    static char text[16384];

    for (unsigned int i = 0; i < sizeof(text); i++)
        text[i] = i % 128 == 127 ? '\n' : '.';
    CHECK_EITHER(HYPERVISOR_console_io(CONSOLEIO_write, sizeof(text), text), 0, -XEN_EPERM,
                 "much to say, to whoever may");
}

static void poll(void)
{
    static evtchn_port_t many[128];

    for (unsigned int i = 0; i < 128; i++)
        many[i] = 100 + i;
    CHECK_EITHER(sched_poll(many, 128, time_system_ns() + 1000), 0, -XEN_EINVAL,
                 "many ports at once");
}

void test_main(void)
{
    bool hold = cmdline_number("hold", 0) != 0;
    unsigned long borrower = cmdline_number("lend_to", DOMID_INVALID);

    self = own_domid();
    NEED(self != DOMID_INVALID && !grant_init());
    if (borrower != DOMID_INVALID)
        lend((domid_t)borrower);
    NEED(build_tables());
    tables_pinned();
    tables_entered();
    tables_in_batches();
    tables_refused();
    reservation();
    last_mappings();
    exchanging();
    descriptors_mapped();
    whole_table();
    grants(hold);
    foreign_grants((unsigned int)cmdline_number("lenders", 0));
    batches();
    console();
    poll();
    if (hold) {
        NEED(!test_mmuext(MMUEXT_PIN_L4_TABLE, virt_to_mfn(l4), 0));
        ports(true);
        printf("held\n");
        for (;;)
            sched_poll(NULL, 0, time_system_ns() + 1000000000);
    }
    /* Without its port nothing that is said over the console ring arrives where a daemon drains it.
     */
    ports(!cmdline_number("reset", 0));
}
