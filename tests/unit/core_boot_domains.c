/* SPDX-License-Identifier: MIT */
/*
 * Boot-time domains: what parvis.cfg lists is built by the hypervisor itself, from files that the
 * boot left in RAM. A section that cannot be had is said and left out, and nothing of it stays;
 * when none can, the machine ends.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "loader_support.h"
#include "pv_mm_support.h"

#include <core/domain/domain_table.h>
#include <core/console/console.h>
#include <core/grant/grant_internal.h>
#include <core/life/boot_domains.h>
#include <core/state/guest_ops.h>
#include <stdlib.h>
#include <string.h>
#include <xen/grant_table.h>

#define FILES 14u /* frames where the boot left files */

static uint64_t kernel_at, bad_at; /* the first and the last of them */

static struct boot_info bi;
static uint64_t free_before;
static jmp_buf stopped;

static void on_stop(void)
{
    longjmp(stopped, 1);
}

static void add_domain(const char *name, bool control, int32_t kernel, uint64_t mib)
{
    struct boot_domain *b = &bi.domains[bi.nr_domains++];

    strcpy(b->name, name);
    strcpy(b->cmdline, "some words");
    b->is_control = control;
    b->kernel = kernel;
    b->ramdisk = 1;
    b->memory = mib << 20;
    b->vcpus = 2;
}

static int setup(void **state)
{
    static const struct simple_kernel simple = {
        .paddr = 0x10000, .size = 0x1000, .hypercall_page = 0x10000};
    size_t size;
    uint8_t *file = make_simple_kernel(&simple, &size);

    (void)state;
    mm_init(6000);
    kernel_at = frame_of(alloc_hv_pages(4)).n;
    bad_at = kernel_at + FILES - 1;
    for (unsigned int i = 0; i < FILES; i++)
        frame_table[kernel_at + i].order = FRAME_NOT_RAM; /* not the heap's */
    host_on_stop = on_stop;
    memset(&bi, 0, sizeof(bi));
    assert_true(size < (FILES - 1) * PAGE_SIZE);
    memcpy(map_frame(MFN(kernel_at)), file, size);
    memset(map_frame(MFN(bad_at)), 'x', 100);
    free(file);
    bi.modules[0] =
        (struct boot_module){.name = "kernel", .start = kernel_at * PAGE_SIZE, .size = size};
    bi.modules[1] = (struct boot_module){
        .name = "bad", .start = bad_at * PAGE_SIZE + 8, .size = 100}; /* direct start: any place */
    bi.nr_modules = 2;
    free_before = heap_free_frames();
    return 0;
}

static int teardown(void **state)
{
    (void)state;
    host_destroy_all();
    host_check_invariants();
    return 0;
}

static struct domain *with_id(domid_t id)
{
    struct domain *d = get_domain_by_id(id);

    if (d)
        put_domain(d);
    return d;
}

static void all_that_can_be_had(void **state)
{
    const struct grant_entry_v1 *e;
    struct domain *d;

    (void)state;
    add_domain("bad", false, 1, 4);
    add_domain("guest", false, 0, 4);
    add_domain("large", false, 0, 1024);
    add_domain("control", true, 0, 4);
    boot_domains_create(&bi);
    host_reap();
    assert_int_equal(host_recount(), 0);
    d = with_id(0);
    assert_true(d && d->is_control);
    assert_string_equal(d->name, "control");
    assert_int_equal(d->tot_pages, 1024);
    assert_true(vcpu_runnable(d->vcpu[0]));
    assert_true(d->vcpu[1] && !vcpu_runnable(d->vcpu[1]));
    for (d = next_domain(NULL); d && strcmp(d->name, "guest"); d = next_domain(d))
        assert_true(d->is_control); /* nobody else is left */
    assert_non_null(d);
    assert_int_equal(d->tot_pages, 1024);
    e = grant_shared(d->grant, GNTTAB_RESERVED_XENSTORE);
    assert_int_equal(e->domid, 0);
    assert_true(e->flags & GTF_permit_access);
    assert_int_equal(evtchn_from_port(&d->evtchn, 1)->state, EVTCHNSTAT_unbound);
    assert_true(vcpu_runnable(d->vcpu[0]));
    assert_non_null(strstr(host_console, "bad: "));
    assert_non_null(strstr(host_console, "large: "));
    assert_null(next_domain(d));
}

/* The machine has CPUs 0 and 1. What is counted on and not there is said, and the domain runs. */
static void cpus_of_a_domain(void **state)
{
    static const struct {
        uint32_t cap;
        uint64_t affinity;
        uint16_t cap_is;
        uint64_t affinity_is;
    } cases[] = {
        {0, 0, 0, ~0ull},   {200, 2, 200, 2},          {201, 1, 0, 1},       {50, ~0ull, 50, 3},
        {100, 0xe, 100, 2}, {1, 1ull << 63, 1, ~0ull}, {0, ~3ull, 0, ~0ull},
    };
    struct domain *d;
    const char *said;

    (void)state;
    host_set_cpus(2);
    for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
        char name[2] = {(char)('a' + i), 0};

        add_domain(name, false, 0, 3);
        bi.domains[i].cap = cases[i].cap;
        bi.domains[i].affinity = cases[i].affinity;
        bi.domains[i].weight = i ? 1000 + i : 0;
    }
    boot_domains_create(&bi);
    d = NULL;
    for (unsigned int i = 0; i < ARRAY_SIZE(cases); i++) {
        d = next_domain(d);
        assert_non_null(d);
        assert_int_equal(d->sched.weight, i ? 1000 + i : 256);
        assert_int_equal(d->sched.cap, cases[i].cap_is);
        assert_int_equal(d->vcpu[0]->affinity, cases[i].affinity_is);
        assert_int_equal(d->vcpu[1]->affinity, cases[i].affinity_is);
    }
    assert_non_null(strstr(host_console, "c: cap = 201, but here it can use 200 at most: no cap"));
    assert_null(strstr(host_console, "d: affinity"));
    said = strstr(host_console, "e: affinity: the last CPU is 1; those above are left out\r\n");
    assert_non_null(said);
    assert_null(strstr(said + 1, "e: affinity")); /* once for all */
    assert_non_null(
        strstr(host_console, "f: affinity: the last CPU is 1; it may run anywhere\r\n"));
    assert_non_null(
        strstr(host_console, "g: affinity: the last CPU is 1; it may run anywhere\r\n"));
}

/* Where `vcpus` is not given the control domain has as many as there are CPUs, a guest one. */
static void vcpus_that_are_not_given(void **state)
{
    struct domain *d;

    (void)state;
    host_set_cpus(3);
    add_domain("control", true, 0, 4);
    add_domain("guest", false, 0, 4);
    bi.domains[0].vcpus = bi.domains[1].vcpus = 0;
    boot_domains_create(&bi);
    d = with_id(0);
    assert_non_null(d);
    assert_int_equal(d->max_vcpus, 3);
    assert_non_null(d->vcpu[2]);
    d = next_domain(d);
    assert_non_null(d);
    assert_int_equal(d->max_vcpus, 1);
}

/* Without a control domain a guest has no store; what it prints is the hypervisor's to show. */
static void a_guest_alone(void **state)
{
    struct domain *d;

    (void)state;
    add_domain("alone", false, 0, 0); /* all that is left */
    boot_domains_create(&bi);
    host_reap();
    d = next_domain(NULL);
    assert_non_null(d);
    assert_null(next_domain(d));
    assert_null(control_domain);
    assert_true(d->tot_pages > 1024);
    assert_int_equal(grant_shared(d->grant, GNTTAB_RESERVED_XENSTORE)->flags, 0);
    assert_int_not_equal(grant_shared(d->grant, GNTTAB_RESERVED_CONSOLE)->flags, 0);
    assert_true(vcpu_runnable(d->vcpu[0]));
}

/* The memory of the files is the heap's when all are built, and the domain runs on what it was
 * given: tables, hypercall page, start_info. */
static void what_a_domain_is_given(void **state)
{
    struct vcpu_guest_context *c = host_guest(HOST_GUEST_BASE);
    const struct start_info *si;
    mfn_t table, where;
    uint64_t total = heap_total_frames();
    struct domain *d;
    gva_t va;

    (void)state;
    add_domain("control", true, 0, 4);
    bi.nr_mem = 3;
    bi.mem[0] = (struct boot_mem){kernel_at * PAGE_SIZE + 1, 12 * PAGE_SIZE, BOOT_MEM_LOADER, 0};
    bi.mem[1] = (struct boot_mem){0, PAGE_SIZE, BOOT_MEM_RESERVED, 0};
    bi.mem[2] = (struct boot_mem){2 * PAGE_SIZE, 12 * PAGE_SIZE, BOOT_MEM_LOADER, 0};
    boot_domains_create(&bi);
    host_reap();
    assert_int_equal(heap_total_frames(),
                     total + 11); /* whole frames alone, and none below 1 MiB */
    d = with_id(0);
    d->ops->get_context(d->vcpu[0], c);
    va = c->user_regs.rsi;
    table = MFN(c->ctrlreg[3] >> PAGE_SHIFT);
    for (int shift = 39; shift >= 12; shift -= 9) {
        const uint64_t *entries = map_frame(table);

        assert_true(entries[va >> shift & 511] & PTE_PRESENT);
        where = table;
        table = pte_mfn(entries[va >> shift & 511]);
    }
    assert_int_equal(mfn_to_page(where)->type_info & PGT_type_mask, PGT_l1_page_table);
    si = (const void *)((char *)map_frame(table) + (va & ~PAGE_MASK));
    assert_string_equal((const char *)si->cmd_line, "some words");
    assert_int_equal(si->nr_pages, 1024);
    assert_int_equal(si->shared_info, frame_of(d->shared_info).n << PAGE_SHIFT);
    assert_true(si->flags & SIF_INITDOMAIN);
}

static void none_at_all(void **state)
{
    (void)state;
    add_domain("bad", false, 1, 4);
    add_domain("worse", true, 1, 4);
    if (!setjmp(stopped)) {
        boot_domains_create(&bi);
        fail();
    }
    assert_int_equal(host_stops, 1);
    assert_int_equal(host_stop_kind, STOP_NOT_STARTED);
    host_reap();
    assert_null(next_domain(NULL));
    assert_non_null(strstr(host_console, "none of the 2 domains"));
    assert_int_equal(heap_free_frames(), free_before);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(all_that_can_be_had, setup, teardown),
        cmocka_unit_test_setup_teardown(cpus_of_a_domain, setup, teardown),
        cmocka_unit_test_setup_teardown(vcpus_that_are_not_given, setup, teardown),
        cmocka_unit_test_setup_teardown(a_guest_alone, setup, teardown),
        cmocka_unit_test_setup_teardown(what_a_domain_is_given, setup, teardown),
        cmocka_unit_test_setup_teardown(none_at_all, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
