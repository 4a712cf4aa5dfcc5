/* SPDX-License-Identifier: MIT */
/*
 * The scheduler in worlds that change: random machines of 1 to 16 CPUs in which vCPUs block, wake
 * and yield, are paused, moved and pinned, weights and caps change, and domains end and others
 * come, all on a simulated clock.
 *
 * Several things happen at one moment, or with a CPU's turn between them: so a CPU that was told to
 * choose finds that another was paused or moved meanwhile. Then all CPUs come to rest, in any
 * order, and it must be so: they do come to rest (no two give each other a CPU without end); who
 * can run runs or waits, and nobody else does; nobody is where it may not be; no CPU idles while
 * somebody could run there, by itself or by an exchange; nobody rests when more may be active, or
 * could run on a CPU that idles; and each one's times add up. Nobody waits too long, where weights
 * are not so far apart that waiting is due.
 */
#include "core_test.h"

#include <core/life/life.h>
#include <core/sched/pause.h>
#include <core/sched/runqueue.h>
#include <port/upcalls.h>
#include <sanitizer/asan_interface.h>
#include <xen/sched.h>
#include <xen/vcpu.h>

#define WORLDS       192
#define MOMENTS      800 /* of a world */
#define MOST_DOMAINS 8u
#define MOST_VCPUS   6u
#define MOST_TURNS   40u /* of each CPU, until all are at rest */
#define TOO_LONG     SECONDS(1)

static struct domain *dom[MOST_DOMAINS];
static unsigned int domains;
static bool far_apart; /* the weights, and the caps, of this world */
static s_time_t born[MOST_DOMAINS];
static unsigned int paused[MOST_DOMAINS];
static uint64_t seed;

/* What the tests came by: they would be blind if it was nothing. */
static struct {
    unsigned int moved_running, moved_queued, moved_told, paused_told, resting, ended, exchanges;
} seen;

static unsigned int any(unsigned int n)
{
    seed = seed * 6364136223846793005ull + 1442695040888963407ull;
    return (unsigned int)((seed >> 33) % n);
}

static uint64_t all_cpus(void)
{
    return (1ull << machine_nr_cpus()) - 1;
}

static uint64_t any_cpus(void)
{
    uint64_t set = any(3) ? all_cpus() & any(1u << 16) : 1ull << any(machine_nr_cpus());

    return set ? set : ~0ull;
}

/* One that a CPU was told to take and has not, if there is one. */
static struct vcpu *any_vcpu(void)
{
    struct domain *d = dom[any(domains)];

    for (unsigned int i = 0; i < machine_nr_cpus(); i++)
        if (cpu_by_id(i)->next && any(2))
            return cpu_by_id(i)->next;
    return d->vcpu[any(d->max_vcpus)];
}

/* ---- CPUs ---- */

/* Those that have something to do, each's timer that is due among it. */
static uint64_t ready(void)
{
    uint64_t cpus = 0;

    for (unsigned int i = 0; i < machine_nr_cpus(); i++) {
        if (clock_now() >= host_armed_at[i])
            atomic_or(&cpu_by_id(i)->pending, CPU_WORK_TIMER);
        if (cpu_by_id(i)->pending)
            cpus |= 1ull << i;
    }
    return cpus;
}

static bool one_turn(void)
{
    uint64_t cpus = ready();

    if (!cpus)
        return false;
    for (unsigned int skip = any((unsigned int)__builtin_popcountll(cpus)); skip; skip--)
        cpus &= cpus - 1;
    host_run_on((unsigned int)__builtin_ctzll(cpus));
    seen.exchanges += this_cpu()->next != NULL;
    cpu_do_pending();
    return true;
}

static void come_to_rest(void)
{
    unsigned int turns = 0;

    while (one_turn())
        assert_true(turns++ < MOST_TURNS * machine_nr_cpus());
}

/* A guest is about to do something: its CPU is through with what was pending. NULL: it idles. */
static struct vcpu *any_guest(void)
{
    host_run_on(any(machine_nr_cpus()));
    for (unsigned int turns = 0; this_cpu()->pending; turns++) {
        assert_true(turns < MOST_TURNS);
        cpu_do_pending();
    }
    return current == this_cpu()->idle ? NULL : current;
}

/* ---- what happens ---- */

static void blocks(void)
{
    struct vcpu *v = any_guest();

    if (!v)
        return;
    v->vcpu_info->evtchn_upcall_pending = 0;
    vcpu_block(v);
}

static void yields(void)
{
    if (any_guest())
        vcpu_yield();
}

static void wakes(void)
{
    host_run_on(any(machine_nr_cpus()));
    vcpu_unblock(any_vcpu());
}

static void is_paused(void)
{
    struct vcpu *v = any_vcpu();

    if (v->pause_count || (!v->sched.wanted_by && any(3))) {
        if (v->pause_count)
            vcpu_unpause(v);
        return;
    }
    seen.paused_told += v->sched.wanted_by != NULL;
    (void)atomic_add_return(&v->pause_count, 1); /* vcpu_pause() without the wait */
    vcpu_sleep(v);
}

static void domain_is_paused(void)
{
    unsigned int i = any(domains);

    if (paused[i]) {
        paused[i]--;
        domain_unpause(dom[i]);
    } else if (!any(3)) {
        paused[i]++;
        domain_pause_nosync(dom[i]);
    }
}

static void is_moved(void)
{
    struct vcpu *v = any_vcpu();
    const struct sched_vcpu was = v->sched;
    int rc;

    if (any(4))
        rc = sched_set_affinity(v, any_cpus());
    else
        rc = sched_pin(v, any(2) ? (int)any(machine_nr_cpus()) : -1);
    if (rc)
        return;
    seen.moved_running += was.on_cpu && !(v->affinity & 1ull << was.on_cpu->id);
    seen.moved_queued += was.queued;
    seen.moved_told += was.wanted_by && !(v->affinity & 1ull << was.wanted_by->id);
}

static void is_set(void)
{
    static const uint16_t weights[] = {1, 3, 16, 256, 4096, 65535};
    static const uint16_t caps[] = {0,   1,   2,   10,  50,  99,  100, 101,
                                    150, 199, 200, 300, 599, 600, 6400};
    struct domain *d = dom[any(domains)];

    if (far_apart)
        sched_set_domain(d, weights[any(ARRAY_SIZE(weights))], caps[any(ARRAY_SIZE(caps))]);
    else
        sched_set_domain(d, (uint16_t)(128 + any(512)), (uint16_t)(any(3) ? 0 : 10 + any(200)));
}

static void new_domain(unsigned int i)
{
    dom[i] = host_domain((domid_t)i, false, 1 + any(MOST_VCPUS), 0);
    born[i] = clock_now();
    paused[i] = 0;
}

static void times_add_up(const struct domain *d)
{
    struct vcpu_runstate_info r;
    struct vcpu *v;

    for_each_vcpu (d, v) {
        vcpu_runstate_get(v, &r);
        assert_int_equal(r.time[0] + r.time[1] + r.time[2] + r.time[3],
                         clock_now() - born[d->domain_id]);
    }
}

static void ends(void)
{
    unsigned int i = any(domains);

    if (any(4))
        return;
    domain_pause_nosync(dom[i]);
    come_to_rest();
    times_add_up(dom[i]);
    host_destroy(dom[i]);
    new_domain(i);
    seen.ended++;
}

static void happens(void)
{
    static void (*const what[])(void) = {
        blocks,           wakes,  blocks, wakes,     blocks, wakes, yields,    is_moved,
        domain_is_paused, is_set, ends,   is_paused, wakes,  wakes, is_paused, is_moved};

    what[any(ARRAY_SIZE(what))]();
    while (!any(3))
        one_turn();
}

/* ---- what must be so ---- */

/* From where a CPU that idles can be reached, over who runs where. */
static uint64_t leads_to_idle(void)
{
    uint64_t cpus = 0, before;

    for (unsigned int i = 0; i < machine_nr_cpus(); i++)
        cpus |= (uint64_t)(cpu_by_id(i)->running == cpu_by_id(i)->idle) << i;
    do {
        before = cpus;
        for (unsigned int i = 0; i < machine_nr_cpus(); i++)
            if (cpu_by_id(i)->running->affinity & cpus && before)
                cpus |= 1ull << i;
    } while (cpus != before);
    return cpus;
}

static void check_vcpu(const struct vcpu *v, uint64_t idle)
{
    const struct domain *d = v->domain;

    assert_int_equal(v->sched.on_cpu || v->sched.queued, vcpu_runnable(v));
    if (v->sched.on_cpu)
        assert_true(v->affinity & 1ull << v->sched.on_cpu->id);
    if (v->sched.queued && (!v->sched.resting || has_room(&d->sched)))
        assert_false(v->affinity & idle);
    if (!v->sched.queued || v->sched.resting)
        return;
    if (!d->sched.cap && !far_apart)
        assert_true(clock_now() - v->sched.state_since < TOO_LONG);
}

/* Does one of those that rest gain anything when who waits is found to do so in vain? */
static bool could_wait_elsewhere(const struct sched_domain *s)
{
    uint64_t cpus = all_cpus();
    const struct vcpu *v;

    list_for_each (v, &s->vcpus, sched.link)
        cpus &= ~v->affinity;
    return sched_first_of(&s->resting, cpus);
}

/* Who rests is not forgotten: no more may be active, and somebody will look when more may be. */
static void check_resting(const struct sched_domain *s)
{
    if (list_empty(&s->resting))
        return;
    assert_true(sched_cap_room(s) <= 0);
    assert_true(s->running || s->cap_timer.rank || !could_wait_elsewhere(s));
    if (s->cap_dry && 100 * s->running < s->cap)
        assert_true(s->cap_timer.rank);
}

static void check(void)
{
    uint64_t idle = leads_to_idle();
    struct vcpu *v;

    for (unsigned int i = 0; i < domains; i++) {
        for_each_vcpu (dom[i], v) {
            seen.resting += v->sched.resting;
            check_vcpu(v, idle);
        }
        check_resting(&dom[i]->sched);
    }
    for (unsigned int i = 0; i < machine_nr_cpus(); i++)
        assert_null(cpu_by_id(i)->next);
    host_check_invariants();
}

/* Time passes, from one timer to the next. */
static void pass(s_time_t ns)
{
    s_time_t end = clock_now() + ns;

    do {
        s_time_t at = end;

        for (unsigned int i = 0; i < machine_nr_cpus(); i++)
            at = MIN(at, host_armed_at[i]);
        host_time_passes(MAX(at - clock_now(), 0));
        come_to_rest();
        check();
    } while (clock_now() < end);
}

static s_time_t a_while(void)
{
    switch (any(8)) {
    case 0:
        return 0;
    case 1:
        return MILLISECS(1 + any(40));
    default:
        return 1 + any(1000000);
    }
}

static void worlds(void **state)
{
    const char *only = getenv("WORLD");
    unsigned int n = only ? (unsigned int)atoi(only) : 0, end = only ? n + 1 : WORLDS;

    (void)state;
    for (; n < end; n++) {
        seed = n * 2654435761ull + 1;
        (void)any(2);
        far_apart = n % 2;
        host_init(512);
        host_no_tlbs = true;
        host_set_cpus(1 + (n + any(2)) % HOST_MOST_CPUS);
        domains = 1 + any(MOST_DOMAINS);
        for (unsigned int i = 0; i < domains; i++)
            new_domain(i);
        for (unsigned int i = 0; i < MOMENTS; i++) {
            for (unsigned int more = any(4); more; more--)
                happens();
            pass(a_while());
        }
    }
    if (only)
        return;
    assert_true(seen.moved_running && seen.moved_queued && seen.moved_told > 2);
    assert_true(seen.paused_told > 2 && seen.resting && seen.ended && seen.exchanges > 100);
}

/* A CPU idles beside many who wait and may not run there: who chooses looks at each domain, once,
 * and not at all their vCPUs. */
static void who_cannot_go_is_not_looked_at(void **state)
{
    struct vcpu *v;
    struct list *at;

    (void)state;
    host_init(512);
    host_no_tlbs = true;
    host_set_cpus(3);
    domains = 3;
    for (unsigned int i = 0; i < domains; i++) {
        dom[i] = host_domain((domid_t)i, false, MOST_VCPUS, 0);
        for_each_vcpu (dom[i], v)
            assert_int_equal(sched_set_affinity(v, 6), 0);
    }
    come_to_rest();
    assert_int_equal(runqueue.idle_cpus, 1);
    for (unsigned int i = 0; i < domains; i++)
        for (at = dom[i]->sched.vcpus.next->next; at != &dom[i]->sched.vcpus; at = at->next)
            __asan_poison_memory_region(&list_entry(at, struct vcpu, sched.link)->affinity, 8);
    cpu_raise(cpu_by_id(1), CPU_WORK_SCHEDULE);
    come_to_rest();
    for (unsigned int i = 0; i < domains; i++)
        for_each_vcpu (dom[i], v)
            __asan_unpoison_memory_region(&v->affinity, 8);
    /* and who can go is found, the first of its domain or not */
    v = list_entry(dom[1]->sched.vcpus.prev, struct vcpu, sched.link);
    assert_int_equal(sched_set_affinity(v, 5), 0);
    come_to_rest();
    assert_ptr_equal(cpu_by_id(0)->running, v);
    check();
}

/* A cap lets one of two be active: the other is, as soon as that one sleeps though it only waited.
 */
static void who_rests_is_active_when_another_sleeps(void **state)
{
    struct vcpu *waits, *rests;

    (void)state;
    host_init(512);
    host_no_tlbs = true;
    host_set_cpus(1);
    domains = 2;
    dom[0] = host_domain(0, false, 1, 0);
    dom[1] = host_domain(1, false, 2, 0);
    sched_set_domain(dom[1], 256, 50);
    do {
        host_advance(MICROSECS(100));
        waits = dom[1]->vcpu[dom[1]->vcpu[0]->sched.resting];
        rests = dom[1]->vcpu[waits == dom[1]->vcpu[0]];
    } while (!waits->sched.queued || waits->sched.resting || !rests->sched.resting);
    vcpu_pause(waits);
    assert_true(rests->sched.queued && !rests->sched.resting);
    host_check_invariants();
}

/* Of the domains that rest the one that may use a CPU that idles is found, the first or not. */
static void a_cpu_idles_for_any_that_rests(void **state)
{
    (void)state;
    host_init(512);
    host_no_tlbs = true;
    host_set_cpus(2);
    domains = 4;
    for (unsigned int i = 0; i < domains; i++) {
        dom[i] = host_domain((domid_t)i, false, 1 + i / 2, 0);
        assert_int_equal(sched_set_affinity(dom[i]->vcpu[0], i == 1 ? 2 : 1), 0);
        if (i < 2)
            continue;
        assert_int_equal(sched_set_affinity(dom[i]->vcpu[1], i == 3 ? 2 : 1), 0);
        sched_set_domain(dom[i], 256, 50);
    }
    come_to_rest();
    assert_true(dom[2]->vcpu[1]->sched.resting && dom[3]->vcpu[1]->sched.resting);
    host_keep(dom[1]->vcpu[0], false);
    come_to_rest();
    assert_ptr_equal(cpu_by_id(1)->running, dom[3]->vcpu[1]);
    check();
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(who_cannot_go_is_not_looked_at),
        cmocka_unit_test(who_rests_is_active_when_another_sleeps),
        cmocka_unit_test(a_cpu_idles_for_any_that_rests),
        cmocka_unit_test(worlds),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
