/* SPDX-License-Identifier: MIT */
/*
 * The real machine: event channels.
 *
 * A port that we hold ourselves belongs to the kernel's event channel device (libxenevtchn),
 * which masks it when it fires and gives it back by unmask. A port made inside another
 * domain is a plain hypercall, and ends with that domain.
 */
#include "host_xen.h"

#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/event_channel.h>

int hx_evtchn_alloc_unbound(struct host *h, uint32_t domid, uint32_t remote, uint32_t *port)
{
    struct host_xen *x = to_xen(h);
    struct evtchn_alloc_unbound *a = x->op;

    memset(a, 0, sizeof(*a));
    a->dom = (domid_t)domid;
    a->remote_dom = (domid_t)remote;
    if (xencall2(x->call, __HYPERVISOR_event_channel_op, EVTCHNOP_alloc_unbound, (uintptr_t)a) < 0)
        return -errno;
    *port = a->port;
    return 0;
}

static int need_evtchn(struct host_xen *x)
{
    if (!x->evtchn)
        x->evtchn = xenevtchn_open(&host_quiet_logger, 0);
    return x->evtchn ? 0 : -errno;
}

int hx_evtchn_bind(struct host *h, uint32_t domid, uint32_t remote_port, uint32_t *port)
{
    struct host_xen *x = to_xen(h);
    int rc = need_evtchn(x);

    if (rc)
        return rc;
    rc = xenevtchn_bind_interdomain(x->evtchn, domid, remote_port);
    if (rc < 0)
        return -errno;
    *port = (uint32_t)rc;
    return 0;
}

int hx_evtchn_unbind(struct host *h, uint32_t port)
{
    return xenevtchn_unbind(to_xen(h)->evtchn, port) < 0 ? -errno : 0;
}

int hx_evtchn_notify(struct host *h, uint32_t port)
{
    return xenevtchn_notify(to_xen(h)->evtchn, port) < 0 ? -errno : 0;
}

int hx_evtchn_unmask(struct host *h, uint32_t port)
{
    return xenevtchn_unmask(to_xen(h)->evtchn, port) < 0 ? -errno : 0;
}

int hx_evtchn_fd(struct host *h)
{
    int rc = need_evtchn(to_xen(h));

    return rc ? rc : xenevtchn_fd(to_xen(h)->evtchn);
}

int hx_evtchn_pending(struct host *h, uint32_t *port)
{
    struct pollfd p = {.fd = hx_evtchn_fd(h), .events = POLLIN};
    int rc;

    /* The device's read waits; ask first, so that this never does. */
    if (p.fd < 0)
        return p.fd;
    if (poll(&p, 1, 0) <= 0)
        return -EAGAIN;
    rc = xenevtchn_pending(to_xen(h)->evtchn);
    if (rc < 0)
        return -errno;
    *port = (uint32_t)rc;
    return 0;
}
