/* SPDX-License-Identifier: MIT */
/*
 * xen_version: who this is and what it offers a paravirtual guest.
 *
 * XENVER_version is what a kernel calls when it means "do whatever is pending for me", thousands of
 * times: it comes first and touches no memory. The other answers are built in zeroed buffers, so
 * nothing of the hypervisor's stack goes out with them (XSA-122). What is nobody's business but the
 * operator's, command line and changeset, only the control domain gets; others get "<denied>", as
 * on Xen.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/guest_memory.h>
#include <core/guest/version.h>
#include <core/state/domain.h>
#include <core/state/guest_ops.h>
#include <parvis/string.h>
#include <xen/errno.h>
#include <xen/version.h>

#include "source_date.h" /* made by hypervisor.mk */

static char command_line[sizeof(xen_commandline_t)];

void version_set_command_line(const char *s)
{
    strlcpy(command_line, s, sizeof(command_line));
}

static long give_text(gva_t arg, const char *text, size_t size)
{
    char buf[sizeof(xen_capabilities_info_t)];

    _Static_assert(sizeof(xen_commandline_t) <= sizeof(buf), "the largest text");
    memset(buf, 0, size);
    strlcpy(buf, text, size);
    return copy_to_guest(arg, buf, size);
}

static long compile_info(gva_t arg)
{
    /* Reproducible: no host, and the date is that of the source. */
    struct xen_compile_info info = {.compile_by = "parvis", .compile_date = SOURCE_DATE};

    strlcpy(info.compiler, "cc " __VERSION__, sizeof(info.compiler));
    return copy_to_guest(arg, &info, sizeof(info));
}

static uint32_t features(const struct domain *d)
{
    return 1u << XENFEAT_memory_op_vnode_supported | 1u << XENFEAT_not_direct_mapped |
           (uint32_t)d->is_control << XENFEAT_dom0 | d->ops->features(d);
}

static long get_features(gva_t arg)
{
    struct xen_feature_info info;

    if (copy_from_guest(&info, arg, sizeof(info)))
        return -XEN_EFAULT;
    if (info.submap_idx >= XENFEAT_NR_SUBMAPS)
        return -XEN_EINVAL; /* ABI: the end of the list, not logged */
    info.submap = features(current->domain);
    return copy_to_guest(arg, &info, sizeof(info));
}

static long platform_parameters(gva_t arg)
{
    const struct xen_platform_parameters p = {.virt_start = HYPERVISOR_VIRT_START};

    return copy_to_guest(arg, &p, sizeof(p));
}

static long guest_handle(struct domain *d, gva_t arg)
{
    xen_domain_handle_t handle;

    spin_lock(&d->lock);
    memcpy(handle, d->handle, sizeof(handle));
    spin_unlock(&d->lock);
    return copy_to_guest(arg, handle, sizeof(handle));
}

static const char *for_operator(const char *text)
{
    return current->domain->is_control ? text : "<denied>";
}

long do_xen_version(unsigned int cmd, gva_t arg)
{
    if (likely(cmd == XENVER_version))
        return XEN_MAJOR << 16 | XEN_MINOR;
    switch (cmd) {
    case XENVER_extraversion:
        return give_text(arg, ".0-parvis-" PARVIS_VERSION, sizeof(xen_extraversion_t));
    case XENVER_compile_info:
        return compile_info(arg);
    case XENVER_capabilities:
        return give_text(arg, "xen-3.0-x86_64 ", sizeof(xen_capabilities_info_t));
    case XENVER_changeset:
        return give_text(arg, for_operator("parvis " PARVIS_VERSION), sizeof(xen_changeset_info_t));
    case XENVER_platform_parameters:
        return platform_parameters(arg);
    case XENVER_get_features:
        return get_features(arg);
    case XENVER_pagesize:
        return arg ? refused(-XEN_EINVAL, "pagesize takes no argument") : (long)PAGE_SIZE;
    case XENVER_guest_handle:
        return guest_handle(current->domain, arg);
    case XENVER_commandline:
        return give_text(arg, for_operator(command_line), sizeof(xen_commandline_t));
    case XENVER_build_id:
        return -XEN_ENODATA; /* the image carries none; tools ask and go on */
    default:
        return refused(-XEN_ENOSYS, "there is no operation %u", cmd);
    }
}
