/* SPDX-License-Identifier: MIT */
/*
 * What Debian's programs ask for beside what our own do: the next domain, where PCI functions are,
 * a list of patches; and a guest's date when its builder has cleared the page that has it.
 */
#include "core_support.h"

#include <core/domain/domain_table.h>
#include <port/atomic.h>
#include <string.h>

static long next(uint32_t id, domid_t *found)
{
    struct xen_domctl op = {.cmd = XEN_DOMCTL_getdomaininfo, .domain = (domid_t)id};
    long rc = core_domctl(&op);

    *found = op.domain;
    if (!rc)
        assert_int_equal(op.u.getdomaininfo.domain, op.domain);
    return rc;
}

/* As xenconsoled walks: what is in a gap is the next above it, until there is none. */
static void the_next_domain(void **state)
{
    static const domid_t id[] = {1, 2, 64, 700, DOMID_FIRST_RESERVED - 1};
    struct domain *d[ARRAY_SIZE(id)];
    domid_t found;

    (void)state;
    for (unsigned int i = 0; i < ARRAY_SIZE(id); i++)
        d[i] = host_domain(id[i], false, 1, 0);
    for (unsigned int i = 0; i < ARRAY_SIZE(id); i++)
        for (unsigned int ask = i ? id[i - 1] + 1u : 1; ask <= id[i]; ask++) {
            assert_int_equal(next(ask, &found), 0);
            assert_int_equal(found, id[i]);
        }
    host_destroy(d[4]);
    assert_int_equal(next(700, &found), 0);
    assert_int_equal(next(701, &found), -XEN_ESRCH);
    assert_int_equal(found, 701);
    assert_int_equal(next(DOMID_FIRST_RESERVED - 1, &found), -XEN_ESRCH);
    assert_int_equal(next(DOMID_FIRST_RESERVED, &found), -XEN_EINVAL);
    assert_int_equal(next(DOMID_XEN, &found), -XEN_EINVAL);
    assert_int_equal(next(0xffff, &found), -XEN_EINVAL);
    /* The others are about that domain or none. */
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_pausedomain, 3), -XEN_ESRCH);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_pausedomain, DOMID_XEN), -XEN_ESRCH);
    assert_false(d[2]->controller_paused);
    for (unsigned int i = 0; i < 4; i++)
        host_destroy(d[i]);
    assert_int_equal(next(1, &found), -XEN_ESRCH);
}

static struct xen_sysctl pci_op(uint32_t n)
{
    return (struct xen_sysctl){
        .cmd = XEN_SYSCTL_pcitopoinfo,
        .u.pcitopoinfo = {.num_devs = n, .devs = CORE_DATA, .nodes = CORE_DATA + 0x1000}};
}

static void places_of_pci_functions(void **state)
{
    static const struct physdev_pci_device f[] = {
        {0, 0, HOST_PCI_DEVFN}, {0, 0, 0xff}, {1, 0, HOST_PCI_DEVFN}, {0, 1, HOST_PCI_DEVFN}};
    uint32_t *node = host_guest(CORE_DATA + 0x1000);
    struct xen_sysctl op = pci_op(ARRAY_SIZE(f));
    struct xen_sysctl_pcitopoinfo *a = &op.u.pcitopoinfo;

    (void)state;
    memcpy(host_guest(CORE_DATA), f, sizeof(f));
    memset(node, 0xa5, 32);
    this_cpu()->pending = 0;
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(a->num_devs, ARRAY_SIZE(f));
    assert_int_equal(node[0], 0);
    for (unsigned int i = 1; i < ARRAY_SIZE(f); i++)
        assert_int_equal(node[i], XEN_INVALID_DEV);
    assert_int_equal(node[ARRAY_SIZE(f)], 0xa5a5a5a5);
    /* A part at a time where others wait, so that no number of them takes long. */
    atomic_or(&this_cpu()->pending, CPU_WORK_TIMER);
    op = pci_op(~0u);
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(a->num_devs, 1);
    this_cpu()->pending = 0;
    op = pci_op(0);
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(a->num_devs, 0);
    a->devs = 0;
    assert_int_equal(core_sysctl(&op), -XEN_EINVAL);
    op = pci_op(1);
    a->nodes = 0;
    assert_int_equal(core_sysctl(&op), -XEN_EINVAL);
    a->nodes = CORE_NOWHERE;
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
    op = pci_op(1);
    a->devs = CORE_NOWHERE;
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
    op = pci_op(~0u); /* to the end of what is mapped */
    assert_int_equal(core_sysctl(&op), -XEN_EFAULT);
}

static void no_patches(void **state)
{
    struct xen_sysctl op = {.cmd = XEN_SYSCTL_livepatch_op};
    struct xen_sysctl_livepatch_op *a = &op.u.livepatch;

    (void)state;
    for (uint32_t cmd = 0; cmd < 6; cmd++) {
        a->cmd = cmd;
        assert_int_equal(core_sysctl(&op), cmd == XEN_SYSCTL_LIVEPATCH_LIST ? 0 : -XEN_EOPNOTSUPP);
    }
    a->cmd = XEN_SYSCTL_LIVEPATCH_LIST;
    a->u.list = (struct xen_sysctl_livepatch_list){.version = 1,
                                                   .nr = 64,
                                                   .name_total_size = 2,
                                                   .metadata_total_size = 3,
                                                   .status = CORE_NOWHERE};
    assert_int_equal(core_sysctl(&op), 0);
    assert_int_equal(a->u.list.version | a->u.list.nr | a->u.list.name_total_size |
                         a->u.list.metadata_total_size,
                     0);
    a->pad = 1;
    assert_int_equal(core_sysctl(&op), -XEN_EINVAL);
    a->pad = 0;
    a->u.list.pad = 1;
    assert_int_equal(core_sysctl(&op), -XEN_EINVAL);
}

/* libxenguest clears shared_info as it builds a domain, and gives vCPU 0 its context last. */
static void the_date_of_a_new_domain(void **state)
{
    struct domain *d = core_make_guest(2, 0);
    struct xen_domctl op = {.cmd = XEN_DOMCTL_setvcpucontext,
                            .domain = d->domain_id,
                            .u.vcpucontext = {.vcpu = 1, .ctxt = CORE_DATA}};

    (void)state;
    memset(host_guest(CORE_DATA), 0, sizeof(struct vcpu_guest_context));
    memset(d->shared_info, 0, sizeof(*d->shared_info));
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(d->shared_info->wc_sec, 0);
    op.u.vcpucontext.vcpu = 0;
    assert_int_equal(core_domctl(&op), 0);
    assert_int_equal(d->shared_info->wc_sec, clock_wall_at_zero() / SECONDS(1));
    assert_int_equal(d->shared_info->wc_version & 1, 0);
    memset(d->shared_info, 0, sizeof(*d->shared_info));
    op.u.vcpucontext.ctxt = CORE_NOWHERE; /* no context, no date */
    assert_int_equal(core_domctl(&op), -XEN_EFAULT);
    assert_int_equal(d->shared_info->wc_sec, 0);
    assert_int_equal(core_domctl_plain(XEN_DOMCTL_destroydomain, d->domain_id), 0);
}

int main(void)
{
#define TEST(t) cmocka_unit_test_setup_teardown(t, core_setup, core_teardown)
    const struct CMUnitTest tests[] = {TEST(the_next_domain), TEST(places_of_pci_functions),
                                       TEST(no_patches), TEST(the_date_of_a_new_domain)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
