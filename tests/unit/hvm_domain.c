/* SPDX-License-Identifier: MIT */
/*
 * The life of a fully virtualized domain: built by the hypervisor from a kernel, run for some
 * exits, asked about and robbed by the control domain, ended; with memory that ends at any point,
 * and a teardown that gives way at each step.
 */
#include <core/guest/memory_op.h>
#include <pv/pv_mm.h>

#include "hvm_guest.h"
#include "hvm_whole.h"
#include "loader_support.h"

#include <core/control/domctl.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/frame/m2p.h>
#include <core/life/domain_system.h>
#include <core/life/life.h>
#include <core/sched/pause.h>
#include <core/state/guest_ops.h>
#include <hvm/hvm_ops.h>
#include <hvm/npt.h>
#include <xen/arch-x86/hvm/start_info.h>
#include <xen/hvm/params.h>
#include <xen/io/console.h>
#include <xen/memory.h>
#include <xen/sched.h>

#define PAGES     1100u
#define RESERVED  0xfc001ull /* the console's ring */
#define ALL_PAGES (PAGES + 2)

static const struct simple_kernel small = {.paddr = 0x200000, .size = 10000, .pvh_entry = 0x200100};
static uint8_t ramdisk[5000];
static uint8_t *kernel;
static size_t kernel_size;
static uint64_t free_before;
static gfn_t console;
static const struct guest_ops *kind;
static bool has_store;

static int start(void **state)
{
    (void)state;
    host_init(4096);
    host_no_tlbs = true;
    host_hvm_lacks = NULL;
    host_hvm_affinity = ~0ull;
    kind = &hvm_guest_ops;
    has_store = false;
    dom0 = host_domain(0, true, 1, 0);
    guest_kinds[0] = &hvm_guest_ops;
    kernel = make_simple_kernel(&small, &kernel_size);
    return 0;
}

/* What is kept for the next (pages of small objects) is no frame that is missing. */
static void note_free(void)
{
    host_destroy(host_domain(1, false, 2, 0));
    free_before = heap_free_frames();
}

static int create(void)
{
    const struct domain_config cfg = {
        .kind = kind,
        .domid = 1,
        .max_vcpus = 2,
        .max_evtchn_port = NR_EVTCHNS - 1,
        .max_grant_frames = 4,
        .max_maptrack_frames = 8,
    };
    struct build_args args = {
        .kernel = kernel,
        .kernel_size = kernel_size,
        .ramdisk = ramdisk,
        .ramdisk_size = sizeof(ramdisk),
        .cmdline = "console=ttyS0",
        .nr_pages = PAGES,
    };
    gfn_t store = INVALID_GFN;
    int rc = domain_create(&cfg, &d);

    console = INVALID_GFN;
    if (rc)
        return rc;
    while ((rc = vcpus_create(d)) == -XEN_ERESTART)
        ;
    if (!rc)
        rc = evtchn_alloc_unbound(d, 0, NULL, &args.console_port);
    if (!rc && has_store)
        rc = evtchn_alloc_unbound(d, 0, NULL, &args.store_port);
    if (!rc)
        rc = d->ops->build(d, &args, &store, &console);
    if (rc)
        host_destroy(d);
    assert_int_equal(store.n, has_store && !rc ? RESERVED + 1 : INVALID_GFN.n);
    return rc;
}

/* Where its frames are referred to beside its nested tables: by the UART. */
static void recount(void)
{
    static uint8_t held[4096];

    memset(held, 0, sizeof(held));
    if (d->arch.hvm.console)
        held[page_to_mfn(d->arch.hvm.console).n] = 1;
    hvm_recount(d, held);
    host_check_invariants();
}

static int setup(void **state)
{
    start(state);
    note_free();
    if (create() || domain_unpause_by_controller(d))
        abort();
    v = d->vcpu[0];
    b = vmcb_of(v);
    host_run_as(v);
    return 0;
}

static void finish(void)
{
    host_run_as(dom0->vcpu[0]);
    host_destroy(d);
    host_check_invariants();
    assert_int_equal(heap_free_frames(), free_before);
    host_destroy(dom0);
    free(kernel);
    assert_int_equal(host_locks_held(), 0);
}

static int teardown(void **state)
{
    (void)state;
    finish();
    return 0;
}

/* --- built --- */

static void as_pvh_begins(void **state)
{
    const struct hvm_start_info *info;

    (void)state;
    recount();
    assert_int_equal(d->tot_pages, ALL_PAGES);
    assert_int_equal(console.n, RESERVED);
    assert_int_equal(v->regs.rip, 0x200100);
    info = whole_memory(v->regs.rbx);
    assert_int_equal(info->magic, XEN_HVM_START_MAGIC_VALUE);
    assert_true(hvm_before_entry(v));
    assert_int_equal(b->save.rip, 0x200100);
    assert_int_equal(b->control.nested_cr3, frame_of(d->arch.hvm.npt).n << PAGE_SHIFT);
    assert_int_equal(b->control.nested, 1);
    assert_true(b->control.asid != 0);
    assert_true(d->vcpu[1]->pause_flags & VPF_down);
}

/* A line to the console, then the power goes off. */
static void it_runs(void **state)
{
    const struct xencons_interface *ring = map_frame(d->ops->gfn_to_mfn(d, console));

    (void)state;
    for (const char *s = "hello"; *s; s++) {
        v->regs.rax = (uint8_t)*s;
        whole_exit(EXIT_IOIO, 0x3f8u << 16 | 1u << 4, v->regs.rip + 1);
    }
    assert_int_equal(ring->out_prod, 5);
    assert_memory_equal(ring->out, "hello", 5);
    v->regs.rax = 5u << 10 | 1u << 13;
    whole_exit(EXIT_IOIO, 0x604u << 16 | 2u << 4, v->regs.rip + 1);
    assert_int_equal(whole_end(), SHUTDOWN_poweroff);
    recount();
}

/* It halts, is paused, is ended: none of which wakes it. */
static void ended_in_hlt(void **state)
{
    (void)state;
    whole_exit(EXIT_HLT, 0, 0);
    assert_false(hvm_before_entry(v));
    host_exit_path();
    domain_pause_by_controller(d);
    assert_int_equal(domain_unpause_by_controller(d), 0);
    assert_true(v->pause_flags & VPF_blocked);
    assert_ptr_not_equal(current, v);
}

/* Where the CPUs bid it, unless somebody says otherwise. */
static void where_it_runs(void **state)
{
    (void)state;
    note_free();
    host_hvm_affinity = ~1ull;
    assert_int_equal(create(), 0);
    assert_int_equal(d->vcpu[0]->affinity, ~1ull);
    assert_int_equal(d->vcpu[1]->affinity, ~1ull);
    finish();
}

static void no_such_machine(void **state)
{
    (void)state;
    host_hvm_lacks = "there is none";
    assert_int_equal(create(), -XEN_EOPNOTSUPP);
    host_hvm_lacks = NULL;
    note_free();
    assert_int_equal(create(), 0);
    finish();
}

/* No kernel for this protocol: what it had goes back. */
static void no_such_kernel(void **state)
{
    (void)state;
    note_free();
    memset(kernel, 0, 4);
    assert_int_not_equal(create(), 0);
    assert_int_equal(heap_free_frames(), free_before);
    host_check_invariants();
    host_destroy(dom0);
    free(kernel);
}

/* It may ask for its memory map: RAM, ACPI's tables, and where the rings are. */
static void check_map(void)
{
    struct xen_memory_map m = {.nr_entries = 8, .buffer = LIST};
    const struct e820_entry *map = host_guest(LIST);

    assert_int_equal(call_with(d->vcpu[0], memory_op, XENMEM_memory_map, &m), 0);
    assert_int_equal(m.nr_entries, 3);
    assert_int_equal(map[0].start, 0);
    assert_int_equal(map[0].size, PAGES * PAGE_SIZE);
    assert_int_equal(map[0].type, 1);
    assert_int_equal(map[1].type, 3);
    assert_int_equal(map[2].start, RESERVED << PAGE_SHIFT);
    assert_int_equal(map[2].type, 2);
    m.nr_entries = 2;
    assert_int_equal(call_with(d->vcpu[0], memory_op, XENMEM_memory_map, &m), -XEN_EINVAL);
    host_run_as(dom0->vcpu[0]);
}

/* Profile pvh: the rings are where parameters say, and nobody is at their end for the guest. */
static void told_of_xen(void **state)
{
    const uint64_t *param;

    (void)state;
    kind = &pvh_guest_ops;
    assert_int_equal(create(), 0);
    param = d->arch.hvm.param;
    assert_int_equal(console.n, RESERVED);
    assert_int_equal(param[HVM_PARAM_CONSOLE_PFN], RESERVED);
    assert_int_equal(param[HVM_PARAM_CONSOLE_EVTCHN], 1);
    assert_int_equal(param[HVM_PARAM_STORE_PFN], 0);
    assert_int_equal(param[HVM_PARAM_STORE_EVTCHN], 0);
    assert_null(d->arch.hvm.console);
    assert_int_equal(d->tot_pages, ALL_PAGES);
    recount();
    host_destroy(d);
    has_store = true;
    assert_int_equal(create(), 0);
    param = d->arch.hvm.param;
    assert_int_equal(param[HVM_PARAM_STORE_PFN], RESERVED + 1);
    assert_int_equal(param[HVM_PARAM_STORE_EVTCHN], 2);
    assert_int_equal(d->tot_pages, ALL_PAGES + 1);
    recount();
    assert_int_equal(domain_unpause_by_controller(d), 0);
    check_map();
    host_destroy(d);
    has_store = false;
    note_free();
    assert_int_equal(create(), 0);
    finish();
}

static void memory_ends_at_any_point(void **state)
{
    unsigned int failures = 0;

    (void)state;
    assert_int_equal(create(), 0);
    host_destroy(d);
    free_before = heap_free_frames();
    for (uint64_t spare = 0;; spare += spare < 60 ? 1 : 97) {
        int rc;

        hvm_hoard_all_but(spare);
        rc = create();
        if (!rc)
            break;
        failures++;
        assert_int_equal(rc, -XEN_ENOMEM);
        hvm_give_hoard_back();
        assert_true(heap_free_frames() + 4 > free_before); /* pages of small objects are kept */
        host_check_invariants();
    }
    assert_true(failures > 60);
    recount();
    hvm_give_hoard_back();
    finish();
}

/* --- ended --- */

static void in_single_turns(void **state)
{
    unsigned int turns = 0;
    int rc;

    (void)state;
    host_run_as(dom0->vcpu[0]);
    do {
        this_cpu()->slice_end = 1; /* it is over */
        rc = domain_kill(d);
        turns++;
        host_check_invariants();
    } while (rc == -XEN_ERESTART);
    assert_int_equal(rc, 0);
    assert_true(turns > ALL_PAGES / 512);
    host_reap();
    assert_int_equal(heap_free_frames(), free_before);
    if (create())
        abort();
}

/* A frame that another has holds the struct, but nothing of what it ran with. */
static void a_frame_outlives_it(void **state)
{
    struct page_info *pg = get_page_from_gfn(GFN(5), d);

    (void)state;
    assert_non_null(pg);
    host_run_as(dom0->vcpu[0]);
    host_destroy(d);
    assert_null(v->arch.hvm.vmcb);
    assert_int_equal(d->tot_pages, 1);
    assert_true(mfn_eq(d->ops->gfn_to_mfn(d, GFN(5)), INVALID_MFN));
    put_page(pg);
    host_reap();
    assert_int_equal(heap_free_frames(), free_before);
    if (create())
        abort();
}

/* --- the control domain asks, and tries --- */

static long domctl(struct xen_domctl *op)
{
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    op->domain = 1;
    memcpy(host_guest(ARG), op, sizeof(*op));
    return call(dom0->vcpu[0], domctl, ARG);
}

static void contexts(void **state)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_getvcpucontext, .u.vcpucontext.ctxt = LIST};
    const struct vcpu_guest_context *c = host_guest(LIST);

    (void)state;
    b->save.cr3 = 0x7000;
    assert_int_equal(domctl(&op), 0);
    assert_int_equal(c->user_regs.rip, 0x200100);
    assert_int_equal(c->ctrlreg[3], 0x7000);
    op.u.vcpucontext.vcpu = 1;
    assert_int_equal(domctl(&op), -XEN_ENODATA);
    op.cmd = XEN_DOMCTL_setvcpucontext;
    assert_int_equal(domctl(&op), -XEN_EOPNOTSUPP);
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_hypercall_init, .u.hypercall_init.gmfn = 5};
    assert_int_equal(domctl(&op), -XEN_EOPNOTSUPP);
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_getpageframeinfo3,
                             .u.getpageframeinfo3 = {.num = 2, .array = LIST}};
    memcpy(host_guest(LIST), (uint64_t[]){5, 0xfee00}, 16);
    assert_int_equal(domctl(&op), 0);
    assert_memory_equal(host_guest(LIST),
                        ((uint64_t[]){XEN_DOMCTL_PFINFO_NOTAB, XEN_DOMCTL_PFINFO_XTAB}), 16);
}

static long reserve(unsigned int cmd, const uint64_t *gfns, uint64_t n, unsigned int order)
{
    struct xen_memory_reservation r = {
        .extent_start = LIST, .nr_extents = n, .extent_order = order, .domid = 1};

    memcpy(host_guest(LIST), gfns, n * sizeof(*gfns));
    return call_with(dom0->vcpu[0], memory_op, cmd, &r);
}

/* A frame that is given back is no more where the guest had it; one may come there again, and none
 * that would be nowhere. */
static void memory_given_back(void **state)
{
    static const uint64_t gfns[] = {7, 0x208, 7, 8};
    mfn_t mfn = d->ops->gfn_to_mfn(d, GFN(7));

    (void)state;
    assert_int_equal(reserve(XENMEM_decrease_reservation, gfns, 4, 0), 2); /* 7 is not there */
    assert_int_equal(d->tot_pages, ALL_PAGES - 2);
    assert_true(mfn_eq(d->ops->gfn_to_mfn(d, GFN(7)), INVALID_MFN));
    assert_true(mfn_eq(d->ops->gfn_to_mfn(d, GFN(0x208)), INVALID_MFN));
    assert_true(mfn_eq(d->ops->gfn_to_mfn(d, GFN(8)), MFN(mfn.n + 1)));
    recount();
    assert_int_equal(reserve(XENMEM_decrease_reservation, (uint64_t[]){16}, 1, 3), 1);
    assert_int_equal(d->tot_pages, ALL_PAGES - 10);
    recount();
    assert_int_equal(reserve(XENMEM_increase_reservation, gfns, 1, 0), 0);
    assert_int_equal(d->tot_pages, ALL_PAGES - 10);
    assert_int_equal(reserve(XENMEM_populate_physmap, gfns, 2, 0), 2);
    assert_int_equal(reserve(XENMEM_populate_physmap, gfns, 1, 0), 0);
    assert_int_equal(d->tot_pages, ALL_PAGES - 8);
    recount();
}

/* As it goes, another CPU, which was about to move it, puts it in again. */
static int take_out_and_back(struct domain *of, gfn_t gfn, mfn_t mfn)
{
    int rc = kind->take_out(of, gfn, mfn);

    return rc ? rc : npt_map(of, gfn, mfn, 0);
}

static void memory_given_back_and_moved(void **state)
{
    struct guest_ops raced = *kind;
    mfn_t mfn = d->ops->gfn_to_mfn(d, GFN(7));

    (void)state;
    raced.take_out = take_out_and_back;
    d->ops = &raced;
    assert_int_equal(reserve(XENMEM_decrease_reservation, (uint64_t[]){7}, 1, 0), 1);
    d->ops = kind;
    assert_int_equal(machine_to_phys[mfn.n], 7);
    recount();
    assert_int_equal(d->ops->take_out(d, GFN(7), mfn), 0);
    assert_int_equal(machine_to_phys[mfn.n], INVALID_GPFN);
    assert_int_equal(d->tot_pages, ALL_PAGES - 1);
}

/* The console's ring is held by the UART: it leaves its place, and the domain at the end. */
static void the_ring_given_back(void **state)
{
    (void)state;
    assert_int_equal(reserve(XENMEM_decrease_reservation, (uint64_t[]){RESERVED}, 1, 0), 1);
    assert_int_equal(d->tot_pages, ALL_PAGES);
    v->regs.rax = 'x';
    whole_exit(EXIT_IOIO, 0x3f8u << 16 | 1u << 4, v->regs.rip + 1);
}

/* Its frames are written by it whatever their type is, and are where its entries say. */
static void no_tables_of_ours(void **state)
{
    mfn_t mfn = d->ops->gfn_to_mfn(d, GFN(7));
    struct page_info *pg = mfn_to_page(mfn);
    struct mmu_update update = {.ptr = mfn.n << PAGE_SHIFT | MMU_MACHPHYS_UPDATE, .val = 99};
    uint64_t type = pg->type_info;

    (void)state;
    host_run_as(dom0->vcpu[0]);
    assert_int_equal(pv_pin_table(d, mfn, PGT_l1_page_table), -XEN_EOPNOTSUPP);
    assert_int_equal(pg->type_info, type);
    memcpy(host_guest(ARG), &update, sizeof(update));
    assert_int_equal(call(dom0->vcpu[0], mmu_update, ARG, 1, 0, 1), -XEN_EOPNOTSUPP);
    assert_int_equal(machine_to_phys[mfn.n], 7);
}

#define T(f) cmocka_unit_test_setup_teardown(f, setup, teardown)
#define S(f) cmocka_unit_test_setup(f, start)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(as_pvh_begins),
        T(it_runs),
        T(ended_in_hlt),
        S(where_it_runs),
        S(no_such_machine),
        S(no_such_kernel),
        S(told_of_xen),
        S(memory_ends_at_any_point),
        T(in_single_turns),
        T(a_frame_outlives_it),
        T(contexts),
        T(memory_given_back),
        T(memory_given_back_and_moved),
        T(the_ring_given_back),
        T(no_tables_of_ours),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
