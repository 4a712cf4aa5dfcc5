/* SPDX-License-Identifier: MIT */
/*
 * Ticket locks: first come, first served, so that no CPU can be starved. Interrupts are off
 * whenever the hypervisor runs, so a holder is never interrupted by code that wants the lock; NMI
 * and #MC take none.
 *
 * A debug build holds each CPU to the order of docs/locking.md: one bit for each rank that it
 * holds. When the hypervisor is about to end (panic), locks are not waited for any more: what has
 * to be said must not wait for whoever holds the console.
 */
#include <port/atomic.h>
#include <port/current.h>
#include <port/lock.h>
#include <port/machine.h>

#include "x86.h"

static bool ignored;

void ignore_locks(void)
{
    ignored = true;
}

static void check_order(const spinlock_t *l)
{
    uint32_t held = this_cpu()->arch.held_ranks;

    if (held >> l->rank && !ignored)
        panic("lock of rank %u is taken while %#x are held", l->rank, held);
    this_cpu()->arch.held_ranks = held | 1u << l->rank;
}

static void wait_for(spinlock_t *l)
{
    uint16_t mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_ACQUIRE);

    while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != mine && !ignored)
        cpu_relax();
}

void spin_lock(spinlock_t *l)
{
    if (DEBUG)
        check_order(l);
    wait_for(l);
}

void spin_unlock(spinlock_t *l)
{
    if (DEBUG)
        this_cpu()->arch.held_ranks &= ~(1u << l->rank);
    __atomic_store_n(&l->owner, (uint16_t)(l->owner + 1), __ATOMIC_RELEASE);
}

void spin_lock_pair(spinlock_t *a, spinlock_t *b)
{
    spin_lock(a < b ? a : b);
    if (a != b)
        wait_for(a < b ? b : a);
}

void spin_unlock_pair(spinlock_t *a, spinlock_t *b)
{
    spin_unlock(a);
    if (a != b)
        spin_unlock(b);
}
