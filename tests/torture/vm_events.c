/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of fully virtualized domains, whose vCPUs send each other all that local APICs can
 * send, from either register file, change their TPR, sleep, and meet at the PIC and the serial
 * port.
 *
 * One is told of Xen: its vCPUs change to x2APIC, one by one. The console of the other is a channel
 * to a paravirtual domain.
 *
 * What is sent counts, and a handler notes the count, as events do (events.c): at rest all has been
 * seen that was sent, by each that it was for. The other end of the console was told of each byte.
 */
#include "vm.h"

#include <string.h>

#include <core/domain/domain_table.h>
#include <core/event/event_channel.h>
#include <hv/x86_bits.h>
#include <hvm/devices.h>
#include <xen/event_channel.h>
#include <xen/io/console.h>

#include "vm_events.h"

/* To one; to all; to the others; to one of them, whichever; NMI to one */
enum { ONE = VM_FIRST, ALL, OTHERS, LOWEST, UNCOUNTED, NMI = 2 };

#define VECTORS (UNCOUNTED + 1)

struct line {
    uint32_t sent, due[VM_EVENTS_VCPUS], seen[VM_EVENTS_VCPUS];
};

static struct all_lines {
    struct line vector[VECTORS], to_one[VM_EVENTS_VCPUS], nmi[VM_EVENTS_VCPUS];
} all_lines[MOST_DOMAINS];
static struct xencons_interface ring __aligned(PAGE_SIZE);
static struct console { /* d0v0's */
    domid_t owner;
    evtchn_port_t port;
    bool taken; /* and not told of */
} console;

static unsigned int me(const struct guest *g)
{
    return g->v->vcpu_id;
}

static struct all_lines *lines_of(const struct guest *g)
{
    return &all_lines[g->v->domain->domain_id];
}

static void raise_to(uint32_t *p, uint32_t value)
{
    uint32_t was = get(p);

    while (was < value &&
           !__atomic_compare_exchange_n(p, &was, value, true, __ATOMIC_RELAXED, __ATOMIC_RELAXED))
        ;
}

/* ---- taking them ---- */

static void see(struct line *l, unsigned int who)
{
    raise_to(&l->seen[who], get(&l->sent));
}

static void vector(struct guest *g, unsigned int v)
{
    struct all_lines *l = lines_of(g);

    if (v == NMI)
        see(&l->nmi[me(g)], 0);
    else if (v == ONE)
        see(&l->to_one[me(g)], 0);
    else if (v == LOWEST)
        see(&l->vector[LOWEST], 0);
    else if (v < VECTORS)
        see(&l->vector[v], me(g));
}

/* ---- sending them ---- */

static void sent(struct guest *g)
{
    struct line *l = (struct line *)g->a[0];

    for (unsigned int i = 0; i < VM_EVENTS_VCPUS; i++)
        if (g->a[2] >> i & 1)
            raise_to(&l->due[i], (uint32_t)g->a[1]);
}

/* For whom: bits of l->due. */
static void send(struct guest *g, struct line *l, uint64_t whom, uint32_t icr, uint32_t destination)
{
    g->a[0] = (uint64_t)l;
    g->a[1] = count(&l->sent);
    g->a[2] = whom;
    vm_ipi(g, icr | 0x4000, destination, sent);
}

static void send_one(struct guest *g)
{
    unsigned int to = chance(g, VM_EVENTS_VCPUS);

    if (chance(g, 3))
        send(g, &lines_of(g)->to_one[to], 1, ONE, to);
    else
        send(g, &lines_of(g)->nmi[to], 1, 0x400, to);
}

static void send_all(struct guest *g)
{
    uint64_t all = (1u << VM_EVENTS_VCPUS) - 1;

    if (chance(g, 2))
        send(g, &lines_of(g)->vector[ALL], all, 2u << 18 | ALL, 0);
    else
        send(g, &lines_of(g)->vector[OTHERS], all & ~(1u << me(g)), 3u << 18 | OTHERS, 0);
}

static void send_lowest(struct guest *g)
{
    send(g, &lines_of(g)->vector[LOWEST], 1, 2u << 18 | 0x100 | LOWEST, 0);
}

/* Whom a logical destination is for is a matter of both modes. */
static void send_logical(struct guest *g)
{
    send(g, &lines_of(g)->vector[UNCOUNTED], 0, 0x800 | chance(g, 2) << 8 | UNCOUNTED,
         chance(g, 256));
}

static void send_self(struct guest *g)
{
    if (chance(g, 2) || !lapic_in_x2apic(lapic_seen(g->v))) {
        send(g, &lines_of(g)->to_one[me(g)], 1, 1u << 18 | ONE, 0);
        return;
    }
    g->a[0] = (uint64_t)&lines_of(g)->to_one[me(g)];
    g->a[1] = count(&lines_of(g)->to_one[me(g)].sent);
    g->a[2] = 1;
    vm_apic_write(g, LAPIC_SELF_IPI, ONE);
    g->next = sent;
}

/* ---- the rest ---- */

static void to_x2apic(struct guest *g)
{
    if (!chance(g, 8))
        vm_wrmsr(g, MSR_APIC_BASE, LAPIC_ADDRESS | BASE_ENABLED | BASE_X2APIC);
}

static void set_ldr(struct guest *g)
{
    if (!lapic_in_x2apic(lapic_seen(g->v)))
        vm_apic_write(g, LAPIC_LDR, 1u << (24 + me(g)));
}

static void set_tpr(struct guest *g)
{
    static const uint8_t any[] = {0, 3, 5, 6, 15};

    vm_apic_write(g, LAPIC_TPR, any[chance(g, ARRAY_SIZE(any))] << 4);
}

static void sleep_for_a_while(struct guest *g)
{
    vm_sleep(g, chance(g, 200) * 1000);
}

static void serial(struct guest *g)
{
    static const uint8_t ports[] = {0, 0, 0, 1, 2, 5, 6};
    unsigned int port = 0x3f8 + ports[chance(g, ARRAY_SIZE(ports))];

    if (chance(g, 3))
        vm_out(g, port, 1, port == 0x3f9 ? chance(g, 16) : chance(g, 256) & 0x7f);
    else
        vm_in(g, port, 1);
}

static void pic(struct guest *g)
{
    switch (chance(g, 4)) {
    case 0:
        vm_out(g, chance(g, 2) ? 0x21 : 0xa1, 1, chance(g, 2) ? chance(g, 256) : 0);
        break;
    case 1:
        vm_out(g, chance(g, 2) ? 0x20 : 0xa0, 1, chance(g, 2) ? 0x0a : 0x20);
        break;
    case 2:
        vm_out(g, 0x4d0, 2, chance(g, 2) << 5);
        break;
    default:
        vm_in(g, chance(g, 2) ? 0x20 : 0xa1, 1);
    }
}

static void operation(struct guest *g)
{
    static step_fn *const any[] = {
        send_one,     send_one,  send_all,      send_all,          send_lowest,      send_self,
        send_logical, to_x2apic, set_ldr,       set_tpr,           serial,           serial,
        pic,          vm_cpuid,  guest_compute, sleep_for_a_while, sleep_for_a_while};

    g->last = chance(g, ARRAY_SIZE(any));
    any[g->last](g);
}

/* All that waits for room is held back no more. */
static void rest(struct guest *g)
{
    if (lapic_cr8(g->v))
        vm_apic_write(g, LAPIC_TPR, 0);
    else
        vm_halt(g);
}

static void start_others(struct guest *g)
{
    vm_ipi(g, 0xc4601, 0, set_ldr);
}

static void check_line(const struct line *l, const char *what, unsigned int n)
{
    for (unsigned int i = 0; i < VM_EVENTS_VCPUS; i++)
        if (l->seen[i] < l->due[i])
            torture_failed("%s %u: interrupt %u was sent to %u, %u were seen", what, n, l->due[i],
                           i, l->seen[i]);
}

static void check(const struct domain *d)
{
    const struct all_lines *l = &all_lines[d->domain_id];

    for (unsigned int i = VM_FIRST; i < VECTORS; i++)
        check_line(&l->vector[i], "vector", i);
    for (unsigned int i = 0; i < VM_EVENTS_VCPUS; i++) {
        check_line(&l->to_one[i], "vCPU", i);
        check_line(&l->nmi[i], "NMI of vCPU", i);
    }
    if (d->domain_id == console.owner &&
        (d->arch.hvm.devices.uart.owed || ring.out_cons != ring.out_prod))
        torture_failed("of the console's %u bytes %u came", ring.out_prod, ring.out_cons);
}

/* The serial port may interrupt. */
static void start(struct guest *g)
{
    if (me(g))
        return;
    vm_out(g, 0x3fc, 1, 0x0b);
    g->next = start_others;
}

const struct vm_program torture_vm_events = {
    .start = start, .operation = operation, .rest = rest, .vector = vector, .check = check};

/* ---- its console ---- */

static void connect(struct domain *d)
{
    struct evtchn_bind_interdomain bind = {.remote_dom = d->domain_id};
    struct domain *d0 = get_domain_by_id(0);

    memset(&ring, 0, sizeof(ring));
    console = (struct console){.owner = d->domain_id};
    if (evtchn_alloc_unbound(d, 0, NULL, &bind.remote_port))
        torture_failed("no port for the console");
    hvm_uart_attach(d, &ring, bind.remote_port);
    memcpy(host_guest(HOST_GUEST_BASE), &bind, sizeof(bind));
    if (host_hypercall(d0->vcpu[0], __HYPERVISOR_event_channel_op,
                       (uint64_t[6]){EVTCHNOP_bind_interdomain, HOST_GUEST_BASE}, NULL))
        torture_failed("the console cannot be connected");
    memcpy(&bind, host_guest(HOST_GUEST_BASE), sizeof(bind));
    console.port = bind.local_port;
    (void)test_and_clear_bit(d0->shared_info->evtchn_mask, console.port);
    put_domain(d0);
}

evtchn_port_t vm_events_setup(domid_t first)
{
    memset(all_lines, 0, sizeof(all_lines));
    connect(torture_domain(first, false, VM_EVENTS_VCPUS, 1));
    torture_domain(first + 1, false, VM_EVENTS_VCPUS, 1)->arch.hvm.xen = true;
    return console.port;
}

/* All that the guest sent; and something is typed. */
bool vm_events_take(struct guest *g, evtchn_port_t port)
{
    uint32_t prod = READ_ONCE(ring.in_prod);

    if (g->v->domain->domain_id || port != console.port)
        return false;
    __atomic_store_n(&ring.out_cons, __atomic_load_n(&ring.out_prod, __ATOMIC_ACQUIRE),
                     __ATOMIC_RELEASE);
    if (g->left && prod - __atomic_load_n(&ring.in_cons, __ATOMIC_ACQUIRE) < sizeof(ring.in)) {
        ring.in[MASK_XENCONS_IDX(prod, ring.in)] = (char)prod;
        __atomic_store_n(&ring.in_prod, prod + 1, __ATOMIC_RELEASE);
    }
    console.taken = true;
    return true;
}

bool vm_events_tell(struct guest *g)
{
    if (g->v->domain->domain_id || g->v->vcpu_id || !console.taken)
        return false;
    console.taken = false;
    CALL_WITH(g, NULL, event_channel_op, EVTCHNOP_send,
              &(struct evtchn_send){.port = console.port});
    return true;
}
