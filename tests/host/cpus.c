/* SPDX-License-Identifier: MIT */
/*
 * CPUs and time on the host, and a thread for each CPU.
 *
 * Which CPU this is, is the thread's. host_run_on() says another, so that one thread may play
 * several, one after the other; time moves by host_advance() alone then.
 *
 * host_run_threads() has a thread for each. Each does what a CPU does: the exit path while
 * something is pending, then a step of the guest that runs, or, when nobody does, it halts until
 * somebody kicks it or its timer is due. A kick is a flag that is looked at between steps, like an
 * interrupt that comes in the guest; and, to who halted, a futex.
 *
 * Time passes by what is done, not by a clock on the wall: each step takes a little, and so does
 * each look at clock_ticks(), so that who waits in vain sees time pass. When all CPUs have halted
 * it jumps to the next deadline. When there is none nothing will ever happen again: the run is
 * over. Who was lost on the way still waits then, which is for the test to see.
 *
 * All here is relaxed on purpose: the thread sanitizer is to see the order that the hypervisor
 * makes, and none of ours.
 */
#define _GNU_SOURCE
#include "host.h"

#include <linux/futex.h>
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include <core/life/domain_system.h>
#include <port/atomic.h>
#include <port/upcalls.h>

#define STEP        MICROSECS(2)
#define FEW_LOOKS   8u /* of who does not wait */
#define ONE_LOOK    MICROSECS(20)
#define MOST_TURNS  100000u
#define STUCK_AFTER 60 /* seconds on the wall */

static struct cpu cpus[HOST_MOST_CPUS];
static unsigned int nr_cpus;
static __thread struct cpu *this_threads;

static struct thread {
    uint32_t kicked; /* the futex */
    uint32_t halted;
    uint64_t turns, steps;
    unsigned int looks; /* at the clock, in this step */
} __aligned(128) threads[HOST_MOST_CPUS];

bool host_threads;
void (*host_on_interrupt)(struct vcpu *v);
unsigned int host_kicks;
static s_time_t now;
s_time_t host_armed_at[HOST_MOST_CPUS];
static uint32_t halts_locked, over;
static host_step_fn *guest_step;

struct cpu *(this_cpu)(void)
{
    return this_threads;
}

struct cpu *host_this_cpu(void)
{
    return this_threads;
}

struct cpu *cpu_by_id(unsigned int id)
{
    return id < nr_cpus ? &cpus[id] : host_tlb_cpu(id);
}

void host_play(struct cpu *c)
{
    static struct cpu *self;

    if (!self)
        self = this_threads;
    this_threads = c ? c : self;
    if (!c)
        self = NULL;
}

unsigned int machine_nr_cpus(void)
{
    return nr_cpus;
}

void host_cpus_init(void);
void host_cpus_init(void)
{
    memset(cpus, 0, sizeof(cpus));
    for (unsigned int i = 0; i < HOST_MOST_CPUS; i++) {
        cpus[i].id = i;
        host_armed_at[i] = INT64_MAX;
    }
    nr_cpus = 1;
    host_run_on(0);
    now = SECONDS(1);
    host_kicks = 0;
}

void host_run_on(unsigned int cpu)
{
    BUG_ON(cpu >= nr_cpus);
    this_threads = &cpus[cpu];
}

void host_set_cpus(unsigned int n)
{
    unsigned int me = this_cpu()->id;

    BUG_ON(n < nr_cpus || n > HOST_MOST_CPUS);
    while (nr_cpus < n) {
        nr_cpus++;
        host_run_on(nr_cpus - 1);
        domain_system_init_cpu();
    }
    host_run_on(me);
}

static void wake(struct thread *t)
{
    (void)__atomic_exchange_n(&t->kicked, 1, __ATOMIC_RELAXED);
    if (READ_ONCE(t->halted))
        syscall(SYS_futex, &t->kicked, FUTEX_WAKE_PRIVATE, 1, NULL, NULL, 0);
}

void machine_kick(unsigned int cpu)
{
    (void)__atomic_fetch_add(&host_kicks, 1, __ATOMIC_RELAXED);
    if (!host_threads)
        host_tlb_kick(cpu);
    else
        wake(&threads[cpu]);
}

void host_give_way(void)
{
    syscall(SYS_sched_yield);
}

/* ---- time ---- */

s_time_t clock_now(void)
{
    return READ_ONCE(now);
}

/* 2 ticks a nanosecond. */
uint64_t clock_stamp(void)
{
    return clock_ticks();
}

uint64_t clock_ticks(void)
{
    if (host_threads && ++threads[this_cpu()->id].looks > FEW_LOOKS) {
        host_give_way();
        host_time_passes(ONE_LOOK);
    }
    return (uint64_t)clock_now() * 2;
}

void machine_arm_timer(s_time_t deadline)
{
    WRITE_ONCE(host_armed, deadline);
}

/* Who halted and is due is woken by whoever lets time pass. */
void host_time_passes(s_time_t ns)
{
    s_time_t at = __atomic_add_fetch(&now, ns, __ATOMIC_RELAXED);

    for (unsigned int i = 0; i < nr_cpus; i++)
        if (READ_ONCE(threads[i].halted) && READ_ONCE(host_armed_at[i]) <= at)
            wake(&threads[i]);
}

void host_exit_path(void)
{
    unsigned int turns = 0;

    if (!READ_ONCE(this_cpu()->pending))
        return;
    do {
        cpu_do_pending();
        turns++;
        BUG_ON(turns == MOST_TURNS); /* two that give each other a CPU without end */
    } while (READ_ONCE(this_cpu()->pending) & ~CPU_WORK_FLUSHES);
}

/* For one thread. The timer of each CPU that is due interrupts it, and all do what is pending. */
void host_advance(s_time_t ns)
{
    unsigned int me = this_cpu()->id, turns = 0;
    bool again;

    now += ns;
    do {
        again = false;
        turns++;
        BUG_ON(turns == MOST_TURNS); /* as above, over several CPUs */
        for (unsigned int i = 0; i < nr_cpus; i++) {
            host_run_on(i);
            if (now >= host_armed)
                atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
            host_exit_path();
        }
        for (unsigned int i = 0; i < nr_cpus; i++)
            again |= now >= host_armed_at[i] || cpus[i].pending;
    } while (again);
    host_run_on(me);
}

/* ---- halting ---- */

/* Relaxed, as all between the threads is that the hypervisor does not do itself: no order that
 * comes from here hides a race from the sanitizer. */
static void lock_halts(void)
{
    while (__atomic_exchange_n(&halts_locked, 1, __ATOMIC_RELAXED))
        host_give_way();
}

static void unlock_halts(void)
{
    (void)__atomic_exchange_n(&halts_locked, 0, __ATOMIC_RELAXED);
}

/* The last to halt, when nobody was kicked who did not notice yet: time goes on to the next
 * deadline, or this was all. With the lock: nobody begins or ceases to be halted meanwhile, and
 * who is halted kicks nobody. */
static void all_halted(void)
{
    s_time_t next = INT64_MAX;
    unsigned int i;

    for (i = 0; i < nr_cpus; i++) {
        if (!READ_ONCE(threads[i].halted) || READ_ONCE(threads[i].kicked))
            return;
        next = MIN(next, READ_ONCE(host_armed_at[i]));
    }
    if (next == INT64_MAX)
        WRITE_ONCE(over, 1);
    else if (next > READ_ONCE(now))
        WRITE_ONCE(now, next);
    for (i = 0; i < nr_cpus; i++)
        if (READ_ONCE(over) || READ_ONCE(host_armed_at[i]) <= READ_ONCE(now))
            wake(&threads[i]);
}

static void halt(void)
{
    struct thread *t = &threads[this_cpu()->id];

    if (READ_ONCE(host_armed) <= READ_ONCE(now))
        return;
    lock_halts();
    (void)__atomic_exchange_n(&t->halted, 1, __ATOMIC_RELAXED);
    all_halted();
    unlock_halts();
    while (!READ_ONCE(t->kicked))
        syscall(SYS_futex, &t->kicked, FUTEX_WAIT_PRIVATE, 0, NULL, NULL, 0);
    lock_halts();
    (void)__atomic_exchange_n(&t->halted, 0, __ATOMIC_RELAXED);
    unlock_halts();
}

/* ---- running ---- */

static bool interrupted(void)
{
    struct thread *t = &threads[this_cpu()->id];
    bool came = READ_ONCE(t->kicked) && __atomic_exchange_n(&t->kicked, 0, __ATOMIC_RELAXED);

    if (READ_ONCE(now) < READ_ONCE(host_armed))
        return came;
    machine_arm_timer(INT64_MAX); /* it shoots once */
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
    return true;
}

static void *run_cpu(void *id)
{
    bool entered = true;

    host_run_on((unsigned int)(uintptr_t)id);
    while (!READ_ONCE(over)) {
        struct thread *t = &threads[this_cpu()->id];

        WRITE_ONCE(t->turns, t->turns + 1);
        if (interrupted()) {
            if (!entered && host_on_interrupt)
                host_on_interrupt(current);
            entered = true;
        }
        if (entered)
            host_exit_path();
        if (current == this_cpu()->idle) {
            if (!heap_clear_ahead())
                halt();
            entered = true;
            continue;
        }
        entered = guest_step(current, entered);
        host_time_passes(STEP);
        t->looks = 0;
        WRITE_ONCE(t->steps, t->steps + 1);
    }
    return NULL;
}

void host_turns(uint64_t turns[HOST_MOST_CPUS])
{
    for (unsigned int i = 0; i < nr_cpus; i++)
        turns[i] = READ_ONCE(threads[i].turns);
}

bool host_must_be_kicked(const uint64_t since[HOST_MOST_CPUS])
{
    for (unsigned int i = 0; i < nr_cpus; i++)
        if (&cpus[i] != this_cpu() && READ_ONCE(threads[i].turns) == since[i] &&
            !READ_ONCE(threads[i].halted))
            return false;
    smp_rmb();
    return !READ_ONCE(threads[this_cpu()->id].kicked);
}

static void show_cpus(void)
{
    for (unsigned int i = 0; i < nr_cpus; i++) {
        const struct cpu *c = &cpus[i];
        const struct vcpu *v = READ_ONCE(c->running);

        fprintf(stderr, "CPU %u: d%uv%u, pending %#x%s%s, %lu steps, timer at %ld\n", i,
                v->domain->domain_id, v->vcpu_id, READ_ONCE(c->pending),
                READ_ONCE(threads[i].halted) ? ", halted" : "",
                READ_ONCE(threads[i].kicked) ? ", kicked" : "",
                (unsigned long)READ_ONCE(threads[i].steps), (long)READ_ONCE(host_armed_at[i]));
        host_show_locks(i);
    }
}

static uint64_t all_steps(void)
{
    uint64_t n = 0;

    for (unsigned int i = 0; i < nr_cpus; i++)
        n += READ_ONCE(threads[i].steps);
    return n;
}

/* This thread watches: when no CPU makes a step for long, they wait for each other. */
static void watch(void)
{
    uint64_t last = 0;
    unsigned int same = 0;

    while (!READ_ONCE(over)) {
        uint64_t n = all_steps();

        usleep(10000);
        same = n == last ? same + 1 : 0;
        last = n;
        if (same < STUCK_AFTER * 100)
            continue;
        fprintf(stderr, "no CPU makes a step any more\n");
        show_cpus();
        abort();
    }
}

uint64_t host_run_threads(host_step_fn *step)
{
    pthread_t id[HOST_MOST_CPUS];

    guest_step = step;
    over = 0;
    host_threads = true;
    memset(threads, 0, sizeof(threads));
    for (unsigned int i = 0; i < nr_cpus; i++) {
        if (pthread_create(&id[i], NULL, run_cpu, (void *)(uintptr_t)i))
            abort();
    }
    watch();
    for (unsigned int i = 0; i < nr_cpus; i++)
        pthread_join(id[i], NULL);
    host_threads = false;
    return all_steps();
}
