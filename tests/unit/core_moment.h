/* SPDX-License-Identifier: MIT */
/*
 * What another CPU does at the worst moment: a test stops one operation where it takes or releases
 * a lock, or copies from its guest, and another CPU carries out something there, whole.
 *
 * Threads in torture come to all moments, and to none in particular (tests/torture); these are
 * those of which it is known what would go wrong.
 */
#ifndef TESTS_UNIT_CORE_MOMENT_H
#define TESTS_UNIT_CORE_MOMENT_H

#include "core_test.h"

/* A machine of two CPUs with the control domain (2 vCPUs) and d5 (3 vCPUs, no memory yet). After a
 * test the invariants must hold. */
extern struct domain *dom0, *d;
int moment_setup(void **state);
int moment_teardown(void **state);

extern struct moment {
    const spinlock_t *lock;
    bool released;
    unsigned int skip; /* so often it is not yet */
    struct vcpu *by;   /* who runs on the other CPU: dom0's vCPU 0, until a test says another */
    void (*meanwhile)(void);
    unsigned int times; /* it was done: 0 or 1 */
} moment;

/* Before this CPU takes the lock, or after it has released it, but for the first `skip` times. */
void when(const spinlock_t *lock, bool released, unsigned int skip, void (*meanwhile)(void));
/* Or, for host_on_copy: before the hypervisor's next copy from or to a guest. */
void at_copy(gva_t gva);

#endif
