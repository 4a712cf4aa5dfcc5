/* SPDX-License-Identifier: MIT */
/*
 * Software timers: one binary heap of deadlines a CPU.
 *
 * The machine has one timer interrupt a CPU, armed for the earliest deadline. It only marks work;
 * timers_run() on the exit path takes what is due and calls it without the lock, so that a callback
 * may set its timer again. A timer that is due is out of the heap when it is called: stopping it
 * then does nothing, which is why callbacks check what they are for.
 *
 * The heap's array grows and shrinks when something with timers is created or ends (timer_reserve,
 * timer_unreserve) and has one place for each timer there is, so setting one cannot fail and
 * allocates nothing.
 *
 * Lock: timer_queue.lock (RANK_TIMER), also guards the machine's arming.
 */
#include <core/frame/frame.h>
#include <core/sched/timer.h>
#include <core/state/cpu.h>
#include <parvis/string.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>

#define FIRST_SIZE 32

int timer_queue_init(struct timer_queue *q)
{
    spin_lock_init(&q->lock, RANK_TIMER);
    q->used = q->reserved = 0;
    q->heap = hv_alloc_array(FIRST_SIZE + 1, sizeof(*q->heap));
    q->size = q->heap ? FIRST_SIZE : 0;
    return q->heap ? 0 : -XEN_ENOMEM;
}

static uint32_t size_for(uint32_t timers)
{
    uint32_t size = FIRST_SIZE;

    while (size < timers)
        size *= 2;
    return size;
}

/* Makes places for `timers` timers; q->reserved becomes that. */
static int resize(struct timer_queue *q, uint32_t timers)
{
    uint32_t size = size_for(timers);
    struct timer **array = NULL, **old = NULL;

    if (size != q->size) {
        array = hv_alloc_array(size + 1, sizeof(*array));
        if (!array)
            return -XEN_ENOMEM;
    }
    spin_lock(&q->lock);
    q->reserved = timers;
    if (array) {
        old = q->heap;
        memcpy(array, old, (q->used + 1) * sizeof(*array));
        q->heap = array;
        q->size = size;
    }
    spin_unlock(&q->lock);
    hv_free(old);
    return 0;
}

int timer_reserve(unsigned int cpu, unsigned int n)
{
    struct timer_queue *q = &cpu_by_id(cpu)->timers;

    return resize(q, q->reserved + n);
}

void timer_unreserve(unsigned int cpu, unsigned int n)
{
    struct timer_queue *q = &cpu_by_id(cpu)->timers;

    if (resize(q, q->reserved - n))
        q->reserved -= n; /* no memory to shrink: the larger array serves as well */
}

void timer_init(struct timer *t, void (*fn)(void *), void *data, unsigned int cpu)
{
    *t = (struct timer){.fn = fn, .data = data, .cpu = cpu};
}

static void place(struct timer_queue *q, uint32_t slot, struct timer *t)
{
    q->heap[slot] = t;
    t->slot = slot;
}

static void sift_up(struct timer_queue *q, uint32_t slot, struct timer *t)
{
    for (; slot > 1 && t->deadline < q->heap[slot / 2]->deadline; slot /= 2)
        place(q, slot, q->heap[slot / 2]);
    place(q, slot, t);
}

static void sift_down(struct timer_queue *q, uint32_t slot, struct timer *t)
{
    for (uint32_t child; (child = slot * 2) <= q->used; slot = child) {
        if (child < q->used && q->heap[child + 1]->deadline < q->heap[child]->deadline)
            child++;
        if (t->deadline <= q->heap[child]->deadline)
            break;
        place(q, slot, q->heap[child]);
    }
    place(q, slot, t);
}

static void take_out(struct timer_queue *q, struct timer *t)
{
    struct timer *last = q->heap[q->used--];
    uint32_t slot = t->slot;

    t->slot = 0;
    if (last == t)
        return;
    if (slot > 1 && last->deadline < q->heap[slot / 2]->deadline)
        sift_up(q, slot, last);
    else
        sift_down(q, slot, last);
}

/* The lock is held. Arms the machine when the earliest deadline is another than before. */
static void rearm(struct timer_queue *q, struct timer *earliest_before, s_time_t deadline_before)
{
    struct timer *first = q->used ? q->heap[1] : NULL;

    if (first == earliest_before && (!first || first->deadline == deadline_before))
        return;
    machine_arm_timer(first ? first->deadline : INT64_MAX);
}

void timer_set(struct timer *t, s_time_t deadline)
{
    struct timer_queue *q = &cpu_by_id(t->cpu)->timers;
    struct timer *first;
    s_time_t before;

    spin_lock(&q->lock);
    first = q->used ? q->heap[1] : NULL;
    before = first ? first->deadline : 0;
    if (t->slot)
        take_out(q, t);
    t->deadline = deadline;
    BUG_ON(q->used >= q->size);
    q->used++;
    sift_up(q, q->used, t);
    rearm(q, first, before);
    spin_unlock(&q->lock);
}

void timer_stop(struct timer *t)
{
    struct timer_queue *q = &cpu_by_id(t->cpu)->timers;

    spin_lock(&q->lock);
    /* The machine stays armed: an interrupt for nothing is cheaper than arming twice. */
    if (t->slot)
        take_out(q, t);
    spin_unlock(&q->lock);
}

void timers_run(void)
{
    struct timer_queue *q = &this_cpu()->timers;
    s_time_t now = clock_now();

    spin_lock(&q->lock);
    while (q->used && q->heap[1]->deadline <= now) {
        struct timer *t = q->heap[1];
        void (*fn)(void *) = t->fn;
        void *data = t->data;

        take_out(q, t);
        spin_unlock(&q->lock);
        fn(data);
        spin_lock(&q->lock);
    }
    machine_arm_timer(q->used ? q->heap[1]->deadline : INT64_MAX);
    spin_unlock(&q->lock);
}
