/* SPDX-License-Identifier: MIT */
/*
 * The real machine: sysctl and domctl operations.
 *
 * Each function fills one structure of the control interface in the shared buffer page,
 * calls, and copies the answer out. The interface versions are those of Xen 4.17; a
 * hypervisor with others answers -EACCES, which error_reason() puts into words.
 */
#include "host_xen.h"

#include <cpuid.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/domctl.h>
#include <xen/hvm/hvm_op.h>
#include <xen/sysctl.h>

static struct xen_sysctl *sysctl_new(struct host_xen *x, uint32_t cmd)
{
    struct xen_sysctl *s = x->op;

    memset(s, 0, sizeof(*s));
    s->cmd = cmd;
    s->interface_version = XEN_SYSCTL_INTERFACE_VERSION;
    return s;
}

static int sysctl_call(struct host_xen *x)
{
    return xencall1(x->call, __HYPERVISOR_sysctl, (uintptr_t)x->op) < 0 ? -errno : 0;
}

/* ABI: word 3 of hw_cap is ECX of CPUID 0x80000001. */
#define CAP_SVM (1u << 2)

/* The machine's own CPUID: a paravirtual guest's processes are told nothing else. */
static bool is_emulated(void)
{
    uint32_t max, vendor[3];

    __cpuid(0x40000000, max, vendor[0], vendor[1], vendor[2]);
    return memcmp(vendor, "TCGTCGTCGTCG", 12) == 0;
}

int hx_physinfo(struct host *h, struct host_physinfo *out)
{
    struct host_xen *x = to_xen(h);
    struct xen_sysctl *s = sysctl_new(x, XEN_SYSCTL_physinfo);
    const struct xen_sysctl_physinfo *p = &s->u.physinfo;
    int rc = sysctl_call(x);

    if (rc)
        return rc;
    *out = (struct host_physinfo){
        .nr_cpus = p->nr_cpus,
        .threads_per_core = p->threads_per_core,
        .cores_per_socket = p->cores_per_socket,
        .nr_nodes = p->nr_nodes,
        .cpu_khz = p->cpu_khz,
        .total_pages = p->total_pages,
        .free_pages = p->free_pages,
        .scrub_pages = p->scrub_pages,
        .pv = p->capabilities & XEN_SYSCTL_PHYSCAP_pv,
        .svm = p->hw_cap[3] & CAP_SVM,
        .hvm = p->capabilities & XEN_SYSCTL_PHYSCAP_hvm,
        .hap = p->capabilities & XEN_SYSCTL_PHYSCAP_hap,
        .emulated = is_emulated(),
    };
    return 0;
}

int hx_cpu_idle(struct host *h, uint64_t *idle_ns, unsigned int max, unsigned int *count)
{
    struct host_xen *x = to_xen(h);
    struct xen_sysctl_getcpuinfo *g = &sysctl_new(x, XEN_SYSCTL_getcpuinfo)->u.getcpuinfo;
    const struct xen_sysctl_cpuinfo *info = x->list;
    unsigned int room = HOST_LIST_BYTES / sizeof(*info);
    int rc;

    g->max_cpus = max < room ? max : room;
    set_xen_guest_handle(g->info, x->list);
    rc = sysctl_call(x);
    if (rc)
        return rc;
    if (g->nr_cpus > max)
        return -EPROTO;
    for (unsigned int i = 0; i < g->nr_cpus; i++)
        idle_ns[i] = info[i].idletime;
    *count = g->nr_cpus;
    return 0;
}

int hx_cpu_model(struct host *h, char out[HOST_CPU_MODEL])
{
    unsigned int word[3][4];

    (void)h;
    for (unsigned int i = 0; i < 3; i++)
        if (!__get_cpuid(0x80000002 + i, &word[i][0], &word[i][1], &word[i][2], &word[i][3]))
            return -EOPNOTSUPP;
    snprintf(out, HOST_CPU_MODEL, "%.*s", (int)sizeof(word), (const char *)word);
    return 0;
}

int hx_speculation(struct host *h, struct parvis_sysctl_speculation *out)
{
    struct host_xen *x = to_xen(h);
    struct xen_sysctl *s = sysctl_new(x, PARVIS_SYSCTL_speculation);
    int rc = sysctl_call(x);

    if (rc == 0)
        memcpy(out, &s->u, sizeof(*out));
    return rc == -ENOSYS ? -EOPNOTSUPP : rc;
}

int hx_readconsole(struct host *h, char *buf, uint32_t *len, uint32_t *index, bool clear)
{
    struct host_xen *x = to_xen(h);
    struct xen_sysctl *s = sysctl_new(x, XEN_SYSCTL_readconsole);
    struct xen_sysctl_readconsole *r = &s->u.readconsole;
    int rc;

    r->clear = clear;
    r->incremental = 1;
    r->index = *index;
    r->count = *len < HOST_LIST_BYTES ? *len : HOST_LIST_BYTES;
    set_xen_guest_handle(r->buffer, x->list);
    rc = sysctl_call(x);
    if (rc)
        return rc;
    if (r->count > *len || r->count > HOST_LIST_BYTES)
        return -EPROTO;
    memcpy(buf, x->list, r->count);
    *len = r->count;
    *index = r->index;
    return 0;
}

static enum guest_kind kind_from_info(const struct xen_domctl_getdomaininfo *i)
{
    if (!(i->flags & XEN_DOMINF_hvm_guest))
        return KIND_PV;
    return i->arch_config.emulation_flags == XEN_X86_EMU_LAPIC ? KIND_PVH : KIND_HVM;
}

static void domain_from_info(struct host_domain *d, const struct xen_domctl_getdomaininfo *i)
{
    *d = (struct host_domain){
        .domid = i->domain,
        .kind = kind_from_info(i),
        .dying = i->flags & XEN_DOMINF_dying,
        .shutdown = i->flags & XEN_DOMINF_shutdown,
        .paused = i->flags & XEN_DOMINF_paused,
        .blocked = i->flags & XEN_DOMINF_blocked,
        .running = i->flags & XEN_DOMINF_running,
        .shutdown_reason = (i->flags >> XEN_DOMINF_shutdownshift) & XEN_DOMINF_shutdownmask,
        .nr_pages = i->tot_pages,
        .max_pages = i->max_pages,
        .shared_info_frame = i->shared_info_frame,
        .cpu_time_ns = i->cpu_time,
        .online_vcpus = i->nr_online_vcpus,
        .max_vcpu_id = i->max_vcpu_id,
    };
    memcpy(d->uuid, i->handle, sizeof(d->uuid));
}

int hx_domain_list(struct host *h, uint32_t first, struct host_domain *out, unsigned int max,
                   unsigned int *count)
{
    struct host_xen *x = to_xen(h);
    struct xen_domctl_getdomaininfo *info = x->list;
    unsigned int room = HOST_LIST_BYTES / sizeof(*info), got = 0;

    while (got < max && first <= UINT16_MAX) {
        struct xen_sysctl *s = sysctl_new(x, XEN_SYSCTL_getdomaininfolist);
        struct xen_sysctl_getdomaininfolist *l = &s->u.getdomaininfolist;
        unsigned int want = max - got < room ? max - got : room;
        int rc;

        l->first_domain = (domid_t)first;
        l->max_domains = want;
        set_xen_guest_handle(l->buffer, info);
        rc = sysctl_call(x);
        if (rc)
            return rc;
        if (l->num_domains > want)
            return -EPROTO;
        for (unsigned int i = 0; i < l->num_domains; i++) {
            domain_from_info(&out[got++], &info[i]);
            first = info[i].domain + 1u;
        }
        if (l->num_domains < want)
            break;
    }
    *count = got;
    return 0;
}

static struct xen_domctl *domctl_new(struct host_xen *x, uint32_t cmd, uint32_t domid)
{
    struct xen_domctl *c = x->op;

    memset(c, 0, sizeof(*c));
    c->cmd = cmd;
    c->interface_version = XEN_DOMCTL_INTERFACE_VERSION;
    c->domain = (domid_t)domid;
    return c;
}

static int domctl_call(struct host_xen *x)
{
    return xencall1(x->call, __HYPERVISOR_domctl, (uintptr_t)x->op) < 0 ? -errno : 0;
}

/* Its devices tell the kinds apart. */
static const uint32_t emulated[NR_KINDS] = {
    [KIND_HVM] =
        XEN_X86_EMU_LAPIC | XEN_X86_EMU_PM | XEN_X86_EMU_RTC | XEN_X86_EMU_PIC | XEN_X86_EMU_PIT,
    [KIND_PVH] = XEN_X86_EMU_LAPIC,
};

int hx_domain_create(struct host *h, const struct host_create *c, uint32_t *domid)
{
    struct host_xen *x = to_xen(h);
    struct xen_domctl *op = domctl_new(x, XEN_DOMCTL_createdomain, 0);
    struct xen_domctl_createdomain *n = &op->u.createdomain;
    int rc;

    /* domain 0 in the request = the hypervisor picks the number. */
    memcpy(n->handle, c->uuid, sizeof(n->handle));
    n->flags = c->kind == KIND_PV ? 0 : XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap;
    n->arch.emulation_flags = emulated[c->kind];
    n->max_vcpus = c->max_vcpus;
    n->max_evtchn_port = c->max_evtchn_port;
    n->max_grant_frames = (int32_t)c->max_grant_frames;
    n->max_maptrack_frames = (int32_t)c->max_maptrack_frames;
    n->grant_opts = XEN_DOMCTL_GRANT_version(1);
    rc = domctl_call(x);
    if (rc == 0)
        *domid = op->domain;
    return rc;
}

int hx_domain_destroy(struct host *h, uint32_t domid)
{
    domctl_new(to_xen(h), XEN_DOMCTL_destroydomain, domid);
    return domctl_call(to_xen(h));
}

int hx_domain_pause(struct host *h, uint32_t domid)
{
    domctl_new(to_xen(h), XEN_DOMCTL_pausedomain, domid);
    return domctl_call(to_xen(h));
}

int hx_domain_unpause(struct host *h, uint32_t domid)
{
    domctl_new(to_xen(h), XEN_DOMCTL_unpausedomain, domid);
    return domctl_call(to_xen(h));
}

int hx_domain_set_uuid(struct host *h, uint32_t domid, const uint8_t uuid[16])
{
    struct xen_domctl *op = domctl_new(to_xen(h), XEN_DOMCTL_setdomainhandle, domid);

    memcpy(op->u.setdomainhandle.handle, uuid, 16);
    return domctl_call(to_xen(h));
}

int hx_domain_power_button(struct host *h, uint32_t domid)
{
    domctl_new(to_xen(h), XEN_DOMCTL_sendtrigger, domid)->u.sendtrigger.trigger =
        XEN_DOMCTL_SENDTRIGGER_POWER;
    return domctl_call(to_xen(h));
}

int hx_vcpu_send_nmi(struct host *h, uint32_t domid, uint32_t vcpu)
{
    struct xen_domctl_sendtrigger *t =
        &domctl_new(to_xen(h), XEN_DOMCTL_sendtrigger, domid)->u.sendtrigger;

    t->trigger = XEN_DOMCTL_SENDTRIGGER_NMI;
    t->vcpu = vcpu;
    return domctl_call(to_xen(h));
}

int hx_domain_max_mem(struct host *h, uint32_t domid, uint64_t max_kib)
{
    domctl_new(to_xen(h), XEN_DOMCTL_max_mem, domid)->u.max_mem.max_memkb = max_kib;
    return domctl_call(to_xen(h));
}

int hx_domain_max_vcpus(struct host *h, uint32_t domid, uint32_t max)
{
    domctl_new(to_xen(h), XEN_DOMCTL_max_vcpus, domid)->u.max_vcpus.max = max;
    return domctl_call(to_xen(h));
}

/* The operation on the domain's share, for the scheduler that is on; cmd is XEN_DOMCTL_SCHEDOP_*.
 * credit's parameters lie where credit2's do. */
static int sched_op(struct host_xen *x, uint32_t domid, uint32_t cmd,
                    struct xen_domctl_sched_credit2 *p)
{
    struct xen_sysctl *s = sysctl_new(x, XEN_SYSCTL_sched_id);
    struct xen_domctl_scheduler_op *op;
    uint32_t id;
    int rc = sysctl_call(x);

    if (rc)
        return rc;
    id = s->u.sched_id.sched_id;
    if (id != XEN_SCHEDULER_CREDIT2 && id != XEN_SCHEDULER_CREDIT)
        return -EOPNOTSUPP;
    op = &domctl_new(x, XEN_DOMCTL_scheduler_op, domid)->u.scheduler_op;
    op->sched_id = id;
    op->cmd = cmd;
    op->u.credit2 = *p;
    rc = domctl_call(x);
    if (rc == 0)
        *p = op->u.credit2;
    return rc;
}

int hx_domain_get_sched(struct host *h, uint32_t domid, struct host_sched *out)
{
    struct xen_domctl_sched_credit2 p = {0};
    int rc = sched_op(to_xen(h), domid, XEN_DOMCTL_SCHEDOP_getinfo, &p);

    if (rc == 0)
        *out = (struct host_sched){.weight = p.weight, .cap = p.cap};
    return rc;
}

int hx_domain_set_sched(struct host *h, uint32_t domid, const struct host_sched *s)
{
    struct xen_domctl_sched_credit2 p = {.weight = (uint16_t)s->weight, .cap = (uint16_t)s->cap};

    return sched_op(to_xen(h), domid, XEN_DOMCTL_SCHEDOP_putinfo, &p);
}

int hx_domain_set_param(struct host *h, uint32_t domid, uint32_t index, uint64_t value)
{
    struct host_xen *x = to_xen(h);
    struct xen_hvm_param *p = x->op;

    *p = (struct xen_hvm_param){.domid = (domid_t)domid, .index = index, .value = value};
    return xencall2(x->call, __HYPERVISOR_hvm_op, HVMOP_set_param, (uintptr_t)p) < 0 ? -errno : 0;
}

int hx_domain_hypercall_init(struct host *h, uint32_t domid, uint64_t mfn)
{
    domctl_new(to_xen(h), XEN_DOMCTL_hypercall_init, domid)->u.hypercall_init.gmfn = mfn;
    return domctl_call(to_xen(h));
}

_Static_assert(sizeof(struct vcpu_guest_context) <= HOST_LIST_BYTES, "what has no pieces fits");
_Static_assert(NR_COUNTERS * sizeof(uint64_t) <= HOST_LIST_BYTES, "so do these");

int hx_vcpu_set_context(struct host *h, uint32_t domid, uint32_t vcpu,
                        const struct vcpu_guest_context *ctxt)
{
    struct host_xen *x = to_xen(h);
    struct xen_domctl_vcpucontext *v =
        &domctl_new(x, XEN_DOMCTL_setvcpucontext, domid)->u.vcpucontext;

    memcpy(x->list, ctxt, sizeof(*ctxt));
    v->vcpu = vcpu;
    set_xen_guest_handle(v->ctxt, x->list);
    return domctl_call(x);
}

int hx_vcpu_get_context(struct host *h, uint32_t domid, uint32_t vcpu,
                        struct vcpu_guest_context *out)
{
    struct host_xen *x = to_xen(h);
    struct xen_domctl_vcpucontext *v =
        &domctl_new(x, XEN_DOMCTL_getvcpucontext, domid)->u.vcpucontext;
    int rc;

    v->vcpu = vcpu;
    set_xen_guest_handle(v->ctxt, x->list);
    rc = domctl_call(x);
    if (rc == 0)
        memcpy(out, x->list, sizeof(*out));
    return rc;
}

int hx_vcpu_info(struct host *h, uint32_t domid, uint32_t vcpu, struct host_vcpu *out)
{
    struct host_xen *x = to_xen(h);
    struct xen_domctl_getvcpuinfo *v = &domctl_new(x, XEN_DOMCTL_getvcpuinfo, domid)->u.getvcpuinfo;
    int rc;

    v->vcpu = vcpu;
    rc = domctl_call(x);
    if (rc == 0)
        *out = (struct host_vcpu){
            .online = v->online,
            .blocked = v->blocked,
            .running = v->running,
            .cpu_time_ns = v->cpu_time,
            .cpu = v->cpu,
        };
    return rc;
}

int hx_vcpu_counters(struct host *h, uint32_t domid, uint32_t vcpu, uint64_t out[NR_COUNTERS])
{
    struct host_xen *x = to_xen(h);
    struct xen_domctl *op = domctl_new(x, PARVIS_DOMCTL_counters, domid);
    struct parvis_domctl_counters a = {
        .vcpu = vcpu, .nr = NR_COUNTERS, .values = (uintptr_t)x->list};
    int rc;

    memcpy(&op->u, &a, sizeof(a));
    rc = domctl_call(x);
    if (rc)
        return rc == -ENOSYS ? -EOPNOTSUPP : rc;
    memcpy(&a, &op->u, sizeof(a));
    if (a.nr != NR_COUNTERS)
        return -EPROTO;
    memcpy(out, x->list, NR_COUNTERS * sizeof(*out));
    return 0;
}

/* The hard one. */
static int affinity_op(struct host_xen *x, uint32_t cmd, uint32_t domid, uint32_t vcpu)
{
    struct xen_domctl_vcpuaffinity *a = &domctl_new(x, cmd, domid)->u.vcpuaffinity;

    a->vcpu = vcpu;
    a->flags = XEN_VCPUAFFINITY_HARD;
    a->cpumap_hard.nr_bits = 64;
    set_xen_guest_handle(a->cpumap_hard.bitmap, x->list);
    return domctl_call(x);
}

int hx_vcpu_get_affinity(struct host *h, uint32_t domid, uint32_t vcpu, uint64_t *cpus)
{
    int rc = affinity_op(to_xen(h), XEN_DOMCTL_getvcpuaffinity, domid, vcpu);

    if (rc == 0)
        memcpy(cpus, to_xen(h)->list, sizeof(*cpus));
    return rc;
}

int hx_vcpu_set_affinity(struct host *h, uint32_t domid, uint32_t vcpu, uint64_t cpus)
{
    memcpy(to_xen(h)->list, &cpus, sizeof(cpus));
    return affinity_op(to_xen(h), XEN_DOMCTL_setvcpuaffinity, domid, vcpu);
}
