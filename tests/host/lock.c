/* SPDX-License-Identifier: MIT */
/*
 * Locks on the host. What is checked is the order: a lock must have a higher rank than all that the
 * CPU holds, or be the second of a pair of one rank; nothing is taken twice, nothing released that
 * is not held. A violation ends the test.
 *
 * Threads do wait for each other. There are more of them than processors, so they give way, and
 * the lock is of whoever runs when it is free: the next in turn might be asleep. A thread that
 * plays several CPUs, one after the other, would wait for itself.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>

#include <port/wait.h>

#define MAX_HELD 16
#define TURNS    256u

static struct held {
    spinlock_t *lock[MAX_HELD];
    unsigned int depth;
} held_by[HOST_MOST_CPUS];

void host_locks_init(void);
void host_locks_init(void)
{
    for (unsigned int i = 0; i < HOST_MOST_CPUS; i++)
        held_by[i].depth = 0;
}

unsigned int host_locks_held(void)
{
    return held_by[this_cpu()->id].depth;
}

void host_show_locks(unsigned int cpu)
{
    const struct held *h = &held_by[cpu];

    fprintf(stderr, "CPU %u holds locks of rank", cpu);
    for (unsigned int i = 0; i < h->depth; i++)
        fprintf(stderr, " %u", h->lock[i]->rank);
    fprintf(stderr, "\n");
}

static void die(const char *what, const spinlock_t *l)
{
    fprintf(stderr, "lock of rank %u: %s\n", l->rank, what);
    host_show_locks(this_cpu()->id);
    abort();
}

static void wait_for(spinlock_t *l)
{
    struct wait w = WAIT("a lock", NO_CPU);
    uint16_t is_free = 0;

    while (!__atomic_compare_exchange_n(&l->owner, &is_free, 1, false, __ATOMIC_ACQUIRE,
                                        __ATOMIC_RELAXED)) {
        if (!host_threads)
            die("another CPU, which this thread plays too, holds it", l);
        is_free = 0;
        spin_wait(&w);
        if (w.turns % TURNS == 0)
            host_give_way();
    }
}

static void take(spinlock_t *l, bool second_of_pair)
{
    struct held *h = &held_by[this_cpu()->id];

    if (!l->rank)
        die("never initialised", l);
    for (unsigned int i = 0; i < h->depth; i++) {
        if (h->lock[i] == l)
            die("taken twice", l);
        if (h->lock[i]->rank > l->rank || (h->lock[i]->rank == l->rank && !second_of_pair))
            die("taken against the order", l);
    }
    if (h->depth == MAX_HELD)
        die("too many", l);
    wait_for(l);
    h->lock[h->depth++] = l;
}

void (*host_on_lock)(const spinlock_t *l, bool released);

void spin_lock(spinlock_t *l)
{
    if (host_on_lock)
        host_on_lock(l, false);
    take(l, false);
}

void spin_unlock(spinlock_t *l)
{
    struct held *h = &held_by[this_cpu()->id];

    for (unsigned int i = 0; i < h->depth; i++) {
        if (h->lock[i] == l) {
            h->lock[i] = h->lock[--h->depth];
            __atomic_store_n(&l->owner, 0, __ATOMIC_RELEASE);
            if (host_on_lock)
                host_on_lock(l, true);
            return;
        }
    }
    die("not held", l);
}

void spin_lock_pair(spinlock_t *a, spinlock_t *b)
{
    spin_lock(a < b ? a : b);
    if (a != b)
        take(a < b ? b : a, true);
}

void spin_unlock_pair(spinlock_t *a, spinlock_t *b)
{
    spin_unlock(a);
    if (a != b)
        spin_unlock(b);
}
