/* SPDX-License-Identifier: MIT */
/*
 * Event channels of the machine that is not there: see fake_parts.h.
 */
#include <errno.h>
#include <stdlib.h>
#include <unistd.h>

#include "fake_parts.h"

int fake_evtchn_alloc_unbound(struct host *h, uint32_t domid, uint32_t remote, uint32_t *port)
{
    MAY_FAIL(h);
    (void)remote;
    *port = fake_domain(fake(h), domid)->next_port++;
    return 0;
}

static int bind_port(struct fake_host *f, uint32_t domid, uint32_t remote_port, uint32_t *port)
{
    for (uint32_t p = 1; p < FAKE_PORTS; p++) {
        if (!f->ports[p].bound) {
            f->ports[p] =
                (struct fake_port){.bound = true, .domid = domid, .remote_port = remote_port};
            *port = p;
            return 0;
        }
    }
    return -ENOSPC;
}

int fake_evtchn_bind(struct host *h, uint32_t domid, uint32_t remote_port, uint32_t *port)
{
    const struct fake_domain *d = fake_domain(fake(h), domid);

    MAY_FAIL(h);
    if (!d || remote_port == 0 || remote_port >= d->next_port)
        return -EINVAL;
    return bind_port(fake(h), domid, remote_port, port);
}

int fake_evtchn_unbind(struct host *h, uint32_t port)
{
    if (port >= FAKE_PORTS || !fake(h)->ports[port].bound)
        return -EINVAL;
    fake(h)->ports[port].bound = false;
    return 0;
}

int fake_evtchn_notify(struct host *h, uint32_t port)
{
    fake(h)->ports[port].notified++;
    return 0;
}

int fake_evtchn_unmask(struct host *h, uint32_t port)
{
    fake(h)->ports[port].masked = false;
    return 0;
}

int fake_evtchn_fd(struct host *h)
{
    return fake(h)->fired;
}

void fake_fire(struct fake_host *f, uint32_t port)
{
    const uint64_t one = 1;

    f->ports[port].pending = f->ports[port].bound;
    if (f->ports[port].pending && write(f->fired, &one, sizeof(one)) < 0)
        abort();
}

int fake_evtchn_pending(struct host *h, uint32_t *port)
{
    uint64_t all;

    for (uint32_t p = 1; p < FAKE_PORTS; p++) {
        if (fake(h)->ports[p].bound && fake(h)->ports[p].pending) {
            fake(h)->ports[p].pending = false;
            fake(h)->ports[p].masked = true;
            *port = p;
            return 0;
        }
    }
    return read(fake(h)->fired, &all, sizeof(all)) < 0 && errno != EAGAIN ? -errno : -EAGAIN;
}
