/* SPDX-License-Identifier: MIT */
/*
 * The domain of hvm_made.h.
 */
#include "hvm_made.h"

#include <core/domain/domain_table.h>
#include <core/grant/grant_internal.h>
#include <core/life/domain_system.h>
#include <hvm/hvm_ops.h>

struct mm_guest control, other;
struct domain *d;
uint64_t free_before;

long made_domctl(struct xen_domctl *op)
{
    long rc;

    op->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    memcpy(host_guest(ARG), op, sizeof(*op));
    rc = mm_call(&control, __HYPERVISOR_domctl, ARG, 0, 0, 0);
    memcpy(op, host_guest(ARG), sizeof(*op));
    return rc;
}

long made_create(uint32_t flags, uint32_t emulation, domid_t *id)
{
    struct xen_domctl op = {
        .cmd = XEN_DOMCTL_createdomain,
        .u.createdomain = {.flags = flags,
                           .max_vcpus = 2,
                           .max_evtchn_port = 1023,
                           .max_grant_frames = 4,
                           .max_maptrack_frames = 4,
                           .grant_opts = XEN_DOMCTL_GRANT_version(1),
                           .arch.emulation_flags = emulation},
    };
    long rc = made_domctl(&op);

    *id = op.domain;
    return rc;
}

long made_populate(struct mm_guest *by, const uint64_t *gfns, uint64_t n, unsigned int order)
{
    struct xen_memory_reservation r = {
        .extent_start = LIST, .nr_extents = n, .extent_order = order, .domid = d->domain_id};
    long rc;

    memcpy(host_guest(LIST), gfns, n * sizeof(*gfns));
    memcpy(host_guest(ARG), &r, sizeof(r));
    rc = mm_call(by, __HYPERVISOR_memory_op, XENMEM_populate_physmap, ARG, 0, 0);
    assert_memory_equal(host_guest(LIST), gfns, n * sizeof(*gfns)); /* ABI: frames are not told */
    return rc;
}

void made_give(grant_ref_t ref, uint32_t gfn)
{
    *grant_shared(d->grant, ref) =
        (struct grant_entry_v1){.flags = GTF_permit_access, .domid = 0, .frame = gfn};
}

int16_t made_map_grant(grant_ref_t ref, uint32_t flags, uint32_t *handle)
{
    struct gnttab_map_grant_ref m = {.host_addr = mm_va(SLOT),
                                     .flags = GNTMAP_host_map | flags,
                                     .ref = ref,
                                     .dom = d->domain_id};

    memcpy(host_guest(ARG), &m, sizeof(m));
    assert_int_equal(
        mm_call(&control, __HYPERVISOR_grant_table_op, GNTTABOP_map_grant_ref, ARG, 1, 0), 0);
    memcpy(&m, host_guest(ARG), sizeof(m));
    *handle = m.handle;
    return m.status;
}

int made_start(void **state)
{
    (void)state;
    mm_init(8192);
    host_hvm_lacks = NULL;
    guest_kinds[1] = &hvm_guest_ops;
    mm_guest_init(&control, 0, true);
    mm_guest_init(&other, 5, false);
    mm_recount = false; /* its oracle knows of no nested tables: hvm_recount() */
    return 0;
}

/* A domain with its vCPUs and limit, and no memory yet. */
int made_setup(void **state)
{
    static const uint64_t large[] = {0, 512};
    struct xen_domctl op;
    uint32_t handle;
    domid_t id;

    made_start(state);
    /* what is kept for the next domain is not missed */
    assert_int_equal(made_create(HVM, DEVICES, &id), 0);
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_max_vcpus, .domain = id, .u.max_vcpus.max = 2};
    assert_int_equal(made_domctl(&op), 0);
    d = get_domain_by_id(id);
    put_domain(d);
    made_give(9, 0); /* and the control domain's table of handles is */
    assert_int_equal(made_map_grant(9, 0, &handle), GNTST_bad_page);
    host_destroy(d);
    free_before = heap_free_frames();

    assert_int_equal(made_create(HVM, DEVICES, &id), 0);
    op = (struct xen_domctl){
        .cmd = XEN_DOMCTL_max_mem, .domain = id, .u.max_mem.max_memkb = (PAGES + 2) * 4};
    assert_int_equal(made_domctl(&op), 0);
    op = (struct xen_domctl){.cmd = XEN_DOMCTL_max_vcpus, .domain = id, .u.max_vcpus.max = 2};
    assert_int_equal(made_domctl(&op), 0);
    d = get_domain_by_id(id);
    put_domain(d);
    assert_int_equal(made_populate(&control, large, 2, 9), 2);
    assert_int_equal(made_populate(&control, (uint64_t[]){RING}, 1, 0), 1);
    return 0;
}

int made_teardown(void **state)
{
    (void)state;
    host_run_as(control.v);
    host_destroy(d);
    host_check_invariants();
    assert_int_equal(heap_free_frames(), free_before);
    mm_fini();
    return 0;
}

int made_finish(void **state)
{
    (void)state;
    mm_fini();
    return 0;
}

void made_recount(const mfn_t *held, unsigned int n)
{
    static uint8_t count[8192];

    memset(count, 0, sizeof(count));
    for (unsigned int i = 0; i < n; i++)
        count[held[i].n]++;
    hvm_recount(d, count);
    assert_int_equal(host_recount(), 0);
    host_check_invariants();
}
