/* SPDX-License-Identifier: MIT */
/*
 * The real machine: what the hypervisor says of itself.
 */
#include "host_xen.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/version.h>

static int version_op(struct host_xen *x, unsigned int cmd, void *arg)
{
    int rc = xencall2(x->call, __HYPERVISOR_xen_version, cmd, (uintptr_t)arg);

    return rc < 0 ? -errno : rc;
}

/* A string result: copied only when the call succeeds, always terminated. */
static void version_string(struct host_xen *x, unsigned int cmd, char *out, size_t size)
{
    char *page = x->op;

    memset(page, 0, HOST_PAGE_SIZE);
    out[0] = '\0';
    if (version_op(x, cmd, page) >= 0) {
        page[HOST_PAGE_SIZE - 1] = '\0';
        snprintf(out, size, "%s", page);
    }
}

int hx_version(struct host *h, struct host_version *out)
{
    struct host_xen *x = to_xen(h);
    struct xen_compile_info *ci = x->op;
    struct xen_platform_parameters *pp = x->op;
    int v = version_op(x, XENVER_version, NULL);

    if (v < 0)
        return v;
    memset(out, 0, sizeof(*out));
    out->major = (uint32_t)v >> 16;
    out->minor = (uint32_t)v & 0xffff;
    version_string(x, XENVER_extraversion, out->extra, sizeof(out->extra));
    version_string(x, XENVER_capabilities, out->capabilities, sizeof(out->capabilities));
    version_string(x, XENVER_changeset, out->changeset, sizeof(out->changeset));
    version_string(x, XENVER_commandline, out->commandline, sizeof(out->commandline));
    memset(ci, 0, sizeof(*ci));
    if (version_op(x, XENVER_compile_info, ci) >= 0) {
        snprintf(out->compiler, sizeof(out->compiler), "%.*s", (int)sizeof(ci->compiler),
                 ci->compiler);
        snprintf(out->compile_by, sizeof(out->compile_by), "%.*s", (int)sizeof(out->compile_by) - 1,
                 ci->compile_by);
        snprintf(out->compile_domain, sizeof(out->compile_domain), "%.*s",
                 (int)sizeof(out->compile_domain) - 1, ci->compile_domain);
        snprintf(out->compile_date, sizeof(out->compile_date), "%.*s",
                 (int)sizeof(out->compile_date) - 1, ci->compile_date);
    }
    memset(pp, 0, sizeof(*pp));
    if (version_op(x, XENVER_platform_parameters, pp) >= 0)
        out->virt_start = pp->virt_start;
    return 0;
}
