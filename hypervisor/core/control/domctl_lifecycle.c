/* SPDX-License-Identifier: MIT */
/*
 * The life of a domain, as the control domain steers it: create, size, run, destroy.
 */
#include <core/base/log.h>
#include <core/control/domctl.h>
#include <core/life/domain_system.h>
#include <core/life/life.h>
#include <core/sched/pause.h>
#include <core/sched/vcpu_time.h>
#include <core/state/guest_ops.h>
#include <parvis/string.h>
#include <port/current.h>
#include <port/machine.h>
#include <xen/errno.h>

#define KIND_FLAGS ((uint32_t)(XEN_DOMCTL_CDF_hvm | XEN_DOMCTL_CDF_hap))

/* ABI: XEN_X86_EMU_PIT may be there with any. */
static const struct guest_ops *kind_of(const struct xen_domctl_createdomain *c)
{
    for (unsigned int i = 0; i < MOST_KINDS && guest_kinds[i]; i++)
        if (guest_kinds[i]->create_flags == (c->flags & KIND_FLAGS) &&
            !((guest_kinds[i]->emulation ^ c->arch.emulation_flags) & ~XEN_X86_EMU_PIT))
            return guest_kinds[i];
    return NULL;
}

static int check_create(const struct xen_domctl_createdomain *c)
{
    if (c->flags & ~(uint32_t)(KIND_FLAGS | XEN_DOMCTL_CDF_s3_integrity | XEN_DOMCTL_CDF_xs_domain))
        return refused(-XEN_EINVAL, "flags %#x", c->flags);
    if (c->iommu_opts || c->vmtrace_size || c->cpupool_id)
        return refused(-XEN_EINVAL, "an IOMMU, tracing, or CPU pool is asked for");
    if (c->max_grant_frames < -1 || c->max_maptrack_frames < -1)
        return refused(-XEN_EINVAL, "a negative number of grant frames");
    if (c->arch.misc_flags & ~XEN_X86_MSR_RELAXED)
        return refused(-XEN_EINVAL, "flags %#x of its CPUs", c->arch.misc_flags);
    if (c->grant_opts != XEN_DOMCTL_GRANT_version(1) &&
        c->grant_opts != XEN_DOMCTL_GRANT_version(2))
        return refused(-XEN_EINVAL, "grant options %#x", c->grant_opts);
    return 0;
}

int domctl_createdomain(struct domain *d, struct xen_domctl *op)
{
    const struct xen_domctl_createdomain *c = &op->u.createdomain;
    struct domain_config cfg = {
        .kind = kind_of(c),
        .domid = op->domain && op->domain < DOMID_FIRST_RESERVED ? op->domain : DOMID_INVALID,
        .max_vcpus = c->max_vcpus,
        .max_evtchn_port = MIN(c->max_evtchn_port, NR_EVTCHNS - 1u),
        .max_grant_frames =
            c->max_grant_frames < 0 ? DEFAULT_GRANT_FRAMES : (unsigned int)c->max_grant_frames,
        .max_maptrack_frames = c->max_maptrack_frames < 0 ? DEFAULT_MAPTRACK_FRAMES
                                                          : (unsigned int)c->max_maptrack_frames,
        .options = c->flags,
    };
    int rc = check_create(c);

    if (rc)
        return rc;
    if (!cfg.kind)
        return refused(-XEN_EINVAL, "no kind of guest has flags %#x with emulated devices %#x",
                       c->flags & KIND_FLAGS, c->arch.emulation_flags);
    memcpy(cfg.handle, c->handle, sizeof(cfg.handle));
    rc = domain_create(&cfg, &d);
    if (!rc)
        op->domain = d->domain_id;
    return rc;
}

int domctl_destroydomain(struct domain *d, struct xen_domctl *op __unused)
{
    return domain_kill(d);
}

int domctl_pausedomain(struct domain *d, struct xen_domctl *op __unused)
{
    if (d == current->domain)
        return refused(-XEN_EINVAL, "of the calling domain");
    domain_pause_by_controller(d);
    return 0;
}

int domctl_unpausedomain(struct domain *d, struct xen_domctl *op __unused)
{
    return domain_unpause_by_controller(d);
}

int domctl_resumedomain(struct domain *d, struct xen_domctl *op __unused)
{
    if (d == current->domain)
        return refused(-XEN_EINVAL, "of the calling domain");
    domain_resume(d);
    return 0;
}

int domctl_getdomaininfo(struct domain *d, struct xen_domctl *op)
{
    domain_info(d, &op->u.getdomaininfo);
    op->domain = d->domain_id;
    return 0;
}

int domctl_max_mem(struct domain *d, struct xen_domctl *op)
{
    uint64_t pages = op->u.max_mem.max_memkb >> (PAGE_SHIFT - 10);

    spin_lock(&d->page_alloc_lock);
    WRITE_ONCE(d->max_pages, MIN(pages, max_mfn + 1)); /* all ones: no limit */
    spin_unlock(&d->page_alloc_lock);
    return 0;
}

int domctl_max_vcpus(struct domain *d, struct xen_domctl *op)
{
    if (op->u.max_vcpus.max != d->max_vcpus)
        return refused(-XEN_EINVAL, "%u, but d%u was created for %u", op->u.max_vcpus.max,
                       d->domain_id, d->max_vcpus);
    return vcpus_create(d);
}

int domctl_setdomainhandle(struct domain *d, struct xen_domctl *op)
{
    spin_lock(&d->lock);
    memcpy(d->handle, op->u.setdomainhandle.handle, sizeof(d->handle));
    spin_unlock(&d->lock);
    return 0;
}

int domctl_settimeoffset(struct domain *d, struct xen_domctl *op)
{
    int64_t seconds = op->u.settimeoffset.time_offset_seconds;

    /* A century either way: what is added to it later cannot overflow. */
    if (seconds > 3155760000ll || seconds < -3155760000ll)
        return refused(-XEN_EINVAL, "%ld seconds", (long)seconds);
    WRITE_ONCE(d->time_offset, seconds);
    wallclock_write(d);
    return 0;
}

int domctl_sendtrigger(struct domain *d, struct xen_domctl *op)
{
    struct vcpu *v = domain_vcpu(d, op->u.sendtrigger.vcpu);

    if (!v)
        return -XEN_ESRCH;
    switch (op->u.sendtrigger.trigger) {
    case XEN_DOMCTL_SENDTRIGGER_NMI:
        vcpu_send_nmi(v);
        return 0;
    case XEN_DOMCTL_SENDTRIGGER_POWER:
        if (!d->ops->press_power_button)
            return refused(-XEN_EINVAL, "d%u is of a kind without power button", d->domain_id);
        d->ops->press_power_button(d);
        return 0;
    default:
        return refused(-XEN_ENOSYS, "there is no trigger %u", op->u.sendtrigger.trigger);
    }
}
