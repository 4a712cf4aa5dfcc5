/* SPDX-License-Identifier: MIT */
/*
 * The flush protocol (core/base/tlb.c), one CPU's step inside another's: at each point where a CPU
 * loads CR3 or flushes, the test lets another do something. What the orders are for is looked at
 * where they matter: a CPU that may know a domain's translations is in its mask and has a time, and
 * a flush that began before the stamp does not count. `make mutants` puts each order wrong.
 *
 * The machine is here, and as small as can be: a page table of one entry, a TLB of one.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include <core/base/tlb.h>
#include <core/state/domain.h>
#include <string.h>

#define CPUS 4

static struct cpu cpus[CPUS], *me;
static struct domain one, two;
static struct vcpu runs[CPUS]; /* for whom each CPU asks */

static int entry[CPUS]; /* what the page table says that the CPU has loaded: 0 nothing */
static int known[CPUS]; /* what it knows */
static unsigned int kicks[CPUS], flushes[CPUS], single[CPUS], cache_flushes[CPUS];
static bool deaf; /* nobody serves, but */
static void (*on_kick)(void);
static bool looking;
/* Called once, when that CPU has just flushed (or loaded CR3, or flushed its cache). */
static void (*meanwhile[CPUS])(void);

struct cpu *(this_cpu)(void)
{
    return me;
}

struct cpu *cpu_by_id(unsigned int id)
{
    assert_true(id < CPUS);
    return &cpus[id];
}

static void as(unsigned int id)
{
    me = &cpus[id];
}

static void let_others(void)
{
    struct cpu *was = me;
    void (*what)(void) = meanwhile[was->id];

    meanwhile[was->id] = NULL;
    if (what)
        what();
    me = was;
}

static void walk(unsigned int id)
{
    known[id] = entry[id];
}

void machine_load_cr3(uint64_t cr3, bool keep_global)
{
    unsigned int id = me->id;

    (void)keep_global;
    known[id] = 0;
    entry[id] = (int)cr3;
    walk(id);
    let_others();
}

void machine_flush_tlb(void)
{
    unsigned int id = me->id;

    flushes[id]++;
    known[id] = 0;
    walk(id);
    let_others();
}

void flush_tlb_one_local(gva_t va)
{
    assert_int_equal(va, 0x1000);
    single[me->id]++;
    walk(me->id);
}

void machine_flush_cache(void)
{
    cache_flushes[me->id]++;
    let_others();
}

void machine_kick(unsigned int id)
{
    struct cpu *was = me;

    kicks[id]++;
    as(id);
    if (on_kick)
        on_kick();
    if (!deaf)
        serve_flush();
    me = was;
}

uint64_t clock_ticks(void)
{
    static uint64_t now;

    return now += 1000000000;
}

uint64_t clock_khz(void)
{
    return 1000000;
}

static jmp_buf given_up;
void __noreturn panic(const char *fmt, ...)
{
    (void)fmt;
    if (looking)
        longjmp(given_up, 1);
    fail_msg("a CPU waits for ever");
    __builtin_unreachable();
}

/* CPU id runs d's guest (NULL: nobody's); its page table maps frame n. */
static void run(unsigned int id, struct domain *prev, struct domain *next, int n)
{
    as(id);
    tlb_switch_begin(prev, next);
    load_cr3((uint64_t)n);
    tlb_switch_end(prev, next);
}

static uint32_t unmap(unsigned int id)
{
    entry[id] = 0;
    return tlb_clock();
}

static int setup(void **state)
{
    (void)state;
    memset(cpus, 0, sizeof(cpus));
    memset(runs, 0, sizeof(runs));
    memset(&one, 0, sizeof(one));
    memset(&two, 0, sizeof(two));
    memset(entry, 0, sizeof(entry));
    memset(known, 0, sizeof(known));
    memset(kicks, 0, sizeof(kicks));
    memset(flushes, 0, sizeof(flushes));
    memset(single, 0, sizeof(single));
    memset(cache_flushes, 0, sizeof(cache_flushes));
    memset(meanwhile, 0, sizeof(meanwhile));
    deaf = looking = false;
    on_kick = NULL;
    for (unsigned int i = 0; i < CPUS; i++) {
        cpus[i].id = i;
        cpus[i].running = &runs[i];
        tlb_init_cpu(&cpus[i]);
    }
    as(0);
    return 0;
}

static uint64_t counted(unsigned int id)
{
    return runs[id].counter[COUNTER_flushes_of_others];
}

/* ---- who is asked ---- */

static void only_who_may_know(void **state)
{
    uint32_t stamp;

    (void)state;
    run(1, NULL, &one, 7);
    run(2, NULL, &two, 8);
    as(0); /* idle, as CPU 3 is */
    stamp = unmap(1);
    flush_tlb_stamp(&one, stamp);
    assert_int_equal(known[1], 0);
    assert_int_equal(kicks[1], 1);
    assert_int_equal(counted(0), 1);
    flush_tlb_stamp(&one, stamp); /* it has, since */
    assert_int_equal(kicks[1], 1);
    assert_int_equal(counted(0), 1);
    assert_int_equal(kicks[0] + kicks[2] + kicks[3], 0);
    /* From the heap: whoever had it. */
    flush_tlb_stamp(NULL, tlb_clock());
    assert_int_equal(kicks[1], 2);
    assert_int_equal(kicks[2], 1);
    assert_int_equal(counted(0), 2); /* once, whoever is asked */
    assert_int_equal(kicks[0] + kicks[3] + flushes[0] + flushes[3], 0);
    /* A vCPU of the same domain comes: the bit stays, the flush counts. */
    stamp = tlb_clock();
    flush_tlb_stamp(&two, stamp);
    run(1, &one, &one, 9);
    as(0);
    flush_tlb_stamp(&one, stamp);
    assert_int_equal(kicks[1], 2);
    /* What a guest asks for is done in any case. */
    flush_tlb_domain(&one, ALL_CPUS);
    assert_int_equal(kicks[1], 3);
    flush_tlb_domain(&one, ALL_CPUS & ~2ull);
    assert_int_equal(kicks[1], 3);
    run(1, &one, NULL, 0);
    as(0);
    flush_tlb_domain(&one, ALL_CPUS);
    flush_tlb_stamp(NULL, tlb_clock());
    assert_int_equal(kicks[1], 3);
    assert_int_equal(counted(0), 5); /* the last of them asked the CPU of two */
    assert_int_equal(counted(1) + counted(2) + counted(3), 0);
}

/* Who asks flushes itself, too, when it runs the domain, and sends itself nothing. */
static void oneself(void **state)
{
    (void)state;
    run(0, NULL, &one, 7);
    run(1, NULL, &one, 7);
    as(0);
    flush_tlb_stamp(&one, unmap(0));
    assert_int_equal(known[0], 0);
    assert_int_equal(kicks[0], 0);
    assert_int_equal(cpus[0].pending, 0);
    /* One address: here that alone, elsewhere all. */
    flushes[0] = flushes[1] = 0;
    flush_tlb_one_domain(&one, ALL_CPUS, 0x1000);
    assert_int_equal(single[0], 1);
    assert_int_equal(flushes[0], 0);
    assert_int_equal(flushes[1], 1);
    flush_tlb_one_domain(&one, 2, 0x1000);
    assert_int_equal(single[0], 1);
    assert_int_equal(flushes[1], 2);
    flush_tlb_one_domain(&two, ALL_CPUS, 0x1000);
    assert_int_equal(single[0], 1);
}

static void leave_it(void)
{
    run(1, &one, NULL, 0);
}

/* It is waited for until it has flushed, or runs the domain no more. */
static void waited_for(void **state)
{
    (void)state;
    run(1, NULL, &one, 7);
    as(0);
    deaf = looking = true;
    if (!setjmp(given_up)) {
        flush_tlb_stamp(&one, unmap(1));
        fail_msg("not waited for");
    }
    assert_int_equal(kicks[1], 1);
    as(2);
    if (!setjmp(given_up)) {
        flush_tlb_stamp(&one, tlb_clock());
        fail_msg("not waited for");
    }
    assert_int_equal(kicks[1], 1); /* it knows already */
    as(1);
    serve_flush();
    flushes[1] = 0;
    as(0);
    on_kick = leave_it;
    flush_tlb_domain(&one, ALL_CPUS);
    assert_int_equal(flushes[1], 0);
}

/* ---- the orders ---- */

static void is_known_of_one(void)
{
    assert_true(one.dirty_cpus & 2);
    assert_false(cpus[1].tlb_time & TLB_EMPTY);
}

/* While CR3 changes, what comes and what goes may both be known. */
static void bits_around_cr3(void **state)
{
    (void)state;
    meanwhile[1] = is_known_of_one;
    run(1, NULL, &one, 7);
    assert_null(meanwhile[1]);
    meanwhile[1] = is_known_of_one;
    run(1, &one, &two, 8);
    assert_false(one.dirty_cpus & 2);
    meanwhile[1] = is_known_of_one;
    run(1, &two, &one, 7);
    meanwhile[1] = is_known_of_one;
    run(1, &one, &one, 6);
    is_known_of_one();
    meanwhile[1] = is_known_of_one;
    run(1, &one, NULL, 0);
    assert_int_equal(one.dirty_cpus | two.dirty_cpus, 0);
    assert_int_equal(cpus[1].tlb_time, TLB_EMPTY);
}

static uint32_t stamped;

/* CPU 1 has flushed, and knows the entry again, which goes now; another's flush ticks. */
static void unmapped_and_ticked(void)
{
    as(0);
    stamped = unmap(1);
    flush_tlb_stamp(&two, stamped);
    assert_int_not_equal(tlb_clock(), stamped);
}

static void must_be_flushed(void)
{
    assert_int_equal(known[1], 7);
    as(0);
    flush_tlb_stamp(&one, stamped);
    assert_int_equal(known[1], 0);
}

static void clock_before_flush(void **state)
{
    (void)state;
    run(2, NULL, &two, 8);
    meanwhile[1] = unmapped_and_ticked;
    run(1, NULL, &one, 7);
    must_be_flushed();
    /* The same when it flushes because it is asked. */
    run(1, &one, &one, 7);
    as(1);
    meanwhile[1] = unmapped_and_ticked;
    flush_tlb_local();
    must_be_flushed();
}

static void asked_again(void)
{
    atomic_or(&cpus[1].pending, CPU_WORK_FLUSH);
}

/* CPU 1 has flushed its cache, and hears of this later. */
static void cache_wanted(void)
{
    as(0);
    deaf = looking = true;
    if (!setjmp(given_up)) {
        flush_cache_all();
        fail_msg("not waited for");
    }
    deaf = looking = false;
}

static void bits_off_first(void **state)
{
    (void)state;
    run(1, NULL, &one, 7);
    atomic_or(&cpus[1].pending, CPU_WORK_FLUSH | CPU_WORK_TIMER);
    meanwhile[1] = asked_again;
    as(1);
    serve_flush();
    assert_int_equal(cpus[1].pending, CPU_WORK_FLUSH | CPU_WORK_TIMER);
    assert_int_equal(flushes[1], 1);
    serve_flush();
    assert_int_equal(flushes[1], 2);
    serve_flush();
    assert_int_equal(flushes[1], 2);
}

/* Idle CPUs have caches, too. One that is at it already does it again. */
static void caches(void **state)
{
    (void)state;
    flush_cache_all();
    for (unsigned int i = 0; i < CPUS; i++)
        assert_int_equal(cache_flushes[i], 1);
    atomic_or(&cpus[1].pending, CPU_WORK_WBINVD);
    meanwhile[1] = cache_wanted;
    as(1);
    serve_flush();
    assert_int_equal(cpus[1].cache_time, cpus[0].cache_time - 1);
    serve_flush();
    assert_int_equal(cache_flushes[1], 3);
    assert_int_equal(cpus[1].cache_time, cpus[0].cache_time);
}

/* ---- the clock goes round ---- */

static void wraps(void **state)
{
    uint32_t old;

    (void)state;
    tlb_clock_line.now = ~0u - 1;
    run(1, NULL, &one, 7);
    as(0);
    for (unsigned int i = 1; i <= 5; i++) {
        flush_tlb_stamp(&one, tlb_clock());
        assert_int_equal(kicks[1], i);
        flush_tlb_stamp(&one, tlb_clock() - 1);
        assert_int_equal(kicks[1], i);
    }
    old = tlb_clock();
    tlb_clock_line.now += (1u << 30) - 1;
    as(1);
    flushes[1] = 0;
    tlb_keep_young();
    assert_int_equal(flushes[1], 0);
    tlb_clock_line.now += 1;
    tlb_keep_young();
    assert_int_equal(flushes[1], 1);
    /* So old that it looks young: a flush too many, and an end of it. */
    tlb_clock_line.now = old + (1u << 31) + 2;
    run(1, &one, &one, 7);
    as(0);
    flush_tlb_stamp(&one, old);
    assert_int_equal(flushes[1], 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(only_who_may_know, setup),
        cmocka_unit_test_setup(oneself, setup),
        cmocka_unit_test_setup(waited_for, setup),
        cmocka_unit_test_setup(bits_around_cr3, setup),
        cmocka_unit_test_setup(clock_before_flush, setup),
        cmocka_unit_test_setup(bits_off_first, setup),
        cmocka_unit_test_setup(caches, setup),
        cmocka_unit_test_setup(wraps, setup),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
