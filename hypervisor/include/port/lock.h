/* SPDX-License-Identifier: MIT */
/*
 * Port: spinlocks and their order.
 *
 * The hypervisor runs with interrupts off, so a lock is just a ticket lock. Each lock has a rank; a
 * CPU that holds a lock may only take locks of a higher rank (docs/locking.md has the list and the
 * reasons). The host build asserts the order and that no lock is taken twice; the machine build
 * does so in debug builds. Two locks of one rank are taken by address, lower first, with
 * spin_lock_pair().
 */
#ifndef PORT_LOCK_H
#define PORT_LOCK_H

#include <hv/types.h>

enum lock_rank {
    RANK_DOMLIST = 1, /* domain ids */
    RANK_DOMAIN,      /* one domain's lifecycle: dying, shutdown */
    RANK_GRANT,       /* one grant table */
    RANK_DEVICE,      /* one domain's emulated devices */
    RANK_EVTCHN,      /* one domain's event channels */
    RANK_NPT,         /* one domain's nested page tables */
    RANK_PAGE_ALLOC,  /* one domain's page list and counts */
    RANK_ALLOC,       /* small objects, claims, the hypervisor's page tables */
    RANK_HEAP,        /* the frame allocator */
    RANK_IRQ,         /* interrupt controllers, console rings */
    RANK_POLL,        /* what one vCPU polls for */
    RANK_SCHED,       /* the run queue, who runs where, and run states */
    RANK_TIMER,       /* one CPU's timers, the wall clock */
    RANK_CONSOLE,     /* log, console and PCI ports: the innermost, so that anything may print */
};

typedef struct spinlock {
    uint16_t next, owner; /* ticket */
    uint8_t rank;
    const void *holder; /* lies on the stack of the CPU that had it last: for who waits too long */
} spinlock_t;

#define SPINLOCK_INIT(r)                                                                           \
    {                                                                                              \
        .rank = (r)                                                                                \
    }

static inline void spin_lock_init(spinlock_t *l, enum lock_rank rank)
{
    *l = (spinlock_t)SPINLOCK_INIT((uint8_t)rank);
}

void spin_lock(spinlock_t *l);
void spin_unlock(spinlock_t *l);
/* Takes two locks of one rank; a may equal b (taken once). */
void spin_lock_pair(spinlock_t *a, spinlock_t *b);
void spin_unlock_pair(spinlock_t *a, spinlock_t *b);

#endif
