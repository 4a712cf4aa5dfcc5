/* SPDX-License-Identifier: MIT */
/*
 * The domain of hvm_devices_support.h, and what must hold of its devices, computed another way than
 * they do.
 */
#include "hvm_devices_support.h"

#include <core/life/domain_system.h>
#include <core/state/guest_ops.h>
#include <xen/event_channel.h>

struct domain *dom0, *d;
struct vcpu *v;
struct xencons_interface *ring;
struct hvm_devices *devices;
bool lines_are_played;

static struct xencons_interface page;
static evtchn_port_t dom0_port;
static struct guest_ops ops;

static int nothing_vcpu(struct vcpu *vcpu)
{
    (void)vcpu;
    return 0;
}

static void free_nothing(struct vcpu *vcpu)
{
    (void)vcpu;
}

static bool event_pending(const struct vcpu *vcpu)
{
    return hvm_extint_pending(vcpu->domain);
}

static int devices_init(struct domain *domain)
{
    hvm_devices_init(domain);
    return 0;
}

static int relinquish(struct domain *domain)
{
    hvm_devices_kill(domain);
    return 0;
}

void hvm_machine_init(void)
{
    struct evtchn_bind_interdomain bind = {.remote_dom = 1};
    evtchn_port_t port;

    host_init(1024);
    host_no_tlbs = true;
    dom0 = host_domain(0, true, 1, 0);
    ops = host_guest_ops;
    ops.domain_init = devices_init;
    ops.vcpu_init = nothing_vcpu;
    ops.vcpu_free = free_nothing;
    ops.event_pending = event_pending;
    ops.relinquish_vcpus = relinquish;
    guest_kinds[0] = &ops;
    d = host_domain(1, false, 1, 0);
    v = d->vcpu[0];
    devices = &d->arch.hvm.devices;
    if (evtchn_alloc_unbound(d, 0, NULL, &port))
        abort();
    bind.remote_port = port;
    if (call_with(dom0->vcpu[0], event_channel_op, EVTCHNOP_bind_interdomain, &bind))
        abort();
    dom0_port = bind.local_port;
    memset(&page, 0, sizeof(page));
    ring = &page;
    hvm_uart_attach(d, ring, port);
    (void)ring_events();
    host_run_as(v);
}

void hvm_machine_fini(void)
{
    host_run_as(dom0->vcpu[0]);
    host_destroy(d);
    host_check_invariants();
    host_destroy(dom0);
    BUG_ON(host_locks_held());
    BUG_ON(this_cpu()->timers.first && this_cpu()->timers.first->data == devices);
}

int hvm_setup(void **state)
{
    (void)state;
    hvm_machine_init();
    return 0;
}

int hvm_teardown(void **state)
{
    (void)state;
    hvm_machine_fini();
    return 0;
}

uint32_t in_bytes(unsigned int port, unsigned int bytes)
{
    uint32_t value = hvm_port_read(v, port, bytes);

    check_devices();
    return value;
}

void out_bytes(unsigned int port, unsigned int bytes, uint32_t value)
{
    hvm_port_write(v, port, bytes, value);
    check_devices();
}

unsigned int ring_events(void)
{
    return test_and_clear_bit(dom0->shared_info->evtchn_pending, dom0_port);
}

/* --- what must hold --- */

/* Does input n of c interrupt, by the words of the data sheet? */
static bool interrupts(const struct pic_chip *c, unsigned int n, bool master)
{
    unsigned int rank = (n + 7 - c->lowest) % 8, i;

    if (c->icw || !(c->irr >> n & 1) || (c->imr >> n & 1))
        return false;
    for (i = 0; i < 8; i++) {
        unsigned int other = (i + 7 - c->lowest) % 8;
        bool excepted =
            (c->special_mask && (c->imr >> i & 1)) || (i == n && n == 2 && master && c->nested);

        if ((c->isr >> i & 1) && !excepted && other <= rank)
            return false;
    }
    return true;
}

static bool any_interrupts(const struct pic_chip *c, bool master)
{
    bool any = false;

    for (unsigned int n = 0; n < 8; n++)
        any |= interrupts(c, n, master);
    return any;
}

static void check_pic(const struct pic *p)
{
    const struct pic_chip *master = &p->chip[0], *slave = &p->chip[1];

    BUG_ON(p->out != any_interrupts(master, true));
    BUG_ON((master->inputs >> 2 & 1) != any_interrupts(slave, false));
    for (unsigned int i = 0; i < 2; i++) {
        BUG_ON(p->chip[i].irr & ~p->chip[i].inputs);
        BUG_ON(p->chip[i].inputs & p->chip[i].elcr & ~p->chip[i].irr);
        BUG_ON(p->chip[i].lowest > 7 || p->chip[i].vector & 7 || p->chip[i].icw > 4);
    }
}

static void check_pit(const struct pit *p)
{
    for (unsigned int i = 0; i < 3; i++) {
        BUG_ON(p->channel[i].count < 1 || p->channel[i].count > 0x10000);
        BUG_ON(p->channel[i].start > devices->now);
    }
    BUG_ON(!p->channel[0].gate || !p->channel[1].gate || p->channel[2].gate != (p->port61 & 1));
    BUG_ON((p->edge != INT64_MAX) != (p->timer.rank != 0));
    BUG_ON(p->edge != INT64_MAX && p->timer.deadline != p->edge);
}

static void check_uart(const struct uart *u)
{
    unsigned int room = u->fcr & 1 ? 16 : 1;
    bool received = (u->ier & 1) && u->rx.count, line = (u->ier & 4) && u->overrun;
    bool empty = (u->ier & 2) && u->thre, modem = (u->ier & 8) && (u->msr & 0xf);
    bool wired = (u->mcr & 0x08) && !(u->mcr & 0x10);

    BUG_ON(u->rx.count > room || u->tx.count > room || u->rx.first > 15 || u->tx.first > 15);
    BUG_ON(u->thre && u->tx.count);
    BUG_ON(!lines_are_played && (devices->pic.chip[0].inputs >> 4 & 1) !=
                                    (wired && (received || line || empty || modem)));
    BUG_ON(u->owed && !u->timer.rank);
}

static void check_pm(const struct pm *pm)
{
    BUG_ON(pm->status & ~1u);
    BUG_ON(!lines_are_played &&
           (devices->pic.chip[1].inputs >> 1 & 1) != (pm->status & pm->enable[1] & 1));
}

void check_devices(void)
{
    BUG_ON(host_locks_held() || devices->notify || devices->ends);
    check_pic(&devices->pic);
    check_pit(&devices->pit);
    check_uart(&devices->uart);
    check_pm(&devices->pm);
}
