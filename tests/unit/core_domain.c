/* SPDX-License-Identifier: MIT */
/*
 * Domains: created and destroyed they leave nothing, also when memory runs out at any point; frames
 * that others hold keep what must be kept; pauses nest; shutdown keeps its reason, crash says why;
 * watchdogs.
 */
#include "core_test.h"

#include <core/domain/claim.h>
#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <core/life/domain_system.h>
#include <core/life/life.h>
#include <core/sched/pause.h>
#include <core/base/log.h>
#include <core/life/watchdog.h>
#include <core/state/guest_ops.h>
#include <parvis/boot_info.h>
#include <pv/mm.h>
#include <pv/pv_bits.h>
#include <pv/pv_ops.h>
#include <xen/sched.h>

static struct domain *dom0;

static int setup(void **state)
{
    (void)state;
    host_init(8192);
    dom0 = host_domain(0, true, 1, 0);
    return 0;
}

static const struct domain_config config = {.domid = DOMID_INVALID,
                                            .max_vcpus = 2,
                                            .max_evtchn_port = 1023,
                                            .max_grant_frames = 4,
                                            .max_maptrack_frames = 4};

static void to_the_page(void **state)
{
    uint64_t before = heap_free_frames();

    (void)state;
    for (int i = 0; i < 50; i++) {
        struct domain *d =
            host_domain(DOMID_INVALID, false, 1 + (unsigned int)i % 64, 10 + (uint64_t)i);

        host_check_invariants();
        host_destroy(d);
        host_check_invariants();
        assert_int_equal(heap_free_frames(), before);
    }
}

static void ids_go_round(void **state)
{
    struct domain *d = host_domain(DOMID_INVALID, false, 1, 0), *e;
    domid_t first = d->domain_id;

    (void)state;
    host_destroy(d);
    assert_null(get_domain_by_id(first));
    e = host_domain(DOMID_INVALID, false, 1, 0);
    assert_int_not_equal(e->domain_id, first); /* a stale number finds nobody */
    assert_null(get_domain_by_id(DOMID_IO));
    assert_null(get_domain_by_id(0xffff));
}

static void refused_configurations(void **state)
{
    struct domain_config c = config;
    struct domain *d;
    uint64_t before = heap_free_frames();

    (void)state;
    c.kind = guest_kinds[0];
    c.max_vcpus = 0;
    assert_int_equal(domain_create(&c, &d), -XEN_EINVAL);
    c.max_vcpus = MAX_VCPUS + 1;
    assert_int_equal(domain_create(&c, &d), -XEN_EINVAL);
    c.max_vcpus = 1;
    c.domid = 0;
    assert_int_equal(domain_create(&c, &d), -XEN_EEXIST);
    c.domid = DOMID_SELF;
    assert_int_equal(domain_create(&c, &d), -XEN_EINVAL);
    c.domid = DOMID_INVALID;
    c.is_control = true;
    assert_int_equal(domain_create(&c, &d), -XEN_EEXIST);
    host_check_invariants();
    assert_int_equal(heap_free_frames(), before);
}

/* With so many frames left, a domain of this kind is created whole or not at all. */
static bool created_with(uint64_t left, const struct guest_ops *kind)
{
    struct domain_config c = config;
    struct page_info *pg;
    struct domain *d = NULL;
    uint64_t before;
    int rc;

    setup(NULL);
    c.kind = kind;
    pv_zero_page = MFN(0);
    while (heap_free_frames() > left && (pg = alloc_frames(0, 0)) != NULL) {
    }
    before = heap_free_frames();
    rc = domain_create(&c, &d);
    if (!rc)
        rc = vcpu_create(d, 0);
    if (!rc)
        rc = vcpu_create(d, 1);
    if (d)
        host_destroy(d);
    host_check_invariants();
    assert_true(!rc || rc == -XEN_ENOMEM);
    assert_int_equal(heap_free_frames(), before - (pv_zero_page.n != 0)); /* all domains' */
    assert_null(get_domain_by_id(1));
    return !rc;
}

static void memory_runs_out_anywhere(void **state)
{
    const struct guest_ops *const kind[] = {guest_kinds[0], &pv_guest_ops};

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(kind); i++) {
        unsigned int left = 0;

        while (!created_with(left, kind[i]))
            left++;
        assert_in_range(left, 4, 40);
    }
}

/* A frame that somebody else holds stays, with the domain's struct and id, until it is let go. */
static void a_held_frame_keeps_its_owner(void **state)
{
    struct domain *d = host_domain(7, false, 1, 10);
    struct page_info *pg = page_list_first(&d->pages);
    uint64_t before;

    (void)state;
    assert_true(get_page(pg, d));
    host_destroy(d);
    host_check_invariants();
    d = get_domain_by_id(7);
    assert_non_null(d);
    assert_int_equal(d->tot_pages, 1);
    assert_ptr_equal(owner_of_page(pg), d);
    put_domain(d);
    before = heap_free_frames();
    put_page(pg);
    assert_null(get_domain_by_id(7));
    assert_true(heap_free_frames() > before);
    assert_false(get_page(pg, dom0));
    host_check_invariants();
}

/* Frames of a dying domain that lie together go in aligned blocks, so many in a turn. */
static void neighbours_go_in_blocks(void **state)
{
    struct page_info *pg = alloc_frames(3, 0);
    struct domain *d = host_domain(DOMID_INVALID, false, 1, 0);

    (void)state;
    d->max_pages = 7;
    for (unsigned int i = 1; i < 8; i++)
        assert_int_equal(domain_assign_frames(d, &pg[i], 0), 0);
    assert_int_equal(free_plain_pages(d, 4), 4);
    host_check_invariants();
}

/* Many that are held until one moment are freed one at a time, with interrupts in between. */
static void many_at_once(void **state)
{
    struct domain *d[5];

    (void)state;
    for (unsigned int i = 0; i < 5; i++) {
        d[i] = host_domain(DOMID_INVALID, false, 1, 4);
        get_knownalive_domain(d[i]);
        host_destroy(d[i]);
    }
    for (unsigned int i = 0; i < 5; i++)
        put_domain(d[i]);
    for (unsigned int left = 5; left; left--) {
        unsigned int n = 0;

        for (struct domain *at = this_cpu()->dead; at; at = at->next_dead)
            n++;
        assert_int_equal(n, left);
        assert_true(this_cpu()->pending & CPU_WORK_REAP || host_armed <= clock_now());
        atomic_or(&this_cpu()->pending, CPU_WORK_TIMER); /* the interrupt, which comes at once */
        host_exit_path();
    }
    assert_null(this_cpu()->dead);
}

static void shared_info_held(void **state)
{
    struct domain *d = host_domain(7, false, 1, 0);
    struct page_info *pg = mfn_to_page(frame_of(d->shared_info));

    (void)state;
    assert_true(get_page(pg, d));
    host_destroy(d);
    assert_non_null(owner_of_page(pg));
    put_page(pg);
    assert_null(get_domain_by_id(7));
}

static void references_cannot_overflow(void **state)
{
    struct domain *d = host_domain(7, false, 1, 1);
    struct page_info *pg = page_list_first(&d->pages);

    (void)state;
    pg->count_info = PGC_allocated | (PGC_count_mask - 1);
    assert_true(get_page(pg, d));
    assert_false(get_page(pg, d));
    pg->count_info = 0; /* it goes, and its owner is still to be read */
    assert_false(get_page(pg, d));
    assert_int_equal(pg->count_info, 0);
    pg->count_info = PGC_allocated | 1;
    assert_false(get_page(pg, dom0));
    assert_int_equal(pg->count_info, PGC_allocated | 1);
}

static void limits_hold(void **state)
{
    struct domain *d = host_domain(7, false, 1, 5);

    (void)state;
    assert_null(host_frames(d, 0));
    d->max_pages = 8;
    assert_null(host_frames(d, 2)); /* 4 more, where 3 may come */
    assert_non_null(host_frames(d, 1));
    d->max_pages = 2; /* below what it has */
    assert_null(host_frames(d, 0));
    host_check_invariants();
}

static void stealing(void **state)
{
    struct domain *d = host_domain(7, false, 1, 3);
    struct page_info *pg = page_list_first(&d->pages);

    (void)state;
    assert_int_equal(steal_page(dom0, pg), -XEN_EINVAL);
    assert_true(get_page(pg, d));
    assert_int_equal(steal_page(d, pg), -XEN_EBUSY);
    put_page(pg);
    pg->type_info = PGT_seg_desc_page | 1; /* XSA-214 */
    assert_int_equal(steal_page(d, pg), -XEN_EBUSY);
    pg->type_info = 0;
    assert_int_equal(steal_page(d, mfn_to_page(frame_of(d->shared_info))), -XEN_EINVAL);
    assert_int_equal(steal_page(d, pg), 0);
    assert_int_equal(d->tot_pages, 2);
    assert_false(get_page(pg, d));
    free_frames(pg, 0);
    host_check_invariants();
}

static void pauses_nest(void **state)
{
    struct domain *d = host_domain(7, false, 2, 0);
    struct vcpu *v = d->vcpu[0];

    (void)state;
    host_exit_path();
    domain_pause(d);
    vcpu_pause(v);
    domain_pause_by_controller(d);
    domain_pause_by_controller(d);
    host_exit_path();
    host_check_invariants();
    assert_ptr_equal(current->domain->domain_id == 7 ? v : NULL, NULL);
    domain_unpause(d);
    assert_false(vcpu_runnable(v));
    assert_int_equal(domain_unpause_by_controller(d), 0);
    assert_int_equal(domain_unpause_by_controller(d), -XEN_EINVAL);
    assert_false(vcpu_runnable(v));
    assert_true(vcpu_runnable(d->vcpu[1]));
    vcpu_unpause(v);
    assert_true(vcpu_runnable(v));
    host_check_invariants();
}

static void shutdown_keeps_its_reason(void **state)
{
    struct domain *d = host_domain(7, false, 1, 0);
    struct sched_shutdown s = {.reason = SHUTDOWN_suspend};

    (void)state;
    assert_int_equal(call_with(d->vcpu[0], sched_op, SCHEDOP_shutdown, &s), 0);
    assert_int_equal(d->shutdown_code, SHUTDOWN_suspend);
    assert_true(d->shutting_down && !vcpu_runnable(d->vcpu[0]));
    domain_shutdown(d, SHUTDOWN_crash); /* the first word counts */
    assert_int_equal(d->shutdown_code, SHUTDOWN_suspend);
    host_exit_path();
    domain_resume(d);
    domain_resume(d);
    assert_true(vcpu_runnable(d->vcpu[0]));
    assert_int_equal(d->shutdown_code, ~0u);
    domain_crash(d, "because of %s", "a test");
    assert_int_equal(d->shutdown_code, SHUTDOWN_crash);
    assert_non_null(strstr(host_console, "because of a test"));
    host_exit_path();
    host_check_invariants();
}

/* One tells why, and what it was doing; the others are silent. */
static void all_crash_at_once(void **state)
{
    struct domain *d = host_domain(7, false, 4, 0);
    const char *word;
    struct vcpu *v;

    (void)state;
    host_console_len = 0;
    for_each_vcpu (d, v) {
        host_run_as(v);
        domain_crash(d, "because of vCPU %u", v->vcpu_id);
    }
    word = strstr(host_console, "crashed: because of vCPU 0");
    assert_non_null(word);
    assert_null(strstr(word + 1, "crashed"));
    word = strstr(host_console, "vcpu 0");
    assert_non_null(word);
    assert_null(strstr(word + 1, "vcpu"));
    assert_int_equal(d->pause_count, 1);
}

static jmp_buf stopped;

static void on_stop(void)
{
    longjmp(stopped, 1);
}

static void end_of_the_machine(uint32_t first, uint32_t second, enum stop_kind expected)
{
    struct boot_info *bi = calloc(1, sizeof(*bi));
    struct domain *a, *b;

    host_init(2048);
    machine_end_init(bi);
    free(bi);
    host_on_stop = on_stop;
    a = host_domain(DOMID_INVALID, false, 1, 0);
    b = host_domain(DOMID_INVALID, false, 1, 0);
    domain_shutdown(a, first);
    assert_int_equal(host_stops, 0);
    if (!setjmp(stopped)) {
        domain_shutdown(b, second);
        fail();
    }
    assert_int_equal(host_stop_kind, expected);
}

static void without_a_control_domain(void **state)
{
    (void)state;
    end_of_the_machine(SHUTDOWN_poweroff, SHUTDOWN_poweroff, STOP_POWEROFF);
    end_of_the_machine(SHUTDOWN_crash, SHUTDOWN_poweroff, STOP_CRASHED);
    end_of_the_machine(SHUTDOWN_poweroff, SHUTDOWN_poweroff, STOP_POWEROFF);
    end_of_the_machine(SHUTDOWN_poweroff, SHUTDOWN_watchdog, STOP_CRASHED);
    end_of_the_machine(SHUTDOWN_poweroff, SHUTDOWN_reboot, STOP_ASKED_REBOOT);
    end_of_the_machine(SHUTDOWN_reboot, SHUTDOWN_poweroff, STOP_ASKED_REBOOT);
    end_of_the_machine(SHUTDOWN_crash, SHUTDOWN_reboot, STOP_CRASHED);
    end_of_the_machine(SHUTDOWN_reboot, SHUTDOWN_crash, STOP_CRASHED);
}

static void end_of_the_control_domain(void **state)
{
    (void)state;
    host_on_stop = on_stop;
    if (!setjmp(stopped)) {
        domain_shutdown(dom0, SHUTDOWN_reboot);
        fail();
    }
    assert_int_equal(host_stop_kind, STOP_REBOOT);
}

static void crash_of_the_control_domain(void)
{
    host_on_stop = on_stop;
    if (!setjmp(stopped)) {
        domain_crash(dom0, "because of a test");
        fail();
    }
    assert_int_equal(host_stop_kind, STOP_CRASHED);
}

/* One that dies before its first word leaves its operator nothing to go by. */
static void control_domain_crashes_silently(void **state)
{
    (void)state;
    crash_of_the_control_domain();
    assert_non_null(strstr(host_console, "earlyprintk=xen"));
}

static void control_domain_crashes_after_a_word(void **state)
{
    (void)state;
    memcpy(host_guest(LIST), "a word", 6);
    assert_int_equal(call(dom0->vcpu[0], console_io, CONSOLEIO_write, 6, LIST), 0);
    crash_of_the_control_domain();
    assert_null(strstr(host_console, "earlyprintk=xen"));
}

static void watchdogs(void **state)
{
    struct domain *d = host_domain(7, false, 1, 0);

    (void)state;
    assert_int_equal(domain_watchdog_set(d, 0, 0), -XEN_EINVAL);
    assert_int_equal(domain_watchdog_set(d, 3, 5), -XEN_EINVAL);
    assert_int_equal(domain_watchdog_set(d, 1, 5), -XEN_EINVAL); /* not started */
    assert_int_equal(domain_watchdog_set(d, 0, 10), 1);
    assert_int_equal(domain_watchdog_set(d, 0, 10), 2);
    assert_int_equal(domain_watchdog_set(d, 0, 10), -XEN_ENOSPC);
    host_advance(SECONDS(9));
    assert_int_equal(domain_watchdog_set(d, 1, 10), 0);
    assert_int_equal(domain_watchdog_set(d, 2, 0), 0);
    host_advance(SECONDS(9));
    assert_false(d->shutting_down);
    host_advance(SECONDS(2));
    assert_int_equal(d->shutdown_code, SHUTDOWN_watchdog);
}

static void claims(void **state)
{
    struct domain *d = host_domain(7, false, 1, 4), *e = host_domain(8, false, 1, 0);
    uint64_t free;

    (void)state;
    d->max_pages = e->max_pages = 1 << 20;
    free = heap_free_frames();
    assert_int_equal(claim_set(d, free + 5), -XEN_ENOMEM);
    assert_int_equal(claim_set(d, 4), -XEN_EINVAL); /* it has that */
    assert_int_equal(claim_set(d, free), 0);
    assert_int_equal(claim_set(d, free), -XEN_EINVAL);
    assert_int_equal(claims_outstanding(), free - 4);
    for (int i = 0; i < 4; i++)
        assert_non_null(host_frames(e, 0));
    assert_null(host_frames(e, 0)); /* the rest is promised */
    assert_non_null(host_frames(d, 3));
    assert_int_equal(claims_outstanding(), free - 12);
    host_destroy(d);
    assert_int_equal(claims_outstanding(), 0);
    assert_non_null(host_frames(e, 0));
    host_check_invariants();
}

static void control_alone_ends_others(void **state)
{
    struct domain *d = host_domain(7, false, 1, 0);
    struct sched_remote_shutdown s = {.domain_id = 7, .reason = SHUTDOWN_poweroff};

    (void)state;
    assert_int_equal(call_with(d->vcpu[0], sched_op, SCHEDOP_remote_shutdown, &s), -XEN_EPERM);
    assert_int_equal(call_with(dom0->vcpu[0], sched_op, SCHEDOP_remote_shutdown, &s), 0);
    assert_int_equal(d->shutdown_code, SHUTDOWN_poweroff);
    s.domain_id = 9;
    assert_int_equal(call_with(dom0->vcpu[0], sched_op, SCHEDOP_remote_shutdown, &s), -XEN_ESRCH);
    assert_int_equal(domain_kill(dom0), -XEN_EINVAL); /* not oneself */
}

int main(void)
{
#define TEST(f) cmocka_unit_test_setup(f, setup)
    const struct CMUnitTest tests[] = {
        TEST(to_the_page),
        TEST(ids_go_round),
        TEST(refused_configurations),
        TEST(memory_runs_out_anywhere),
        TEST(a_held_frame_keeps_its_owner),
        TEST(neighbours_go_in_blocks),
        TEST(many_at_once),
        TEST(shared_info_held),
        TEST(references_cannot_overflow),
        TEST(limits_hold),
        TEST(stealing),
        TEST(pauses_nest),
        TEST(shutdown_keeps_its_reason),
        TEST(without_a_control_domain),
        TEST(end_of_the_control_domain),
        TEST(all_crash_at_once),
        TEST(control_domain_crashes_silently),
        TEST(control_domain_crashes_after_a_word),
        TEST(watchdogs),
        TEST(claims),
        TEST(control_alone_ends_others),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
