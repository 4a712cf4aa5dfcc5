/* SPDX-License-Identifier: MIT */
/*
 * Giving the processor away: block, yield, poll, and the end of the domain.
 */
#include <guest/console.h>
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/machine.h>

/* Unmasks events and sleeps until one is pending, in one step. Returns with events enabled. */
void sched_block(void)
{
    if (is_pv())
        BUG_ON(HYPERVISOR_sched_op(SCHEDOP_block, NULL));
    else
        sti_hlt();
}

void sched_yield(void)
{
    HYPERVISOR_sched_op(SCHEDOP_yield, NULL);
}

int sched_poll(evtchn_port_t *ports, unsigned int count, uint64_t deadline_ns)
{
    sched_poll_t op = {.nr_ports = count, .timeout = deadline_ns};

    set_xen_guest_handle(op.ports, ports);
    return (int)HYPERVISOR_sched_op(SCHEDOP_poll, &op);
}

void shutdown_domain(unsigned int reason)
{
    sched_shutdown_t op = {.reason = reason};

    console_flush();
    if (!has_hypercalls())
        acpi_end(reason);
    for (;;) /* the hypervisor does not return from it; a refusal would be its bug */
        HYPERVISOR_sched_op(SCHEDOP_shutdown, &op);
}
