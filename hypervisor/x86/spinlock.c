/* SPDX-License-Identifier: MIT */
/*
 * Ticket locks: first come, first served, so that no CPU can be starved. Interrupts are off
 * whenever the hypervisor runs, so a holder is never interrupted by code that wants the lock; NMI
 * and #MC take none.
 */
#include <port/lock.h>
#include <port/atomic.h>
#include <port/machine.h>

#include "insn.h"

void spin_lock(spinlock_t *l)
{
    uint16_t mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_ACQUIRE);

    while (__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != mine)
        cpu_relax();
}

bool spin_trylock(spinlock_t *l)
{
    uint16_t owner = __atomic_load_n(&l->owner, __ATOMIC_RELAXED), expected = owner;

    return __atomic_compare_exchange_n(&l->next, &expected, (uint16_t)(owner + 1), false,
                                       __ATOMIC_ACQUIRE, __ATOMIC_RELAXED);
}

void spin_unlock(spinlock_t *l)
{
    __atomic_store_n(&l->owner, (uint16_t)(l->owner + 1), __ATOMIC_RELEASE);
}

void spin_lock_pair(spinlock_t *a, spinlock_t *b)
{
    if (a == b) {
        spin_lock(a);
        return;
    }
    spin_lock(a < b ? a : b);
    spin_lock(a < b ? b : a);
}

void spin_unlock_pair(spinlock_t *a, spinlock_t *b)
{
    spin_unlock(a);
    if (a != b)
        spin_unlock(b);
}
