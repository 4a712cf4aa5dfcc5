/* SPDX-License-Identifier: MIT */
/*
 * Event channels, two-level layout. See events.h for the idea.
 *
 * evtchn_pending and evtchn_mask are 64 words of 64 bits. Every bit is changed with a locked
 * instruction, because the hypervisor, on any processor, changes its neighbours at the same
 * time. Taking a word of the selector (exchange with 0) before looking at the ports below it
 * is what keeps a late event from getting lost: it marks the selector again. So the ports of a word
 * are looked at once, and one that is busy keeps no other waiting.
 *
 * The words are the domain's, and the selector says only which of them to look at: the events of
 * other vCPUs are in there too. Each vCPU has a mask of the ports that belong to it, and leaves the
 * others alone, whose vCPUs have been told too. An event is handled by who cleared its bit.
 */
#include <guest/events.h>
#include <guest/kernel.h>
#include <guest/machine.h>

#define BITS  64
#define WORDS (EVENT_PORTS / BITS)

static struct {
    event_handler_t fn;
    void *ctx;
} handlers[EVENT_PORTS];

static xen_ulong_t ports_of[MAX_VCPUS][WORDS]; /* each port is in the mask of one vCPU */

static void set_bit(volatile xen_ulong_t *words, unsigned int bit)
{
    __atomic_fetch_or(&words[bit / BITS], 1ul << (bit % BITS), __ATOMIC_SEQ_CST);
}

static bool clear_bit(volatile xen_ulong_t *words, unsigned int bit)
{
    unsigned long mask = 1ul << (bit % BITS);

    return __atomic_fetch_and(&words[bit / BITS], ~mask, __ATOMIC_SEQ_CST) & mask;
}

void events_init(void)
{
    for (unsigned int i = 0; i < WORDS; i++) {
        WRITE_ONCE(shared_info->evtchn_mask[i], ~0ul);
        ports_of[0][i] = ~0ul;
    }
}

/* Of a masked port: nobody serves it meanwhile. */
static void port_belongs_to(evtchn_port_t port, unsigned int vcpu)
{
    for (unsigned int i = 0; i < MAX_VCPUS; i++)
        clear_bit(ports_of[i], port);
    set_bit(ports_of[vcpu], port);
}

static void dispatch_port(evtchn_port_t port)
{
    event_handler_t fn = READ_ONCE(handlers[port].fn);

    /* Who polls for a port takes its events by hand, and may have been first. */
    if (clear_bit(shared_info->evtchn_pending, port) && fn)
        fn(port, handlers[port].ctx);
}

void events_dispatch(void)
{
    const xen_ulong_t *mine = ports_of[this_cpu()->id];
    vcpu_info_t *info = this_cpu()->info;

    while (__atomic_exchange_n(&info->evtchn_upcall_pending, 0, __ATOMIC_SEQ_CST)) {
        unsigned long selector =
            __atomic_exchange_n(&info->evtchn_pending_sel, 0ul, __ATOMIC_SEQ_CST);

        for (; selector; selector &= selector - 1) {
            unsigned int word = (unsigned int)__builtin_ctzl(selector);
            unsigned long ports = READ_ONCE(shared_info->evtchn_pending[word]) &
                                  ~READ_ONCE(shared_info->evtchn_mask[word]) &
                                  READ_ONCE(mine[word]);

            for (; ports; ports &= ports - 1)
                dispatch_port(word * BITS + (unsigned int)__builtin_ctzl(ports));
        }
    }
}

bool events_disable(void)
{
    vcpu_info_t *info = this_cpu()->info;
    bool enabled;

    if (!is_pv()) {
        enabled = read_rflags() & RFLAGS_IF;
        cli();
        return enabled;
    }
    enabled = !READ_ONCE(info->evtchn_upcall_mask);
    WRITE_ONCE(info->evtchn_upcall_mask, 1);
    barrier();
    return enabled;
}

void events_enable(void)
{
    vcpu_info_t *info = this_cpu()->info;

    if (!is_pv()) {
        sti(); /* what came meanwhile is an interrupt that waits */
        return;
    }
    barrier();
    WRITE_ONCE(info->evtchn_upcall_mask, 0);
    barrier();
    /* The hypervisor looks at the mask when it sends; what came meanwhile is for us to see. */
    while (READ_ONCE(info->evtchn_upcall_pending)) {
        WRITE_ONCE(info->evtchn_upcall_mask, 1);
        barrier();
        events_dispatch();
        barrier();
        WRITE_ONCE(info->evtchn_upcall_mask, 0);
        barrier();
    }
}

void events_restore(bool were_enabled)
{
    if (were_enabled)
        events_enable();
    else
        events_disable();
}

void event_mask(evtchn_port_t port)
{
    set_bit(shared_info->evtchn_mask, port);
}

/* The hypercall does it in one step with raising what is pending; on the vCPU that the port
 * belongs to it could be done by hand, but it need not be fast. */
void event_unmask(evtchn_port_t port)
{
    evtchn_unmask_t op = {.port = port};

    if (HYPERVISOR_event_channel_op(EVTCHNOP_unmask, &op))
        clear_bit(shared_info->evtchn_mask, port);
}

bool event_is_pending(evtchn_port_t port)
{
    return READ_ONCE(shared_info->evtchn_pending[port / BITS]) >> (port % BITS) & 1;
}

bool event_clear_pending(evtchn_port_t port)
{
    return clear_bit(shared_info->evtchn_pending, port);
}

int event_send(evtchn_port_t port)
{
    evtchn_send_t op = {.port = port};

    return (int)HYPERVISOR_event_channel_op(EVTCHNOP_send, &op);
}

void event_set_handler(evtchn_port_t port, event_handler_t fn, void *ctx)
{
    BUG_ON(port >= EVENT_PORTS);
    event_mask(port);
    handlers[port].fn = fn;
    handlers[port].ctx = ctx;
    if (fn)
        event_unmask(port);
}

int event_bind_virq(unsigned int virq, unsigned int vcpu, event_handler_t fn, void *ctx,
                    evtchn_port_t *port)
{
    evtchn_bind_virq_t op = {.virq = virq, .vcpu = vcpu};
    int rc;

    if (vcpu >= MAX_VCPUS)
        return -XEN_ENOENT;
    rc = (int)HYPERVISOR_event_channel_op(EVTCHNOP_bind_virq, &op);
    if (rc)
        return rc;
    *port = op.port;
    port_belongs_to(op.port, vcpu);
    event_set_handler(op.port, fn, ctx);
    return 0;
}

int event_bind_ipi(unsigned int vcpu, event_handler_t fn, void *ctx, evtchn_port_t *port)
{
    evtchn_bind_ipi_t op = {.vcpu = vcpu};
    int rc;

    if (vcpu >= MAX_VCPUS)
        return -XEN_ENOENT;
    rc = (int)HYPERVISOR_event_channel_op(EVTCHNOP_bind_ipi, &op);
    if (rc)
        return rc;
    *port = op.port;
    port_belongs_to(op.port, vcpu);
    event_set_handler(op.port, fn, ctx);
    return 0;
}

int event_bind_interdomain(domid_t remote, evtchn_port_t remote_port, event_handler_t fn, void *ctx,
                           evtchn_port_t *port)
{
    evtchn_bind_interdomain_t op = {.remote_dom = remote, .remote_port = remote_port};
    int rc = (int)HYPERVISOR_event_channel_op(EVTCHNOP_bind_interdomain, &op);

    if (rc)
        return rc;
    *port = op.local_port;
    event_set_handler(op.local_port, fn, ctx);
    return 0;
}

int event_alloc_unbound(domid_t remote, event_handler_t fn, void *ctx, evtchn_port_t *port)
{
    evtchn_alloc_unbound_t op = {.dom = DOMID_SELF, .remote_dom = remote};
    int rc = (int)HYPERVISOR_event_channel_op(EVTCHNOP_alloc_unbound, &op);

    if (rc)
        return rc;
    *port = op.port;
    event_set_handler(op.port, fn, ctx);
    return 0;
}

int event_close(evtchn_port_t port)
{
    evtchn_close_t op = {.port = port};

    BUG_ON(port >= EVENT_PORTS);
    event_mask(port);
    handlers[port].fn = NULL;
    port_belongs_to(port, 0); /* as all that are bound without a vCPU */
    return (int)HYPERVISOR_event_channel_op(EVTCHNOP_close, &op);
}
