/* SPDX-License-Identifier: MIT */
/*
 * The I/O ports of a fully virtualized domain: which device has which, and the lock of them all.
 *
 * What has no device reads as all ones and swallows what is written, as an empty bus does: among
 * them PCI's ports, the other serial ports, and 80h.
 */
#include <core/event/event_channel.h>
#include <core/life/life.h>
#include <core/state/domain.h>
#include <hvm/devices.h>
#include <parvis/loader_pvh.h>
#include <port/machine.h>

static void dropped(struct hvm_devices *h __unused, unsigned int port __unused,
                    uint8_t value __unused)
{
}

/* clang-format off */
static const struct range {
    uint16_t first, last;
    uint8_t (*read)(struct hvm_devices *h, unsigned int port);
    void (*write)(struct hvm_devices *h, unsigned int port, uint8_t value);
    bool alone; /* in accesses of one byte only */
} ranges[] = {
    {0x020, 0x021, pic_read,      pic_write,    false},
    {0x040, 0x043, pit_read,      pit_write,    false},
    {0x061, 0x061, port61_read,   port61_write, false},
    {0x064, 0x064, reset_read,    reset_write,  false},
    {0x070, 0x071, cmos_read,     cmos_write,   false},
    {0x0a0, 0x0a1, pic_read,      pic_write,    false},
    {0x3f8, 0x3ff, uart_read,     uart_write,   false},
    {0x4d0, 0x4d1, elcr_read,     elcr_write,   false},
    {HVM_ACPI_PM1A_EVT, HVM_ACPI_PM1A_CNT + 1, pm_read, pm_write, false},
    {HVM_ACPI_PM_TMR, HVM_ACPI_PM_TMR + 3, pm_timer_read, dropped, false},
    {0xcf9, 0xcf9, reset_read,    reset_write,  true},
};
/* clang-format on */

/* Who is told of Xen has its console elsewhere. */
static const struct range *device_at(const struct hvm_devices *h, unsigned int port,
                                     unsigned int bytes)
{
    for (unsigned int i = 0; i < ARRAY_SIZE(ranges); i++) {
        const struct range *r = &ranges[i];

        if (port >= r->first && port <= r->last)
            return (r->alone && bytes != 1) || (r->read == uart_read && h->domain->arch.hvm.xen)
                       ? NULL
                       : r;
    }
    return NULL;
}

void devices_lock(struct hvm_devices *h)
{
    spin_lock(&h->lock);
    h->now = MAX(h->now, clock_now());
}

void devices_unlock(struct hvm_devices *h)
{
    struct domain *d = h->domain;
    bool notify = h->notify && !READ_ONCE(d->dying), ends = h->ends;
    evtchn_port_t port = h->uart.port;
    uint32_t end_code = h->end_code;

    if (h->notify)
        h->uart.owed = false;
    h->notify = h->ends = false;
    spin_unlock(&h->lock);
    if (notify && evtchn_send(d, port))
        hvm_uart_attach(d, NULL, 0); /* the port was closed: nobody is there any more */
    if (ends)
        domain_shutdown(d, end_code);
}

uint32_t hvm_port_read(struct vcpu *v, unsigned int port, unsigned int bytes)
{
    struct hvm_devices *h = &v->domain->arch.hvm.devices;
    uint32_t value = 0;

    devices_lock(h);
    for (unsigned int i = 0; i < bytes; i++) {
        const struct range *r = device_at(h, port + i, bytes);

        value |= (uint32_t)(r ? r->read(h, port + i) : 0xff) << i * 8;
    }
    devices_unlock(h);
    return value;
}

void hvm_port_write(struct vcpu *v, unsigned int port, unsigned int bytes, uint32_t value)
{
    struct hvm_devices *h = &v->domain->arch.hvm.devices;

    devices_lock(h);
    for (unsigned int i = 0; i < bytes; i++) {
        const struct range *r = device_at(h, port + i, bytes);

        if (r)
            r->write(h, port + i, (uint8_t)(value >> i * 8));
    }
    devices_unlock(h);
}

bool hvm_extint_pending(const struct domain *d)
{
    return READ_ONCE(d->arch.hvm.devices.pic.out);
}

int hvm_extint_ack(struct domain *d)
{
    struct hvm_devices *h = &d->arch.hvm.devices;
    int vector;

    devices_lock(h);
    vector = pic_ack(h);
    devices_unlock(h);
    return vector;
}

void hvm_uart_attach(struct domain *d, struct xencons_interface *ring, evtchn_port_t port)
{
    struct hvm_devices *h = &d->arch.hvm.devices;

    devices_lock(h);
    uart_attach(h, ring, port);
    devices_unlock(h);
}

void hvm_uart_ring_moved(struct domain *d)
{
    struct hvm_devices *h = &d->arch.hvm.devices;

    devices_lock(h);
    uart_move(h);
    devices_unlock(h);
}

void hvm_press_power_button(struct domain *d)
{
    struct hvm_devices *h = &d->arch.hvm.devices;

    devices_lock(h);
    pm_press_power_button(h);
    devices_unlock(h);
}

void hvm_devices_init(struct domain *d)
{
    struct hvm_devices *h = &d->arch.hvm.devices;

    *h = (struct hvm_devices){.domain = d, .cmos_b = CMOS_24H};
    spin_lock_init(&h->lock, RANK_DEVICE);
    pic_reset(&h->pic);
    pit_reset(h);
    uart_reset(h);
}

void hvm_devices_kill(struct domain *d)
{
    struct hvm_devices *h = &d->arch.hvm.devices;

    timer_kill(&h->pit.timer);
    timer_kill(&h->uart.timer);
    hvm_uart_attach(d, NULL, 0);
}
