/* SPDX-License-Identifier: MIT */
/*
 * Locks on the host: nobody competes, so what is checked is the order. A lock must have a higher
 * rank than all that are held, or be the second of a pair of one rank; nothing is taken twice,
 * nothing released that is not held. A violation ends the test.
 */
#include "host.h"

#include <stdio.h>
#include <stdlib.h>

#define MAX_HELD 16

static spinlock_t *held[MAX_HELD];
static unsigned int depth;

void host_locks_init(void);
void host_locks_init(void)
{
    depth = 0;
}

unsigned int host_locks_held(void)
{
    return depth;
}

static void die(const char *what, const spinlock_t *l)
{
    fprintf(stderr, "lock of rank %u: %s; held:", l->rank, what);
    for (unsigned int i = 0; i < depth; i++)
        fprintf(stderr, " %u", held[i]->rank);
    fprintf(stderr, "\n");
    abort();
}

static void take(spinlock_t *l, bool second_of_pair)
{
    if (!l->rank)
        die("never initialised", l);
    for (unsigned int i = 0; i < depth; i++) {
        if (held[i] == l)
            die("taken twice", l);
        if (held[i]->rank > l->rank || (held[i]->rank == l->rank && !second_of_pair))
            die("taken against the order", l);
    }
    if (depth == MAX_HELD)
        die("too many", l);
    held[depth++] = l;
    l->next++;
}

void spin_lock(spinlock_t *l)
{
    take(l, false);
}

void spin_unlock(spinlock_t *l)
{
    for (unsigned int i = 0; i < depth; i++) {
        if (held[i] == l) {
            held[i] = held[--depth];
            l->owner++;
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
