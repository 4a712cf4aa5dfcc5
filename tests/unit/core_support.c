/* SPDX-License-Identifier: MIT */
/*
 * The control domain of core_support.h.
 */
#include "core_support.h"

#include <core/domain/domain_pages.h>
#include <core/domain/domain_table.h>
#include <stdlib.h>
#include <string.h>

#define FRAMES 2048u

struct vcpu *ctl;
unsigned int core_issues;

static struct core_memory memory_before;
static struct page_info *taken[FRAMES];
static unsigned int nr_taken;

#define TYPE_SLAB 0x51ab0000u /* type_info of a page of small objects: core/frame/alloc.c */

struct core_memory core_memory_in_use(void)
{
    struct core_memory m = {.frames = heap_total_frames() - heap_free_frames()};

    for (uint64_t i = 0; i <= max_mfn; i++) {
        const struct page_info *pg = mfn_to_page(MFN(i));

        if (!mfn_valid(MFN(i)) || pg->owner != DOMID_INVALID ||
            ((uint32_t)pg->type_info & 0xffff0000u) != TYPE_SLAB)
            continue;
        m.objects += pg->tlb_stamp;
        m.frames--;
    }
    return m;
}

void core_assert_memory(struct core_memory before)
{
    struct core_memory now = core_memory_in_use();

    assert_int_equal(now.frames, before.frames);
    assert_int_equal(now.objects, before.objects);
}

void core_init(void)
{
    host_init(FRAMES);
    nr_taken = 0;
    /* Tables that only grow: of domains, of timers */
    host_destroy(host_domain(1, false, MAX_VCPUS, 0));
    memory_before = core_memory_in_use();
    ctl = host_domain(0, true, 1, 8)->vcpu[0];
    host_run_as(ctl);
}

void core_fini(void)
{
    host_destroy(ctl->domain);
    assert_int_equal(host_locks_held(), 0);
    assert_int_equal(core_count_domains(), 0);
    core_assert_memory(memory_before);
}

int core_setup(void **state)
{
    (void)state;
    core_init();
    return 0;
}

int core_teardown(void **state)
{
    (void)state;
    core_fini();
    return 0;
}

long core_call(struct vcpu *v, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2)
{
    const uint64_t args[6] = {a0, a1, a2};

    return host_hypercall(v, nr, args, &core_issues);
}

long core_call_with(struct vcpu *v, unsigned int nr, void *op, size_t size)
{
    long rc;

    memcpy(host_guest(CORE_ARG), op, size);
    rc = core_call(v, nr, CORE_ARG, 0, 0);
    memcpy(op, host_guest(CORE_ARG), size);
    return rc;
}

long core_domctl(struct xen_domctl *op)
{
    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    return core_call_with(ctl, __HYPERVISOR_domctl, op, sizeof(*op));
}

long core_domctl_plain(uint32_t cmd, domid_t id)
{
    struct xen_domctl op = {.cmd = cmd, .domain = id};

    return core_domctl(&op);
}

long core_sysctl(struct xen_sysctl *op)
{
    op->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return core_call_with(ctl, __HYPERVISOR_sysctl, op, sizeof(*op));
}

void core_run_out(uint64_t left)
{
    struct page_info *pg;

    while ((pg = alloc_frames(0, 0)) != NULL)
        taken[nr_taken++] = pg;
    while (left-- && nr_taken)
        free_frames(taken[--nr_taken], 0);
}

void core_refill(void)
{
    while (nr_taken)
        free_frames(taken[--nr_taken], 0);
}

struct domain *core_make_guest(unsigned int vcpus, uint64_t pages)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_createdomain,
                            .u.createdomain = {.max_vcpus = vcpus,
                                               .max_evtchn_port = 1023,
                                               .max_grant_frames = 4,
                                               .max_maptrack_frames = 4,
                                               .grant_opts = XEN_DOMCTL_GRANT_version(1)}};
    struct domain *d;
    domid_t id;

    assert_int_equal(core_domctl(&op), 0);
    id = op.domain;
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_max_vcpus, .domain = id, .u.max_vcpus.max = vcpus};
    assert_int_equal(core_domctl(&op), 0);
    op = (struct xen_domctl){
        .cmd = XEN_DOMCTL_max_mem, .domain = id, .u.max_mem.max_memkb = pages * 4};
    assert_int_equal(core_domctl(&op), 0);
    d = get_domain_by_id(id);
    assert_non_null(d);
    for (uint64_t i = 0; i < pages; i++)
        assert_non_null(host_frames(d, 0));
    put_domain(d);
    return d;
}

unsigned int core_count_domains(void)
{
    struct domain *d = NULL;
    unsigned int n = 0;

    while ((d = next_domain(d)) != NULL)
        n++;
    return n;
}
