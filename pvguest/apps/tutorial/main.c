/* SPDX-License-Identifier: MIT */
/*
 * The guest of docs/tutorial.md, second part: what a kernel does all day, in one page.
 *
 * It greets, maps a page by hand, protects it and lives through the fault, sleeps by a timer,
 * sends itself an event, and powers off.
 */
#include <guest/kernel.h>
#include <guest/pagetable.h>
#include <guest/time.h>

static unsigned int events;

static void on_event(evtchn_port_t port, void *ctx)
{
    (void)port;
    (void)ctx;
    events++;
}

static void write_to(void *va)
{
    *(volatile int *)va = 42;
}

static int page_tables(void)
{
    void *page = page_alloc(), *second;
    struct trap_catch fault;
    unsigned long frame;

    if (!page)
        return 1;
    frame = virt_to_mfn(page);
    second = map_frames(&frame, 1, PTE_KERNEL_RO | PTE_NX);
    if (!second)
        return 1;
    write_to(page);
    printf("frame 0x%lx is at %p and at %p: %d there\n", frame, page, second,
           *(volatile int *)second);
    if (trap_catch(&fault, write_to, second))
        printf("writing there: %s, error 0x%lx, address 0x%lx\n", trap_name(fault.vector),
               fault.error, fault.cr2);
    unmap_frames(second, 1);
    page_free(page);
    return 0;
}

int guest_main(void)
{
    uint64_t before = time_system_ns();
    evtchn_port_t port;

    printf("hello from %lu pages of memory\n", nr_pfns);
    if (page_tables())
        return 1;
    time_sleep_ns(20 * 1000 * 1000);
    printf("slept %s\n",
           time_system_ns() - before >= 20 * 1000 * 1000 ? "long enough" : "too short");
    if (event_bind_ipi(0, on_event, NULL, &port) || event_send(port))
        return 1;
    printf("events: %u\n", events);
    return 0; /* powers off; anything else is a crash */
}
