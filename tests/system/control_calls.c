/* SPDX-License-Identifier: MIT */
/*
 * Calls of the control interface that toolstacks make, right and wrong ones, from the control
 * domain's user space: a line each with the answer, and of results what does not depend on the
 * machine. Run on Parvis and on Xen its output is the same (test_toolstack.py).
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/mman.h>

#include <xen/domctl.h>
#include <xen/memory.h>
#include <xen/sysctl.h>

#define NOWHERE  0x10000ull /* nothing is mapped there */
#define FIRST_ID 1000       /* domains that are made here: this, and this + 7 */

struct privcmd_hypercall {
    uint64_t op, arg[5];
};
#define PRIVCMD_HYPERCALL _IOC(_IOC_NONE, 'P', 0, sizeof(struct privcmd_hypercall))

static int privcmd;
static struct {
    struct xen_domctl d;
    struct xen_sysctl s;
    struct xen_vnuma_topology_info numa;
    struct xen_cpuid_leaf leaf[121];
    struct xen_msr_entry msr[4];
    uint32_t word[32];
    struct physdev_pci_device pci[4];
    uint32_t node[4];
} * m;

static long call(uint64_t op, uint64_t a, uint64_t b)
{
    struct privcmd_hypercall h = {op, {a, b}};
    long rc = ioctl(privcmd, PRIVCMD_HYPERCALL, &h);

    return rc < 0 ? -errno : rc;
}

static long said(const char *what, long rc)
{
    printf("%s: %s", what, rc < 0 ? strerrorname_np((int)-rc) : "0");
    if (rc > 0)
        printf(" + %ld", rc);
    printf("\n");
    return rc;
}

static long do_domctl(uint32_t cmd, uint16_t domain)
{
    m->d.cmd = cmd;
    m->d.interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    m->d.domain = domain;
    return call(__HYPERVISOR_domctl, (uintptr_t)&m->d, 0);
}

static long do_sysctl(uint32_t cmd)
{
    m->s.cmd = cmd;
    m->s.interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return call(__HYPERVISOR_sysctl, (uintptr_t)&m->s, 0);
}

static uint64_t at(const void *p)
{
    return (uintptr_t)p;
}

static long create(uint16_t id, uint32_t grant_opts)
{
    memset(&m->d, 0, sizeof(m->d));
    m->d.u.createdomain = (struct xen_domctl_createdomain){.max_vcpus = 1,
                                                           .max_evtchn_port = 1023,
                                                           .max_grant_frames = 4,
                                                           .max_maptrack_frames = 4,
                                                           .grant_opts = grant_opts};
    printf("grant options %#x ", grant_opts);
    return said("createdomain", do_domctl(XEN_DOMCTL_createdomain, id));
}

/* Domains with every version of grant tables that there is, and is not. */
static void domains_of_versions(uint16_t id)
{
    static const uint32_t options[] = {0, 1, 2, 3, 0xf, 0x10, 0x11, 0x80000001, ~0u};

    for (unsigned int i = 0; i < sizeof(options) / sizeof(options[0]); i++) {
        if (create(id, options[i]) == 0)
            said("destroydomain", do_domctl(XEN_DOMCTL_destroydomain, id));
    }
}

static void domain_make(uint16_t id)
{
    create(id, XEN_DOMCTL_GRANT_version(1));
    m->d.u.max_vcpus.max = 1;
    said("max_vcpus", do_domctl(XEN_DOMCTL_max_vcpus, id));
}

static void next_domain(void)
{
    static const uint16_t from[] = {0,
                                    1,
                                    FIRST_ID,
                                    FIRST_ID + 1,
                                    FIRST_ID + 7,
                                    FIRST_ID + 8,
                                    DOMID_FIRST_RESERVED - 1,
                                    DOMID_FIRST_RESERVED,
                                    DOMID_SELF,
                                    DOMID_XEN,
                                    0xffff};

    for (unsigned int i = 0; i < sizeof(from) / sizeof(from[0]); i++) {
        printf("%u ", from[i]);
        if (said("getdomaininfo", do_domctl(XEN_DOMCTL_getdomaininfo, from[i])) == 0)
            printf("  it is %u, which says %u\n", m->d.domain, m->d.u.getdomaininfo.domain);
    }
    said("pausedomain in the gap", do_domctl(XEN_DOMCTL_pausedomain, FIRST_ID + 1));
}

static long system_policy(uint32_t index, uint32_t leaves, uint64_t to)
{
    m->s.u.cpu_policy = (struct xen_sysctl_cpu_policy){
        .index = index, .nr_leaves = leaves, .nr_msrs = 2, .leaves = to, .msrs = at(m->msr)};
    return do_sysctl(XEN_SYSCTL_get_cpu_policy);
}

static long few_msrs(uint32_t index)
{
    m->s.u.cpu_policy =
        (struct xen_sysctl_cpu_policy){.index = index, .nr_msrs = 1, .msrs = at(m->msr)};
    return do_sysctl(XEN_SYSCTL_get_cpu_policy);
}

static void policies(void)
{
    static const uint32_t index[] = {0, 1, 2, 4, 6, 7, ~0u};
    uint32_t n;

    for (unsigned int i = 0; i < sizeof(index) / sizeof(index[0]); i++) {
        printf("policy %u: ", index[i]);
        said("whole", system_policy(index[i], 120, at(m->leaf)));
        said("no room", system_policy(index[i], 0, at(m->leaf)));
        said("no room for MSRs", few_msrs(index[i]));
        said("nowhere", system_policy(index[i], 120, NOWHERE));
        if (!said("how many", system_policy(index[i], 5, 0)))
            printf("  %u leaves\n", m->s.u.cpu_policy.nr_leaves);
    }
    m->s.u.cpu_policy._rsvd = 1;
    said("reserved", do_sysctl(XEN_SYSCTL_get_cpu_policy));
    system_policy(4, 120, at(m->leaf));
    n = m->s.u.cpu_policy.nr_leaves;
    printf("%u MSRs: %#x, %#x\n", m->s.u.cpu_policy.nr_msrs, m->msr[0].idx, m->msr[1].idx);
    said("just enough room", system_policy(4, n, at(m->leaf)));
    said("one too few", system_policy(4, n - 1, at(m->leaf)));
}

static void featuresets(void)
{
    static const uint32_t index[] = {0, 1, 2, 4, 6, ~0u}, room[] = {0, 1, 18, 19, 20, ~0u};
    struct xen_sysctl_cpu_featureset *f = &m->s.u.cpu_featureset;

    for (unsigned int i = 0; i < sizeof(index) / sizeof(index[0]); i++)
        for (unsigned int r = 0; r < sizeof(room) / sizeof(room[0]); r++) {
            *f = (struct xen_sysctl_cpu_featureset){index[i], room[r], at(m->word)};
            printf("featureset %u, room for %u: ", index[i], room[r]);
            said("words", do_sysctl(XEN_SYSCTL_get_cpu_featureset));
            printf("  %u\n", f->nr_features);
        }
    *f = (struct xen_sysctl_cpu_featureset){99, 1, 0};
    said("how many words", do_sysctl(XEN_SYSCTL_get_cpu_featureset));
    printf("  %u\n", f->nr_features);
    *f = (struct xen_sysctl_cpu_featureset){0, 19, NOWHERE};
    said("words to nowhere", do_sysctl(XEN_SYSCTL_get_cpu_featureset));
}

static void give(const char *what, uint16_t id, uint32_t leaves, uint64_t from, uint32_t msrs)
{
    struct xen_domctl_cpu_policy *p = &m->d.u.cpu_policy;
    long rc;

    *p = (struct xen_domctl_cpu_policy){.nr_leaves = leaves,
                                        .nr_msrs = msrs,
                                        .leaves = from,
                                        .msrs = at(m->msr),
                                        .err_leaf = 1,
                                        .err_subleaf = 2,
                                        .err_msr = 3};
    rc = said(what, do_domctl(XEN_DOMCTL_set_cpu_policy, id));
    if (rc == -EINVAL || rc == -ERANGE)
        printf("  err %#x %#x %#x\n", p->err_leaf, p->err_subleaf, p->err_msr);
}

static struct xen_cpuid_leaf *leaf_of(uint16_t id, uint32_t leaf, uint32_t sub)
{
    m->d.u.cpu_policy = (struct xen_domctl_cpu_policy){
        .nr_leaves = 120, .nr_msrs = 2, .leaves = at(m->leaf), .msrs = at(m->msr)};
    if (do_domctl(XEN_DOMCTL_get_cpu_policy, id) == 0)
        for (uint32_t i = 0; i < m->d.u.cpu_policy.nr_leaves; i++)
            if (m->leaf[i].leaf == leaf && m->leaf[i].subleaf == sub)
                return &m->leaf[i];
    printf("no leaf %#x\n", leaf);
    return &m->leaf[120];
}

static void policy_of_a_domain(uint16_t id)
{
    static const struct {
        uint32_t leaf, sub;
    } bad[] = {{0xe, ~0u},
               {0x3fffffff, ~0u},
               {0x40000001, ~0u},
               {0x80000022, ~0u},
               {~0u, ~0u},
               {1, 0},
               {4, ~0u},
               {4, 6},
               {7, 3},
               {0xb, ~0u},
               {0xb, 2},
               {0xd, 63},
               {0x80000001, 0}};
    struct xen_cpuid_leaf one;
    uint32_t n;

    said("policy nowhere", do_domctl(XEN_DOMCTL_get_cpu_policy, FIRST_ID + 1));
    system_policy(4, 120, at(m->leaf));
    n = m->s.u.cpu_policy.nr_leaves;
    give("the policy that there is", id, n, at(m->leaf), 0);
    give("nothing", id, 0, 0, 0);
    give("from nowhere", id, 1, NOWHERE, 0);
    give("too many leaves", id, 121, at(m->leaf), 0);
    give("far too many leaves", id, ~0u, at(m->leaf), 0);
    give("too many MSRs", id, 0, 0, 3);
    for (unsigned int i = 0; i < sizeof(bad) / sizeof(bad[0]); i++) {
        m->leaf[0] = (struct xen_cpuid_leaf){.leaf = bad[i].leaf, .subleaf = bad[i].sub};
        printf("leaf %#x, sub-leaf %#x: ", bad[i].leaf, bad[i].sub);
        give("given", id, 1, at(m->leaf), 0);
    }
    m->msr[0] = (struct xen_msr_entry){.idx = 0xc0000080};
    give("an MSR that no policy has", id, 0, 0, 1);
    m->msr[0] = (struct xen_msr_entry){.idx = 0xce};
    give("an MSR", id, 0, 0, 1);
    m->msr[0].flags = 1;
    give("flags of an MSR", id, 0, 0, 1);

    one = *leaf_of(id, 1, ~0u);
    printf("CMOV %u, SSE3 %u, HYPERVISOR %u\n", one.d >> 15 & 1, one.c & 1, one.c >> 31);
    one.d &= ~(1u << 15);
    one.c &= ~1u;
    m->leaf[0] = one;
    give("without CMOV and SSE3", id, 1, at(m->leaf), 0);
    one = *leaf_of(id, 1, ~0u);
    printf("CMOV %u, SSE3 %u, HYPERVISOR %u\n", one.d >> 15 & 1, one.c & 1, one.c >> 31);
    m->leaf[0] = *leaf_of(id, 0, ~0u);
    m->leaf[0].a++;
    give("one basic leaf more", id, 1, at(m->leaf), 0);
    m->leaf[0] = *leaf_of(id, 0x80000000, ~0u);
    m->leaf[0].a++;
    give("one extended leaf more", id, 1, at(m->leaf), 0);
    m->d.u.cpu_policy = (struct xen_domctl_cpu_policy){.nr_leaves = 5, .leaves = at(m->leaf)};
    said("a domain's policy, no room", do_domctl(XEN_DOMCTL_get_cpu_policy, id));
    m->d.u.cpu_policy = (struct xen_domctl_cpu_policy){.nr_leaves = 120, .leaves = NOWHERE};
    said("a domain's policy to nowhere", do_domctl(XEN_DOMCTL_get_cpu_policy, id));
    m->d.u.cpu_policy = (struct xen_domctl_cpu_policy){.nr_leaves = 5};
    said("how long a domain's policy is", do_domctl(XEN_DOMCTL_get_cpu_policy, id));
    printf("  %u leaves\n", m->d.u.cpu_policy.nr_leaves);
}

static void nodes(uint8_t devfn, const char *what)
{
    struct xen_sysctl_pcitopoinfo *t = &m->s.u.pcitopoinfo;

    m->pci[0] = (struct physdev_pci_device){.devfn = devfn};
    m->node[0] = 77;
    *t = (struct xen_sysctl_pcitopoinfo){1, at(m->pci), at(m->node)};
    printf("of %s: ", what);
    said("pcitopoinfo", do_sysctl(XEN_SYSCTL_pcitopoinfo));
    printf("  %u, it is there: %d\n", t->num_devs, m->node[0] != XEN_INVALID_DEV);
}

static void pci(void)
{
    struct xen_sysctl_pcitopoinfo *t = &m->s.u.pcitopoinfo;

    *t = (struct xen_sysctl_pcitopoinfo){.num_devs = 1};
    said("pcitopoinfo without arrays", do_sysctl(XEN_SYSCTL_pcitopoinfo));
    *t = (struct xen_sysctl_pcitopoinfo){1, at(m->pci), 0};
    said("pcitopoinfo without nodes", do_sysctl(XEN_SYSCTL_pcitopoinfo));
    *t = (struct xen_sysctl_pcitopoinfo){0, at(m->pci), at(m->node)};
    said("pcitopoinfo of none", do_sysctl(XEN_SYSCTL_pcitopoinfo));
    *t = (struct xen_sysctl_pcitopoinfo){1, NOWHERE, at(m->node)};
    said("pcitopoinfo from nowhere", do_sysctl(XEN_SYSCTL_pcitopoinfo));
    nodes(0, "the host bridge");
    nodes(0xff, "one that is not there");
}

static void patches(void)
{
    struct xen_sysctl_livepatch_op *l = &m->s.u.livepatch;

    for (uint32_t nr = 0; nr < 3; nr++) {
        memset(l, 0, sizeof(*l));
        l->cmd = XEN_SYSCTL_LIVEPATCH_LIST;
        l->u.list = (struct xen_sysctl_livepatch_list){.nr = nr,
                                                       .status = at(m->word),
                                                       .name = at(m->word),
                                                       .len = at(m->word),
                                                       .metadata = at(m->word),
                                                       .metadata_len = at(m->word)};
        said("patches", do_sysctl(XEN_SYSCTL_livepatch_op));
        printf("  %u left, %u and %u bytes\n", l->u.list.nr, l->u.list.name_total_size,
               l->u.list.metadata_total_size);
    }
    l->u.list.pad = 1;
    said("patches, padding of the list", do_sysctl(XEN_SYSCTL_livepatch_op));
    l->u.list.pad = 0;
    l->pad = 1;
    said("patches, padding", do_sysctl(XEN_SYSCTL_livepatch_op));
}

static void others(uint16_t id)
{
    struct xen_sysctl_scheduler_op *s = &m->s.u.scheduler_op;
    static const uint32_t trigger[] = {1, 2, 5, ~0u}, limit[] = {0, 99, 500001, ~0u};

    for (unsigned int i = 0; i < 4; i++) {
        m->d.u.sendtrigger = (struct xen_domctl_sendtrigger){trigger[i], 0};
        printf("%#x ", trigger[i]);
        said("sendtrigger", do_domctl(XEN_DOMCTL_sendtrigger, id));
    }
    m->d.u.sendtrigger = (struct xen_domctl_sendtrigger){0, 0};
    said("NMI", do_domctl(XEN_DOMCTL_sendtrigger, id));
    m->d.u.sendtrigger.vcpu = 1;
    said("NMI to no vCPU", do_domctl(XEN_DOMCTL_sendtrigger, id));
    memset(&m->d.u, 0, sizeof(m->d.u));
    said("shadow_op OFF", do_domctl(XEN_DOMCTL_shadow_op, id));
    for (unsigned int i = 0; i < 4; i++) {
        *s = (struct xen_sysctl_scheduler_op){0, XEN_SCHEDULER_CREDIT2, XEN_SYSCTL_SCHEDOP_putinfo,
                                              .u.sched_credit2 = {limit[i]}};
        printf("%u us ", limit[i]);
        said("rate limit", do_sysctl(XEN_SYSCTL_scheduler_op));
    }
    *s = (struct xen_sysctl_scheduler_op){1, XEN_SCHEDULER_CREDIT2, XEN_SYSCTL_SCHEDOP_getinfo,
                                          .u.sched_credit2 = {0}};
    said("pool 1", do_sysctl(XEN_SYSCTL_scheduler_op));
    *s = (struct xen_sysctl_scheduler_op){0, XEN_SCHEDULER_CREDIT, XEN_SYSCTL_SCHEDOP_getinfo,
                                          .u.sched_credit2 = {0}};
    said("another scheduler", do_sysctl(XEN_SYSCTL_scheduler_op));
    m->numa = (struct xen_vnuma_topology_info){.domid = id};
    said("virtual NUMA", call(__HYPERVISOR_memory_op, XENMEM_get_vnumainfo, at(&m->numa)));
}

int main(void)
{
    privcmd = open("/dev/xen/privcmd", O_RDWR);
    m = mmap(NULL, sizeof(*m), PROT_READ | PROT_WRITE,
             MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED | MAP_POPULATE, -1, 0);
    if (privcmd < 0 || m == MAP_FAILED) {
        perror("control_calls");
        return 1;
    }
    domains_of_versions(FIRST_ID);
    domain_make(FIRST_ID);
    domain_make(FIRST_ID + 7);
    next_domain();
    policies();
    featuresets();
    policy_of_a_domain(FIRST_ID);
    pci();
    patches();
    others(FIRST_ID);
    said("unpausedomain", do_domctl(XEN_DOMCTL_unpausedomain, FIRST_ID));
    give("a policy, too late", FIRST_ID, 0, 0, 0);
    for (uint16_t id = FIRST_ID; id <= FIRST_ID + 7; id += 7)
        said("destroydomain", do_domctl(XEN_DOMCTL_destroydomain, id));
    return 0;
}
