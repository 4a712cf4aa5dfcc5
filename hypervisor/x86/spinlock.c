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
#include <port/wait.h>

#include "insn.h"
#include "percpu.h"
#include "x86.h"

static bool ignored;

static const char *const lock_names[] = {
    [RANK_DOMLIST] = "the lock of the table of domains",
    [RANK_DOMAIN] = "the lock of a domain's life",
    [RANK_GRANT] = "the lock of a grant table",
    [RANK_DEVICE] = "the lock of a domain's devices",
    [RANK_EVTCHN] = "the lock of a domain's event channels",
    [RANK_NPT] = "the lock of a domain's nested page tables",
    [RANK_PAGE_ALLOC] = "the lock of a domain's page lists",
    [RANK_ALLOC] = "the lock of small objects, claims or page tables",
    [RANK_HEAP] = "the lock of the heap",
    [RANK_IRQ] = "the lock of an interrupt controller or console ring",
    [RANK_POLL] = "the lock of what a vCPU polls for",
    [RANK_SCHED] = "the lock of the run queue",
    [RANK_TIMER] = "the lock of timers",
    [RANK_CONSOLE] = "the lock of the log or console",
};

void ignore_locks(void)
{
    ignored = true;
}

static void check_order(const spinlock_t *l)
{
    uint32_t held = this_cpu()->arch.held_ranks;

    if (held >> l->rank && !ignored)
        panic("%s is taken while %#x are held", lock_names[l->rank], held);
    this_cpu()->arch.held_ranks = held | 1u << l->rank;
}

/* Which CPU had the lock last; NO_CPU: none yet. */
static unsigned int holder_of(const spinlock_t *l)
{
    const void *sp = READ_ONCE(l->holder);

    return sp ? block_of(sp)->cpu.id : NO_CPU;
}

/* In one instruction: whoever takes a lock pays for it. */
static inline void note_holder(spinlock_t *l)
{
    __asm__ volatile("mov %%rsp, %0" : "=m"(l->holder));
}

/* XSA-453: a CPU may run ahead as if it had the lock, while another changes what it guards. */
static inline void taken(spinlock_t *l)
{
    note_holder(l);
    lock_barrier();
}

static __noinline void wait_for_turn(spinlock_t *l, uint16_t mine)
{
    uint16_t owner, last = mine;
    struct wait w;

    while ((owner = __atomic_load_n(&l->owner, __ATOMIC_ACQUIRE)) != mine && !READ_ONCE(ignored)) {
        if (owner != last) /* the next in the queue has it: a wait of its own */
            w = WAIT(lock_names[l->rank], NO_CPU);
        last = owner;
        w.cpu = holder_of(l);
        spin_wait(&w);
    }
    taken(l);
}

static inline void take(spinlock_t *l)
{
    uint16_t mine = __atomic_fetch_add(&l->next, 1, __ATOMIC_ACQUIRE);

    if (unlikely(__atomic_load_n(&l->owner, __ATOMIC_ACQUIRE) != mine))
        wait_for_turn(l, mine);
    else
        taken(l);
}

void spin_lock(spinlock_t *l)
{
    if (DEBUG)
        check_order(l);
    take(l);
}

void spin_unlock(spinlock_t *l)
{
    if (DEBUG)
        this_cpu()->arch.held_ranks &= ~(1u << l->rank);
    /* One instruction for the holder, who alone writes it; x86 stores in order. */
    __asm__ volatile("incw %0" : "+m"(l->owner) : : "memory");
}

void spin_lock_pair(spinlock_t *a, spinlock_t *b)
{
    spin_lock(a < b ? a : b);
    if (a != b)
        take(a < b ? b : a);
}

void spin_unlock_pair(spinlock_t *a, spinlock_t *b)
{
    spin_unlock(a);
    if (a != b)
        spin_unlock(b);
}
