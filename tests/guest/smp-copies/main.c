/* SPDX-License-Identifier: MIT */
/*
 * Shows: a hypercall reads and writes what the guest itself may, also when another vCPU changes
 * that meanwhile.
 *
 * One vCPU calls, with arguments and results that cross from one page to the next: a list of
 * hypercalls, whose result is a word of its own; an operation with a result, whose place is tried
 * before; ports of a poll, which are numbers of 32 bits. Another changes the second page under
 * these: it is taken away, comes back, and becomes a page table without a flush, in which nothing
 * may be written from that moment on. And it writes other numbers to the list.
 *
 * Before, alone: the same calls at each end of what is the guest's.
 */
#include "test.h"

const char test_name[] = "smp-copies";

#define ROUNDS 400u
#define RESTS  40u /* of a round, for the other */
#define PORTS  64u

/* The second page begins there. What is written to it is no present entry of a table: see call().
 */
static unsigned char *border;
static evtchn_port_t timer_port;
static bool through;
static unsigned int done, faults, others;

static long status_at(void *at)
{
    return HYPERVISOR_event_channel_op(EVTCHNOP_status, at);
}

static long poll_at(void *at)
{
    struct sched_poll poll = {.nr_ports = 1, .timeout = 1};

    set_xen_guest_handle(poll.ports, (evtchn_port_t *)at);
    return HYPERVISOR_sched_op(SCHEDOP_poll, &poll);
}

static long list_at(void *at)
{
    return hypercall2(__HYPERVISOR_multicall, (unsigned long)at, 1);
}

static long operation_at(void *at)
{
    return hypercall4(__HYPERVISOR_mmuext_op, (unsigned long)at, 1, 0, DOMID_SELF);
}

static long send_at(void *at)
{
    return HYPERVISOR_event_channel_op(EVTCHNOP_send, at);
}

static void ends(void)
{
    static const unsigned long places[] = {
        0x7ffffffffffful,
        0x7ffffffffffcul,
        0x800000000000ul,
        0x8000000000000000ul,
        0xffff7ffffffffffful,
        0xffff800000000000ul,
        0xffff820000000000ul,
        0xffff82d080000000ul,
        0xffff830000000000ul,
        0xffff87fffffffffful,
        0xffff87fffffffffcul,
        0xffff87fffffffff8ul,
        -1ul,
        -2ul,
        -3ul,
        0,
    };
    static long (*const calls[])(void *) = {status_at, poll_at, list_at, operation_at, send_at};
    unsigned int wrong = 0;

    for (unsigned int i = 0; i < ARRAY_SIZE(places); i++)
        for (unsigned int c = 0; c < ARRAY_SIZE(calls); c++) {
            long rc = calls[c]((void *)places[i]);

            if (rc == -XEN_EFAULT)
                continue;
            wrong++;
            printf("smp-copies: call %u at 0x%lx: %ld\n", c, places[i], rc);
        }
    CHECK_EQ(wrong, 0, "what is the hypervisor's, or nobody's, is not read or written");
}

static void tally(long rc)
{
    if (!rc)
        done++;
    else if (rc == -XEN_EFAULT)
        faults++;
    else if (rc != -XEN_EINVAL && rc != -XEN_ESRCH && rc != -XEN_EPERM && rc != -XEN_ENOENT)
        others++;
}

/* The results are -EFAULT, or that the port is a VIRQ's: even words. */
static void call(void *arg)
{
    struct multicall_entry *list = (void *)(border - sizeof(list->op));
    struct evtchn_status *status = (void *)(border - offsetof(struct evtchn_status, status));

    (void)arg;
    while (!__atomic_load_n(&through, __ATOMIC_SEQ_CST)) {
        __atomic_store_n(&list->op, __HYPERVISOR_event_channel_op, __ATOMIC_SEQ_CST);
        tally(list_at(list));
        status->dom = DOMID_SELF;
        status->port = timer_port;
        tally(status_at(status));
        tally(poll_at(border - 2));
        test_rest();
    }
}

static bool differs(const uint64_t *page, const uint64_t *was)
{
    for (unsigned int i = 0; i < PAGE_SIZE / sizeof(*page); i++)
        if (page[i] != was[i])
            return true;
    return false;
}

/* Read-only and a table, with no flush asked for: 1, or 0 when it cannot be. */
static unsigned int as_table(unsigned long va, pte_t pte, unsigned int *written)
{
    static uint64_t was[PAGE_SIZE / sizeof(uint64_t)];
    unsigned long mfn = pte_mfn(pte);

    if (HYPERVISOR_update_va_mapping(va, pte & ~PTE_RW, 0) ||
        test_mmuext(MMUEXT_PIN_L1_TABLE, mfn, 0))
        return 0;
    memcpy(was, border, sizeof(was));
    for (unsigned int i = 0; i < RESTS; i++) {
        test_rest();
        *written += differs((uint64_t *)border, was);
    }
    test_mmuext(MMUEXT_UNPIN_TABLE, mfn, 0);
    return 1;
}

static void change(void)
{
    static const uint64_t numbers[] = {__HYPERVISOR_multicall, 100, ~0ul};
    unsigned long va = (unsigned long)border;
    pte_t pte = *pt_walk(pt_root, va, 1);
    unsigned int tables = 0, written = 0;

    for (unsigned int i = 0; i < ROUNDS; i++) {
        memset(border, 0, PAGE_SIZE);
        test_rest();
        __atomic_store_n((uint64_t *)border - 1, numbers[i % ARRAY_SIZE(numbers)],
                         __ATOMIC_SEQ_CST);
        tables += as_table(va, pte, &written);
        NEED(!HYPERVISOR_update_va_mapping(va, 0, 0));
        test_rest();
        NEED(!HYPERVISOR_update_va_mapping(va, pte, i % 2 ? UVMF_INVLPG | UVMF_ALL : 0));
    }
    printf("smp-copies: %u calls, %u faults, %u tables\n", done, faults, tables);
    CHECK(done && faults, "calls go well when the page is there, and fail when it is not");
    CHECK_EQ(others, 0, "and have no other result");
    CHECK(tables > ROUNDS / 4, "the page can be made a table");
    CHECK_EQ(written, 0, "and no hypercall writes to it then");
}

/* The port of vCPU 0's timer, which is VIRQ 0. */
static evtchn_port_t find_timer(void)
{
    for (evtchn_port_t port = 1; port < PORTS; port++) {
        struct evtchn_status status = {.dom = DOMID_SELF, .port = port};

        if (!status_at(&status) && status.status == EVTCHNSTAT_virq && !status.u.virq &&
            !status.vcpu)
            return port;
    }
    return 0;
}

void test_main(void)
{
    border = pages_alloc(2);
    NEED(border);
    border += PAGE_SIZE;
    ends();
    timer_port = find_timer();
    NEED(timer_port);
    if (test_vcpus() < 2) {
        test_skip("the domain has one vCPU only");
        return;
    }
    NEED(!smp_start(1, call, NULL));
    change();
    through = true;
    while (HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, NULL))
        test_rest();
}
