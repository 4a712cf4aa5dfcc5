/* SPDX-License-Identifier: MIT */
/*
 * The works of `load`: a well-behaved program, those that try to get more than their share, and
 * those that try to take the machine from their neighbours.
 *
 *   spin        computes
 *   duty        runs for run= microseconds, sleeps for sleep=: with a run that is a little shorter
 *               than a time slice it is the one that leaves just before it would be charged by a
 *               tick; with both short, the one that hopes to be preferred for having slept
 *   latency     sleeps until a moment, notes how late it was woken, runs for run= microseconds
 *   hypercalls  asks the hypervisor for its version without end
 *   events      sends events to all its vCPUs without end
 *   flushes     flushes the TLBs of all its vCPUs without end
 *   ping        vCPU 0 sends events to vCPU 1, one after another, which computes meanwhile
 *   shoot       vCPU 0 flushes the TLB of vCPU 1, which computes meanwhile
 *   grants      lends pages to the domain peer=, which runs the same program, and maps, writes,
 *               copies and unmaps those that it lends; what fails, as the other is not there, is
 *               tried again, until the time is over
 *   vcpus       asks about all its vCPUs, takes them down and up, gives them contexts they cannot
 *               have, moves their run-state areas, sets timers on them. The first is not taken
 *               down: when nobody is up, the domain has powered off
 *   forks       makes address spaces and takes them apart without end: tables are filled, pinned,
 *               unpinned, given back
 *   tables      all vCPUs fight for one page, to write to it and to make it a table, and so change
 *               the table in which they map it (guest/page_fight.h)
 */
#include <guest/grant.h>
#include <guest/kernel.h>
#include <guest/page_fight.h>
#include <guest/pagetable.h>
#include <guest/time.h>

#include "load.h"

#define NS_PER_MS  1000000ul
#define BATCH      16u
#define MOST_NOTES 4096u
#define FORK_PAGES 8u /* L1 tables of an address space */
#define IPI_VCPUS  8u
#define LENT       8u
#define FIGHT_AT   (MAP_BASE + 0x10000000ul)
#define LATER      (100 * NS_PER_MS)

static uint64_t notes[MOST_NOTES];
static unsigned int nr_notes;
static evtchn_port_t ipi[IPI_VCPUS];
static domid_t peer;
static grant_ref_t lent[LENT];                  /* the same numbers in both domains */
static void *window[MAX_VCPUS];                 /* where a vCPU maps what it borrows */
static void *copied[MAX_VCPUS];                 /* and copies it to */
static volatile unsigned int came;              /* at vCPU 1 */
static pte_t *space[MAX_VCPUS][FORK_PAGES + 3]; /* L4, L3, L2, then the L1 tables */
static volatile bool has_come[MAX_VCPUS];       /* of the work vcpus */
static vcpu_runstate_info_t area[MAX_VCPUS][2];

static void must(long rc)
{
    if (rc)
        panic("load: %ld", rc);
}

static void spin(unsigned int vcpu)
{
    (void)vcpu;
    run_until(time_system_ns() + NS_PER_MS);
}

static void duty(unsigned int vcpu)
{
    (void)vcpu;
    run_until(time_system_ns() + run_ns);
    sleep_until(time_system_ns() + sleep_ns);
}

static void latency(unsigned int vcpu)
{
    uint64_t due = time_system_ns() + sleep_ns;

    (void)vcpu;
    sleep_until(due);
    if (in_window())
        note_latency(time_system_ns() - due);
    run_until(time_system_ns() + run_ns);
}

void note_latency(uint64_t ns)
{
    unsigned int at = __atomic_fetch_add(&nr_notes, 1, __ATOMIC_RELAXED);

    if (at < MOST_NOTES)
        notes[at] = ns;
}

void latency_text(char *text, size_t size)
{
    unsigned int n = nr_notes < MOST_NOTES ? nr_notes : MOST_NOTES;

    text[0] = 0;
    if (!n)
        return;
    for (unsigned int i = 1; i < n; i++) /* by insertion: there are few, once */
        for (unsigned int j = i; j && notes[j - 1] > notes[j]; j--) {
            uint64_t other = notes[j];

            notes[j] = notes[j - 1];
            notes[j - 1] = other;
        }
    snprintf(text, size, " latency_median=%lu latency_p99=%lu latency_max=%lu", notes[n / 2],
             notes[n * 99 / 100], notes[n - 1]);
}

static void hypercalls(unsigned int vcpu)
{
    (void)vcpu;
    for (unsigned int i = 0; i < BATCH; i++)
        must(HYPERVISOR_xen_version(XENVER_version, NULL) <= 0);
}

static void ipi_came(evtchn_port_t port, void *ctx)
{
    (void)port;
    (void)ctx;
    came += this_cpu()->id == 1;
}

static int prepare_events(void)
{
    int rc = 0;

    for (unsigned int i = 0; i < IPI_VCPUS && !rc; i++) {
        rc = event_bind_ipi(i, ipi_came, NULL, &ipi[i]);
        if (rc == -XEN_ENOENT && i)
            return 0; /* it has no more vCPUs */
    }
    return rc;
}

static void events(unsigned int vcpu)
{
    (void)vcpu;
    for (unsigned int i = 0; i < BATCH; i++)
        if (ipi[i % IPI_VCPUS])
            must(event_send(ipi[i % IPI_VCPUS]));
}

static void ping(unsigned int vcpu)
{
    unsigned int before = came;

    if (vcpu) {
        spin(vcpu);
        return;
    }
    event_send(ipi[1]);
    while (came == before && !time_is_up())
        cpu_relax();
}

static void shoot(unsigned int vcpu)
{
    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_MULTI};
    uint64_t mask = 1u << 1;

    if (vcpu) {
        spin(vcpu);
        return;
    }
    set_xen_guest_handle(op.arg2.vcpumask, &mask);
    must(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
}

static void flushes(unsigned int vcpu)
{
    struct mmuext_op op = {.cmd = MMUEXT_TLB_FLUSH_ALL};

    (void)vcpu;
    for (unsigned int i = 0; i < BATCH; i++)
        must(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
}

static int prepare_grants(void)
{
    unsigned int vcpus = (unsigned int)cmdline_number("vcpus", 1);
    int rc = grant_init();

    peer = (domid_t)cmdline_number("peer", DOMID_INVALID);
    for (unsigned int i = 0; i < LENT && rc >= 0; i++) {
        void *page = page_alloc_zeroed();

        rc = page ? grant_access(peer, virt_to_mfn(page), false) : -XEN_ENOMEM;
        lent[i] = (grant_ref_t)rc;
    }
    for (unsigned int v = 0; v < vcpus && rc >= 0; v++) {
        unsigned long mfn;

        copied[v] = page_alloc_zeroed();
        if (!copied[v])
            return -XEN_ENOMEM;
        mfn = virt_to_mfn(copied[v]);
        window[v] = map_frames(&mfn, 1, PTE_KERNEL_RW);
        rc = window[v] ? 0 : -XEN_ENOMEM;
    }
    return rc < 0 ? rc : 0;
}

static void copy(unsigned int vcpu, grant_ref_t ref)
{
    gnttab_copy_t op = {.len = PAGE_SIZE, .flags = GNTCOPY_source_gref};

    op.source.domid = peer;
    op.source.u.ref = ref;
    op.dest.domid = DOMID_SELF;
    op.dest.u.gmfn = virt_to_mfn(copied[vcpu]);
    must(HYPERVISOR_grant_table_op(GNTTABOP_copy, &op, 1));
}

static bool borrows(unsigned int vcpu, grant_ref_t ref)
{
    gnttab_map_grant_ref_t map = {
        .host_addr = (uint64_t)window[vcpu], .flags = GNTMAP_host_map, .ref = ref, .dom = peer};
    gnttab_unmap_grant_ref_t unmap = {.host_addr = map.host_addr};

    must(HYPERVISOR_grant_table_op(GNTTABOP_map_grant_ref, &map, 1));
    copy(vcpu, ref);
    if (map.status != GNTST_okay)
        return false;
    *(volatile unsigned int *)window[vcpu] = vcpu;
    unmap.handle = map.handle;
    must(HYPERVISOR_grant_table_op(GNTTABOP_unmap_grant_ref, &unmap, 1));
    must(unmap.status);
    return true;
}

static void grants(unsigned int vcpu)
{
    for (unsigned int i = 0; i < LENT; i++)
        while (!borrows(vcpu, lent[i]) && !time_is_up())
            cpu_relax();
}

static void one_deed(unsigned int at, unsigned int what)
{
    struct vcpu_register_runstate_memory_area to = {.addr.p = (uint64_t)&area[at][what / 8 % 2]};
    struct vcpu_set_periodic_timer often = {.period_ns = LATER};
    static vcpu_guest_context_t none;
    vcpu_runstate_info_t info;

    switch (what % 8) {
    case 0:
        must(HYPERVISOR_vcpu_op(VCPUOP_is_up, at, NULL) < 0);
        break;
    case 1:
        must(HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, at, &info));
        break;
    case 2:
        must(HYPERVISOR_vcpu_op(VCPUOP_register_runstate_memory_area, at, &to));
        break;
    case 3:
        must(HYPERVISOR_vcpu_op(VCPUOP_initialise, at, &none) != -XEN_EEXIST);
        break;
    case 4:
        must(HYPERVISOR_vcpu_op(VCPUOP_set_periodic_timer, at, &often));
        must(HYPERVISOR_vcpu_op(VCPUOP_stop_periodic_timer, at, NULL));
        break;
    case 5:
    case 6:
        must(at ? HYPERVISOR_vcpu_op(VCPUOP_down, at, NULL) : 0);
        break;
    default:
        must(HYPERVISOR_vcpu_op(VCPUOP_up, at, NULL));
    }
}

static void vcpus(unsigned int vcpu)
{
    unsigned int number = (unsigned int)cmdline_number("vcpus", 1);
    static uint32_t random[MAX_VCPUS];

    has_come[vcpu] = true;
    for (unsigned int i = 0; i < BATCH; i++) {
        uint32_t r = random[vcpu] = random[vcpu] * 1664525 + 1013904223 + vcpu;
        unsigned int at = (r >> 16) % number;

        if (has_come[at]) /* who has not may have no context yet */
            one_deed(at, r >> 24);
    }
    for (unsigned int v = 0; v < number; v++)
        if (has_come[v]) /* and who was taken down goes on */
            must(HYPERVISOR_vcpu_op(VCPUOP_up, v, NULL));
}

static int prepare_forks(void)
{
    for (unsigned int v = 0; v < (unsigned int)cmdline_number("vcpus", 1); v++)
        for (unsigned int i = 0; i < ARRAY_SIZE(space[v]); i++) {
            space[v][i] = page_alloc_zeroed();
            if (!space[v][i])
                return -XEN_ENOMEM;
        }
    return 0;
}

/* The pages of a space become tables, which nobody may write to, or plain pages again. */
static void protect_space(pte_t **pages, unsigned long flags)
{
    for (unsigned int i = 0; i < FORK_PAGES + 3; i++)
        must(pt_protect(pages[i], flags));
}

static void forks(unsigned int vcpu)
{
    pte_t **pages = space[vcpu], *l1, mine = pte_make(virt_to_mfn(works), PTE_PRESENT | PTE_USER);
    struct mmuext_op op = {.cmd = MMUEXT_PIN_L4_TABLE, .arg1.mfn = virt_to_mfn(pages[0])};

    pages[0][0] = pte_make(virt_to_mfn(pages[1]), PTE_TABLE);
    pages[1][0] = pte_make(virt_to_mfn(pages[2]), PTE_TABLE);
    for (unsigned int i = 0; i < FORK_PAGES; i++) {
        l1 = pages[3 + i];
        pages[2][i] = pte_make(virt_to_mfn(l1), PTE_TABLE);
        for (unsigned int j = 0; j < 512; j++)
            l1[j] = mine;
    }
    protect_space(pages, PTE_KERNEL_RO);
    must(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
    op.cmd = MMUEXT_UNPIN_TABLE;
    must(HYPERVISOR_mmuext_op(&op, 1, NULL, DOMID_SELF));
    protect_space(pages, PTE_KERNEL_RW);
}

static int prepare_tables(void)
{
    int rc = page_fight_begin();

    return rc ? rc : pt_map(FIGHT_AT, 0); /* makes the tables */
}

/* Has the page once by each use. */
static void tables(unsigned int vcpu)
{
    unsigned long va = FIGHT_AT + vcpu * PAGE_SIZE;

    while (!page_fight_as_memory(va) && !time_is_up())
        cpu_relax();
    while (!page_fight_as_table(va) && !time_is_up())
        cpu_relax();
    if (page_fight_wrong)
        panic("load: a page was memory and a table at once");
}

const struct work works[] = {
    {"spin", NULL, spin},
    {"duty", NULL, duty},
    {"latency", NULL, latency},
    {"hypercalls", NULL, hypercalls},
    {"events", prepare_events, events},
    {"flushes", NULL, flushes},
    {"ping", prepare_events, ping},
    {"shoot", NULL, shoot},
    {"grants", prepare_grants, grants},
    {"forks", prepare_forks, forks},
    {"vcpus", NULL, vcpus},
    {"tables", prepare_tables, tables},
    {NULL, NULL, NULL},
};
