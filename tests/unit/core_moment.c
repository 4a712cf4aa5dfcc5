/* SPDX-License-Identifier: MIT */
/*
 * The worst moment (core_moment.h).
 */
#include "core_moment.h"

struct domain *dom0, *d;

struct moment moment;

static void do_it(void)
{
    void (*meanwhile)(void) = moment.meanwhile;

    if (!meanwhile || moment.skip--)
        return;
    moment.meanwhile = NULL;
    moment.times++;
    host_run_on(1);
    this_cpu()->running = moment.by;
    meanwhile();
    this_cpu()->running = this_cpu()->idle;
    host_run_on(0);
}

static void at_lock(const spinlock_t *l, bool released)
{
    if (l == moment.lock && released == moment.released)
        do_it();
}

void at_copy(gva_t gva)
{
    (void)gva;
    do_it();
}

void when(const spinlock_t *lock, bool released, unsigned int skip, void (*meanwhile)(void))
{
    moment.lock = lock;
    moment.released = released;
    moment.skip = skip;
    moment.by = dom0->vcpu[0];
    moment.meanwhile = meanwhile;
    moment.times = 0;
    host_on_lock = at_lock;
}

int moment_setup(void **state)
{
    (void)state;
    host_init(1024);
    host_set_cpus(2);
    cpu_by_id(1)->pending = 0; /* it does what `meanwhile` says, and takes no vCPU */
    dom0 = host_domain(0, true, 2, 0);
    d = host_domain(5, false, 3, 0);
    d->max_pages = 100;
    memset(&moment, 0, sizeof(moment));
    return 0;
}

int moment_teardown(void **state)
{
    (void)state;
    host_on_lock = NULL;
    host_on_copy = NULL;
    host_check_invariants();
    return 0;
}
