/* SPDX-License-Identifier: MIT */
/*
 * Shows: a guest connects each of its disks and interfaces to the back end, and reads a disk's
 * first sector. Skipped in a domain without a store.
 *
 * No more of a driver than that: whole domains with devices come and go by the thousand with it
 * (tests/system/test_soak.py). stay=1: it stays connected until it is ended.
 */
/* x86: a store that is seen has what was stored before it; a load may overtake it. */
#define xen_wmb() barrier()
#define xen_rmb() barrier()
#define xen_mb()  __sync_synchronize()

#include <xen/io/blkif.h>
#include <xen/io/netif.h>
#include <xen/io/protocols.h>
#include <xen/io/xenbus.h>

#include <guest/grant.h>
#include <guest/xenbus.h>

#include "test.h"

const char test_name[] = "devices";

#define PATIENCE_NS 60000000000ul /* of a machine that has much else to do */
#define LOOK_NS     2000000ul

static void nothing(evtchn_port_t port, void *ctx)
{
    (void)port; /* who waits looks at the ring */
    (void)ctx;
}

static void write_text(const char *dir, const char *key, const char *text)
{
    char path[96];

    snprintf(path, sizeof(path), "%s/%s", dir, key);
    CHECK_EQ(xenbus_write(XBT_NIL, path, text), 0, "a node of the device's is ours to write");
}

static void write_number(const char *dir, const char *key, unsigned long value)
{
    char text[24];

    snprintf(text, sizeof(text), "%lu", value);
    write_text(dir, key, text);
}

/* Waits for the back end to be in a state. */
static bool backend_gets_to(const char *dir, unsigned long state)
{
    char path[96], backend[96], text[16];
    uint64_t end = time_system_ns() + PATIENCE_NS, now = 0;

    snprintf(path, sizeof(path), "%s/backend", dir);
    if (xenbus_read(XBT_NIL, path, backend, sizeof(backend) - 8) < 0)
        return false;
    snprintf(path, sizeof(path), "%s/state", backend);
    while (time_system_ns() < end) {
        if (xenbus_read(XBT_NIL, path, text, sizeof(text)) > 0 &&
            parse_number(text, strlen(text), &now) && now == state)
            return true;
        time_sleep_ns(LOOK_NS);
    }
    return false;
}

/* A page that the control domain may map: its reference goes into the device's directory. */
static void *lend(const char *dir, const char *key)
{
    void *page = test_page();
    int ref = grant_access(0, virt_to_mfn(page), false);

    CHECK(ref >= 0, "a page is lent");
    write_number(dir, key, (unsigned long)ref);
    return page;
}

static void open_port(const char *dir, evtchn_port_t *port)
{
    CHECK_EQ(event_alloc_unbound(0, nothing, NULL, port), 0, "a port for the back end");
    write_number(dir, "event-channel", *port);
}

static void read_first_sector(blkif_front_ring_t *ring, evtchn_port_t port)
{
    blkif_request_t *request = RING_GET_REQUEST(ring, ring->req_prod_pvt);
    uint64_t end = time_system_ns() + PATIENCE_NS;
    int ref = grant_access(0, virt_to_mfn(test_page()), false), notify;

    NEED(ref >= 0);
    *request = (blkif_request_t){.operation = BLKIF_OP_READ, .nr_segments = 1, .id = 1};
    request->seg[0] = (struct blkif_request_segment){.gref = (grant_ref_t)ref};
    ring->req_prod_pvt++;
    RING_PUSH_REQUESTS_AND_CHECK_NOTIFY(ring, notify);
    if (notify)
        event_send(port);
    while (!RING_HAS_UNCONSUMED_RESPONSES(ring) && time_system_ns() < end)
        time_sleep_ns(LOOK_NS);
    NEED(RING_HAS_UNCONSUMED_RESPONSES(ring));
    CHECK_EQ(RING_GET_RESPONSE(ring, ring->rsp_cons)->status, BLKIF_RSP_OKAY, "a sector is read");
    ring->rsp_cons++;
}

static void connect_disk(const char *dir)
{
    blkif_front_ring_t ring;
    evtchn_port_t port;

    CHECK(backend_gets_to(dir, XenbusStateInitWait), "the disk's back end waits for us");
    XEN_FRONT_RING_INIT(&ring, (blkif_sring_t *)lend(dir, "ring-ref"), PAGE_SIZE);
    open_port(dir, &port);
    write_text(dir, "protocol", XEN_IO_PROTO_ABI_X86_64);
    write_number(dir, "state", XenbusStateInitialised);
    CHECK(backend_gets_to(dir, XenbusStateConnected), "the disk is connected");
    write_number(dir, "state", XenbusStateConnected);
    read_first_sector(&ring, port);
}

static void connect_interface(const char *dir)
{
    netif_tx_front_ring_t tx;
    netif_rx_front_ring_t rx;
    evtchn_port_t port;

    CHECK(backend_gets_to(dir, XenbusStateInitWait), "the interface's back end waits for us");
    XEN_FRONT_RING_INIT(&tx, (netif_tx_sring_t *)lend(dir, "tx-ring-ref"), PAGE_SIZE);
    XEN_FRONT_RING_INIT(&rx, (netif_rx_sring_t *)lend(dir, "rx-ring-ref"), PAGE_SIZE);
    open_port(dir, &port);
    write_number(dir, "request-rx-copy", 1);
    write_number(dir, "state", XenbusStateConnected);
    CHECK(backend_gets_to(dir, XenbusStateConnected), "the interface is connected");
}

static void connect_all(const char *kind, void (*connect)(const char *dir))
{
    char names[256], path[96];
    int len;

    snprintf(path, sizeof(path), "device/%s", kind);
    len = xenbus_directory(XBT_NIL, path, names, sizeof(names));
    for (int at = 0; at < len; at += (int)strlen(names + at) + 1) {
        snprintf(path, sizeof(path), "device/%s/%s", kind, names + at);
        connect(path);
    }
}

void test_main(void)
{
    char text[16];

    if (xenbus_init()) {
        test_skip("this domain has no store");
        return;
    }
    NEED(!grant_init());
    CHECK(xenbus_read(XBT_NIL, "domid", text, sizeof(text)) > 0, "the store answers");
    connect_all("vbd", connect_disk);
    connect_all("vif", connect_interface);
    xenbus_write(XBT_NIL, "data/devices", "connected");
    while (cmdline_number("stay", 0))
        time_sleep_ns(1000000000ul);
}
