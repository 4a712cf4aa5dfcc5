/* SPDX-License-Identifier: MIT */
/*
 * Shows: event channels do what event_channel.h says, and refuse what they must.
 *
 * Both ends of the channels are in this domain, so each step can be watched: allocation,
 * binding, sending, masking, the order of pending bit, selector and upcall, closing. Then each
 * operation with ports, vCPUs and domains that do not exist.
 *
 * XSA-317 (ports past the limit of the layout), XSA-338 (operations on closed ports),
 * XSA-343 and XSA-344 (reset of all ports).
 */
#include "test.h"

const char test_name[] = "evtchn";

#define NO_PORT 4000u

static unsigned int upcalls;

static void count(evtchn_port_t port, void *ctx)
{
    (void)port;
    upcalls += (unsigned int)(uintptr_t)ctx;
}

static long op(unsigned int cmd, void *arg)
{
    return HYPERVISOR_event_channel_op((int)cmd, arg);
}

static unsigned int status_of(evtchn_port_t port)
{
    evtchn_status_t s = {.dom = DOMID_SELF, .port = port};
    long rc = op(EVTCHNOP_status, &s);

    return rc ? 1000 + (unsigned int)-rc : s.status;
}

static void one_channel(void)
{
    evtchn_port_t a, b;
    evtchn_status_t s = {.dom = DOMID_SELF};

    NEED(!event_alloc_unbound(DOMID_SELF, NULL, NULL, &a));
    CHECK_EQ(status_of(a), EVTCHNSTAT_unbound, "an allocated port is unbound");
    CHECK_EQ(event_send(a), 0, "sending on it is allowed and does nothing");
    NEED(!event_bind_interdomain(DOMID_SELF, a, NULL, NULL, &b));
    CHECK_EQ(status_of(a), EVTCHNSTAT_interdomain, "binding makes it interdomain");
    s.port = b;
    CHECK_EQ(op(EVTCHNOP_status, &s), 0, "the new port has a status");
    CHECK_EQ(s.u.interdomain.port, a, "which names the other end");
    CHECK(event_is_pending(b) == 0 || event_clear_pending(b), "pending state is a bit");

    event_clear_pending(a);
    CHECK_EQ(event_send(b), 0, "sending on one end");
    CHECK(event_is_pending(a), "sets the other end's bit");
    CHECK_EQ(upcalls, 0, "a masked port calls nobody");
    event_set_handler(a, count, (void *)1); /* unmasks */
    CHECK_EQ(upcalls, 1, "unmasking a pending port raises the upcall");
    CHECK_EQ(event_send(b), 0, "unmasked");
    CHECK_EQ(upcalls, 2, "the event arrives before the hypercall returns to us");
    CHECK(!event_is_pending(a), "and was consumed");

    events_disable();
    event_send(b);
    event_send(b);
    CHECK_EQ(upcalls, 2, "with upcalls masked nothing is called");
    CHECK(shared_info->vcpu_info[0].evtchn_upcall_pending, "but the vCPU is marked");
    CHECK(shared_info->vcpu_info[0].evtchn_pending_sel & (1ul << (a / 64)), "and the selector");
    events_enable();
    CHECK_EQ(upcalls, 3, "two sends are one event");

    CHECK_EQ(event_close(b), 0, "one end can be closed");
    CHECK_EQ(status_of(a), EVTCHNSTAT_unbound, "the other one is unbound again");
    CHECK_EQ(status_of(b), EVTCHNSTAT_closed, "the closed one is closed");
    CHECK_EQ(event_close(b), -XEN_EINVAL, "a closed port cannot be closed");
    CHECK_EQ(event_send(b), -XEN_EINVAL, "nor be sent to");
    CHECK_EQ(event_close(a), 0, "the rest");
}

static void virqs_and_ipis(void)
{
    evtchn_bind_virq_t virq = {.virq = VIRQ_DEBUG, .vcpu = 0};
    evtchn_bind_vcpu_t move = {.vcpu = 0};
    evtchn_port_t ipi;

    CHECK_EQ(op(EVTCHNOP_bind_virq, &virq), 0, "a VIRQ can be bound");
    CHECK_EQ(status_of(virq.port), EVTCHNSTAT_virq, "and shows as one");
    CHECK_EQ(event_send(virq.port), -XEN_EINVAL, "nobody sends a VIRQ to himself");
    CHECK_EQ(op(EVTCHNOP_bind_virq, &virq), -XEN_EEXIST, "it is bound once");
    CHECK_EQ(event_close(virq.port), 0, "and closed");
    virq.virq = NR_VIRQS;
    CHECK_EQ(op(EVTCHNOP_bind_virq, &virq), -XEN_EINVAL, "there is no such VIRQ");
    virq.virq = 0xffffffff;
    CHECK_EQ(op(EVTCHNOP_bind_virq, &virq), -XEN_EINVAL, "nor this");
    virq = (evtchn_bind_virq_t){.virq = VIRQ_DEBUG, .vcpu = 99};
    CHECK_EQ(op(EVTCHNOP_bind_virq, &virq), -XEN_ENOENT, "nor this vCPU");
    virq = (evtchn_bind_virq_t){.virq = VIRQ_CONSOLE, .vcpu = 0};
    CHECK(op(EVTCHNOP_bind_virq, &virq) <= 0, "a global VIRQ answers something definite");

    upcalls = 0;
    NEED(!event_bind_ipi(0, count, (void *)1, &ipi));
    CHECK_EQ(status_of(ipi), EVTCHNSTAT_ipi, "an IPI port shows as one");
    CHECK_EQ(event_send(ipi), 0, "and can be sent");
    CHECK_EQ(upcalls, 1, "to its vCPU");
    move.port = ipi;
    CHECK_EQ(op(EVTCHNOP_bind_vcpu, &move), -XEN_EINVAL, "it cannot move to another vCPU");
    CHECK_EQ(event_close(ipi), 0, "closed");
}

static char order[8];
static evtchn_port_t first, second;

/* The first port's events bring another one, twice. */
static void note(evtchn_port_t port, void *ctx)
{
    unsigned int n = (unsigned int)strlen(order);

    (void)ctx;
    if (n + 1 < sizeof(order))
        order[n] = port == first ? 'a' : 'b';
    if (port == first && n < 3)
        event_send(first);
}

/* Of this kernel, not of the hypervisor: events of a word are looked at once, so a port that is
 * busy keeps no other waiting. */
static void ports_take_turns(void)
{
    NEED(!event_bind_ipi(0, note, NULL, &first));
    NEED(!event_bind_ipi(0, note, NULL, &second));
    NEED(first < second && first / 64 == second / 64);
    events_disable();
    event_send(first);
    event_send(second);
    events_enable();
    CHECK(!strcmp(order, "abaa"), "a port that is busy keeps no other of its word waiting");
    CHECK(!event_close(first) && !event_close(second), "both are closed");
}

static void refusals(void)
{
    evtchn_alloc_unbound_t alloc = {.dom = 0x1234, .remote_dom = 0};
    evtchn_bind_interdomain_t bind = {.remote_dom = DOMID_SELF, .remote_port = NO_PORT};
    evtchn_status_t s = {.dom = DOMID_SELF, .port = NO_PORT};
    evtchn_unmask_t unmask = {.port = EVENT_PORTS};
    evtchn_bind_vcpu_t move = {.port = NO_PORT, .vcpu = 0};
    evtchn_port_t unbound;

    CHECK(op(EVTCHNOP_alloc_unbound, &alloc) < 0, "a port in a domain that does not exist");
    CHECK_EQ(op(EVTCHNOP_bind_interdomain, &bind), -XEN_EINVAL, "a remote port that is not there");
    bind.remote_port = 0xffffffff;
    CHECK_EQ(op(EVTCHNOP_bind_interdomain, &bind), -XEN_EINVAL, "nor can be");
    bind.remote_dom = 0x1234;
    CHECK_EQ(op(EVTCHNOP_bind_interdomain, &bind), -XEN_ESRCH, "a remote domain that is not there");
    NEED(!event_alloc_unbound(0, NULL, NULL, &unbound));
    bind = (evtchn_bind_interdomain_t){.remote_dom = DOMID_SELF, .remote_port = unbound};
    CHECK_EQ(op(EVTCHNOP_bind_interdomain, &bind), -XEN_EINVAL, "a port kept for somebody else");
    CHECK_EQ(event_close(unbound), 0, "closed");

    CHECK_EQ(event_send(0), -XEN_EINVAL, "port 0 is nobody's");
    CHECK_EQ(event_send(NO_PORT), -XEN_EINVAL, "a free port cannot be sent to");
    CHECK_EQ(event_send(EVENT_PORTS), -XEN_EINVAL, "XSA-317: a port past the layout");
    CHECK_EQ(event_send(0xffffffff), -XEN_EINVAL, "or far past it");
    CHECK_EQ(op(EVTCHNOP_unmask, &unmask), -XEN_EINVAL, "cannot be unmasked");
    CHECK(op(EVTCHNOP_bind_vcpu, &move) < 0, "XSA-338: a free port cannot be moved");
    s.port = EVENT_PORTS;
    CHECK_EQ(op(EVTCHNOP_status, &s), -XEN_EINVAL, "nor has a port past the end a status");
    s = (evtchn_status_t){.dom = 0x1234, .port = 1};
    CHECK_EQ(op(EVTCHNOP_status, &s), -XEN_ESRCH, "nor a domain that is not there");
    CHECK_EQ(op(99, &s), -XEN_ENOSYS, "an unknown operation");
    CHECK_EQ(op(EVTCHNOP_send, (void *)0x10000), -XEN_EFAULT, "arguments in unmapped memory");
    CHECK_EQ(op(EVTCHNOP_send, (void *)0xffff830000000000ul), -XEN_EFAULT, "or the hypervisor's");
}

/* Xen finds that when it has made the port. */
static bool tries_first(void)
{
    return test_on_parvis();
}

static int protect(char *va, unsigned long frame, bool writable)
{
    return HYPERVISOR_update_va_mapping(
        (unsigned long)va, pte_make(frame, (writable ? PTE_KERNEL_RW : PTE_KERNEL_RO) | PTE_NX),
        UVMF_INVLPG);
}

/* Two words, of which each is in a page of its own; one cannot be written. */
static void result_without_a_place(void)
{
    void *pages[] = {test_page(), test_page()};
    unsigned long frames[] = {virt_to_mfn(pages[0]), virt_to_mfn(pages[1])};
    char *mapped = map_frames(frames, 2, PTE_KERNEL_RW | PTE_NX);
    evtchn_alloc_unbound_t *alloc = (void *)(mapped + PAGE_SIZE - sizeof(alloc->port));
    evtchn_port_t before, between, after;

    NEED(mapped);
    NEED(!event_alloc_unbound(DOMID_SELF, NULL, NULL, &before));
    *alloc = (evtchn_alloc_unbound_t){.dom = DOMID_SELF, .remote_dom = DOMID_SELF};
    CHECK_EQ(op(EVTCHNOP_alloc_unbound, alloc), 0, "a struct in two pages");
    between = alloc->port;
    CHECK_EQ(between, before + 1, "has its result");
    for (unsigned int i = 0; i < 2; i++) {
        NEED(!protect(mapped + i * PAGE_SIZE, frames[i], false));
        CHECK_EQ(op(EVTCHNOP_alloc_unbound, alloc), -XEN_EFAULT, "one of them is read-only");
        NEED(!protect(mapped + i * PAGE_SIZE, frames[i], true));
    }
    NEED(!event_alloc_unbound(DOMID_SELF, NULL, NULL, &after));
    CHECK_EQ(after, between + (tries_first() ? 1 : 3), "no port was made for nobody");
    unmap_frames(mapped, 2);
    page_free(pages[0]);
    page_free(pages[1]);
    CHECK_EQ(event_close(before) + event_close(between) + event_close(after), 0, "closed");
}

/* XSA-317: take all ports there are; the end must be an error, and all must come back. */
static void exhaustion(void)
{
    static evtchn_port_t ports[EVENT_PORTS];
    unsigned int n = 0, again = 0;
    int rc;

    while (n < EVENT_PORTS && !(rc = event_alloc_unbound(DOMID_SELF, NULL, NULL, &ports[n])))
        n++;
    CHECK(n > 100 && n < EVENT_PORTS, "ports end before the layout does");
    CHECK_EQ(rc, -XEN_ENOSPC, "with ENOSPC");
    for (unsigned int i = 0; i < n; i++)
        again += !event_close(ports[i]);
    CHECK_EQ(again, n, "all can be closed");
    CHECK_EQ(event_alloc_unbound(DOMID_SELF, NULL, NULL, &ports[0]), 0, "and used again");
    CHECK_EQ(event_close(ports[0]), 0, "closed");
}

void test_main(void)
{
    one_channel();
    virqs_and_ipis();
    ports_take_turns();
    refusals();
    if (is_pv()) /* who has to ask for its page tables' entries */
        result_without_a_place();
    exhaustion();
}
