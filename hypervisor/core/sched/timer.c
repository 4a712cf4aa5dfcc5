/* SPDX-License-Identifier: MIT */
/*
 * Software timers: the set ones of a CPU are a leftist heap of deadlines, linked through the timers
 * themselves, so that setting one allocates nothing and cannot fail.
 *
 * In the heap no timer is due before its parent. `rank` is the number of timers on the way from one
 * along right children to where there is none; no right child's is above its sibling's. So the way
 * to the right is never longer than log2(n + 1), and two heaps merge along their right ways in that
 * many steps, whatever was set and stopped before. Setting is merging with a heap of one; taking
 * out is merging the two children.
 *
 * The machine has one timer interrupt a CPU, armed for the earliest deadline. It only marks work;
 * timers_run() on the exit path takes what is due and calls it without the lock, so that a callback
 * may set its timer again. A timer that is due is out of the heap when it is called: stopping it
 * then does nothing, which is why callbacks check what they are for. Guests may let thousands be
 * due at one time: MOST_AT_ONCE are run, and the interrupt for the rest comes when interrupts are
 * on again.
 *
 * Whose queue: a timer goes off on the CPU that set it last, so only this CPU's machine is ever
 * armed, and a vCPU that changes its CPU takes its timers along as it sets them. While a callback
 * runs its timer stays where it is: no callback runs on two CPUs at once, and who waits for its end
 * knows where to look. What is set there meanwhile is armed for when timers_run() ends.
 *
 * The end: timer_kill() makes a timer refuse to be set again and waits for its callback, after
 * which the memory may go. A callback kills no timer (two could wait for each other), and who kills
 * holds no lock that a callback takes.
 *
 * Lock: timer_queue.lock (RANK_TIMER), also guards the machine's arming. t->queue changes under the
 * lock of the queue that it names; so whoever has that lock and finds it unchanged has t.
 */
#include <core/sched/timer.h>
#include <core/state/cpu.h>
#include <port/current.h>
#include <port/machine.h>
#include <port/wait.h>

#define MOST_AT_ONCE 64u

void timer_queue_init(struct timer_queue *q)
{
    spin_lock_init(&q->lock, RANK_TIMER);
    q->first = q->running = NULL;
}

void timer_init(struct timer *t, void (*fn)(void *), void *data)
{
    *t = (struct timer){.fn = fn, .data = data, .queue = &this_cpu()->timers};
}

static inline uint32_t rank(const struct timer *t)
{
    return t ? t->rank : 0;
}

/* The children of t may have changed: the higher one to the left. */
static inline void rank_again(struct timer *t)
{
    if (rank(t->left) < rank(t->right)) {
        struct timer *right = t->right;

        t->right = t->left;
        t->left = right;
    }
    WRITE_ONCE(t->rank, rank(t->right) + 1);
}

/* The one heap of both; its parent is for the caller to set. Recursion: as deep as the ranks are
 * high. */
static struct timer *merge(struct timer *a, struct timer *b)
{
    if (!a || !b)
        return a ? a : b;
    if (b->deadline < a->deadline)
        return merge(b, a);
    a->right = merge(a->right, b);
    a->right->parent = a;
    rank_again(a);
    return a;
}

static void put_in(struct timer_queue *q, struct timer *t, s_time_t deadline)
{
    WRITE_ONCE(t->deadline, deadline);
    t->left = t->right = NULL;
    WRITE_ONCE(t->rank, 1);
    q->first = merge(q->first, t);
    q->first->parent = NULL;
}

static void take_out(struct timer_queue *q, struct timer *t)
{
    struct timer *parent = t->parent, *rest = merge(t->left, t->right);

    WRITE_ONCE(t->rank, 0);
    if (rest)
        rest->parent = parent;
    if (!parent)
        q->first = rest;
    else if (parent->left == t)
        parent->left = rest;
    else
        parent->right = rest;
    for (uint32_t before; parent; parent = parent->parent) {
        before = parent->rank;
        rank_again(parent);
        if (parent->rank == before)
            break; /* nothing above has changed either */
    }
}

/* It is in the heap, and may stay where it is. */
static bool fits(const struct timer *t, s_time_t deadline)
{
    return t->rank && (!t->parent || t->parent->deadline <= deadline) &&
           (!t->left || deadline <= t->left->deadline) &&
           (!t->right || deadline <= t->right->deadline);
}

static inline s_time_t earliest(const struct timer_queue *q)
{
    return q->first ? q->first->deadline : INT64_MAX;
}

static struct timer_queue *lock_queue_of(const struct timer *t)
{
    for (;;) {
        struct timer_queue *q = READ_ONCE(t->queue);

        spin_lock(&q->lock);                  /* model: lock_queue_of.lock */
        if (likely(READ_ONCE(t->queue) == q)) /* model: lock_queue_of.look */
            return q;
        spin_unlock(&q->lock);
    }
}

/* The queue where t is to be set, locked: this CPU's, unless its callback runs on another, or it is
 * dead. */
static struct timer_queue *bring_here(struct timer *t)
{
    struct timer_queue *here = &this_cpu()->timers, *q;

    for (;;) {
        q = lock_queue_of(t);
        if (likely(q == here) || q->running == t || t->dead) /* model: bring_here.running */
            return q;
        if (t->rank)
            take_out(q, t);
        WRITE_ONCE(t->queue, here); /* model: bring_here.move */
        spin_unlock(&q->lock);
    }
}

void timer_set(struct timer *t, s_time_t deadline)
{
    struct timer_queue *q = bring_here(t);
    s_time_t before = earliest(q);

    if (likely(!t->dead)) { /* model: timer_set.dead */
        if (fits(t, deadline)) {
            WRITE_ONCE(t->deadline, deadline);
        } else {
            if (t->rank)
                take_out(q, t);
            put_in(q, t, deadline);
        }
        if (earliest(q) != before && !q->running) /* model: timer_set.arm */
            machine_arm_timer(earliest(q));
    }
    spin_unlock(&q->lock);
}

void timer_set_again(struct timer *t, s_time_t deadline)
{
    struct timer_queue *q = lock_queue_of(t);

    if (!t->rank && !t->dead) /* model: timer_set_again.unset */
        put_in(q, t, deadline);
    spin_unlock(&q->lock);
}

bool timer_goes_off_here(const struct timer *t, s_time_t at)
{
    return READ_ONCE(t->rank) && READ_ONCE(t->deadline) <= at &&
           READ_ONCE(t->queue) == &this_cpu()->timers;
}

void timer_stop(struct timer *t)
{
    struct timer_queue *q;

    if (!READ_ONCE(t->rank))
        return;
    q = lock_queue_of(t);
    /* The machine stays armed: an interrupt for nothing is cheaper than arming twice. */
    if (t->rank)
        take_out(q, t);
    spin_unlock(&q->lock);
}

void timer_kill(struct timer *t)
{
    struct timer_queue *q = lock_queue_of(t);
    struct wait w = WAIT("a timer's callback", container_of(q, struct cpu, timers)->id);

    BUG_ON(this_cpu()->timers.running);
    t->dead = true; /* model: timer_kill.dead */
    if (t->rank)
        take_out(q, t);
    while (q->running == t) { /* model: timer_kill.wait */
        spin_unlock(&q->lock);
        spin_wait(&w);
        spin_lock(&q->lock);
    }
    spin_unlock(&q->lock);
}

void timers_run(void)
{
    struct timer_queue *q = &this_cpu()->timers;
    s_time_t now = clock_now();

    spin_lock(&q->lock); /* model: timers_run.lock */
    for (unsigned int n = 0; n < MOST_AT_ONCE && q->first && q->first->deadline <= now; n++) {
        struct timer *t = q->first;

        take_out(q, t);
        q->running = t; /* model: timers_run.running */
        spin_unlock(&q->lock);
        t->fn(t->data);
        spin_lock(&q->lock);
        q->running = NULL; /* model: timers_run.done */
    }
    machine_arm_timer(earliest(q)); /* model: timers_run.arm */
    spin_unlock(&q->lock);
}
