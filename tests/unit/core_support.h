/* SPDX-License-Identifier: MIT */
/*
 * What the tests of the control interface share: a control domain, ways to call, and memory that
 * runs out.
 *
 * core_init() starts a machine with the control domain d0 (`ctl` is its vCPU); core_fini() destroys
 * it and checks that every frame came back. Argument structures go to fixed places of the guest
 * buffer: CORE_ARG for the structure itself, CORE_DATA and up for what it points to. core_domctl()
 * and its like fill in the interface version, call as `ctl`, and bring the structure back.
 */
#ifndef TESTS_CORE_SUPPORT_H
#define TESTS_CORE_SUPPORT_H

#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <cmocka.h>

#include "host.h"

#include <core/base/hypercall.h>
#include <xen/domctl.h>
#include <xen/errno.h>
#include <xen/sysctl.h>

#define CORE_ARG     HOST_GUEST_BASE
#define CORE_DATA    (HOST_GUEST_BASE + 0x10000)
#define CORE_NOWHERE 0x7000000000ull /* nothing is mapped there */

extern struct vcpu *ctl;
extern unsigned int core_issues; /* how often the last call was issued */

void core_init(void);
void core_fini(void);
/* For cmocka's setup and teardown. */
int core_setup(void **state);
int core_teardown(void **state);

long core_call(struct vcpu *v, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2);
/* The structure in *op of `size` bytes goes to CORE_ARG and back. */
long core_call_with(struct vcpu *v, unsigned int nr, void *op, size_t size);
long core_domctl(struct xen_domctl *op);
long core_sysctl(struct xen_sysctl *op);
/* A domctl without further arguments. */
long core_domctl_plain(uint32_t cmd, domid_t id);

/* Memory that somebody has: whole frames, and small objects (the pages these lie in come and go). A
 * leak of either shows. */
struct core_memory {
    uint64_t frames, objects;
};
struct core_memory core_memory_in_use(void);
void core_assert_memory(struct core_memory before);

/* Takes all memory but `left` frames away; gives it back. */
void core_run_out(uint64_t left);
void core_refill(void);

/* A guest made by the control interface: vcpus, pages; paused. Its domain, without a reference of
 * the test's. */
struct domain *core_make_guest(unsigned int vcpus, uint64_t pages);
unsigned int core_count_domains(void);

#endif
