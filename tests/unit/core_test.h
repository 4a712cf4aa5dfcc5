/* SPDX-License-Identifier: MIT */
/* What the tests of core share: cmocka with its order of includes, the machine, arguments in guest
 * memory, short hypercalls, the domains that a test of the scheduler begins with, and what it
 * asks of them. */
#ifndef TESTS_UNIT_CORE_TEST_H
#define TESTS_UNIT_CORE_TEST_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "host.h"
#include <core/base/hypercall.h>
#include <core/sched/sched.h>
#include <port/atomic.h>
#include <xen/errno.h>

#define ARG  HOST_GUEST_BASE             /* where a test puts the argument of a hypercall */
#define LIST (HOST_GUEST_BASE + 0x10000) /* and a list that it points to */

/* Puts the structure at ARG, calls, and takes it back. */
#define call_with(v, name, cmd, s)                                                                 \
    ({                                                                                             \
        memcpy(host_guest(ARG), (s), sizeof(*(s)));                                                \
        long call_rc = host_hypercall(v, __HYPERVISOR_##name, (uint64_t[6]){cmd, ARG}, NULL);      \
        memcpy((s), host_guest(ARG), sizeof(*(s)));                                                \
        call_rc;                                                                                   \
    })

#define call(v, name, ...) host_hypercall(v, __HYPERVISOR_##name, (uint64_t[6]){__VA_ARGS__}, NULL)

/* A control domain that sleeps, and three domains of a vCPU each that want to run. */
static inline void three_that_compute(struct domain *dom[4])
{
    for (unsigned int i = 0; i < 4; i++)
        dom[i] = host_domain((domid_t)i, i == 0, 1, 0);
    atomic_or(&dom[0]->vcpu[0]->pause_flags, VPF_blocked);
    vcpu_sleep(dom[0]->vcpu[0]);
    host_exit_path();
}

/* Its cap lets one more run. */
static inline bool has_room(const struct sched_domain *s)
{
    return s->running < s->cap / 100u + !s->cap_dry;
}

#endif
