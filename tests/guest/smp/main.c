/* SPDX-License-Identifier: MIT */
/*
 * Shows: a second vCPU can be given a state, started, sleep, be spoken to, stopped, and started
 * again; it shares memory and sees time as the first one does; bad states and bad vCPUs are
 * refused.
 *
 * XSA-327 (a vcpu_info at an unaligned place).
 */
#include "test.h"

const char test_name[] = "smp";

#define ROUNDS  2000u
#define NO_VCPU 99u
#define MS      1000000ul

static volatile unsigned int started, finished, sum, ipis_at_1, ipis_at_0;
static evtchn_port_t to_0, to_1;

static void at_0(evtchn_port_t port, void *ctx)
{
    (void)port;
    (void)ctx;
    ipis_at_0 += this_cpu()->id == 0;
}

static void at_1(evtchn_port_t port, void *ctx)
{
    (void)port;
    (void)ctx;
    ipis_at_1 += this_cpu()->id == 1;
}

static void second(void *arg)
{
    uint64_t error, *pages = arg;

    started = this_cpu()->id;
    for (unsigned int i = 0; i < ROUNDS; i++)
        __atomic_fetch_add(&sum, 1, __ATOMIC_SEQ_CST);
    /* Exceptions of this vCPU come to this vCPU. */
    if (probe_write((void *)0x10000, 0, &error) == TRAP_PAGE_FAULT)
        pages[0] = trap_fault_address();
    time_sleep_ns(MS); /* its own timer */
    pages[1] = time_system_ns();
    event_wait(ipis_at_1);
    event_send(to_0);
    finished++;
}

static long vcpu_op(int cmd, unsigned int vcpu, void *arg)
{
    return HYPERVISOR_vcpu_op(cmd, vcpu, arg);
}

static void refusals(void)
{
    static vcpu_guest_context_t empty;
    vcpu_register_vcpu_info_t info = {.mfn = virt_to_mfn(test_page()), .offset = 3};

    CHECK_EQ(vcpu_op(VCPUOP_is_up, 0, NULL), 1, "this vCPU is up");
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0, "the second one is not");
    CHECK_EQ(vcpu_op(VCPUOP_up, 1, NULL), -XEN_EINVAL, "and cannot run without a state");
    CHECK_EQ(vcpu_op(VCPUOP_is_up, NO_VCPU, NULL), -XEN_ENOENT, "there is no such vCPU");
    CHECK_EQ(vcpu_op(VCPUOP_initialise, NO_VCPU, &empty), -XEN_ENOENT, "nor to be initialised");
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, (void *)0x10000), -XEN_EFAULT,
             "a state in unmapped memory");
    empty.ctrlreg[3] = xen_pfn_to_cr3(0x100ul);
    CHECK(vcpu_op(VCPUOP_initialise, 1, &empty) < 0, "a root that is not ours");
    CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_info, 1, &info), -XEN_ENXIO,
             "XSA-327: an unaligned vcpu_info");
    info.offset = PAGE_SIZE - 8;
    CHECK_EQ(vcpu_op(VCPUOP_register_vcpu_info, 1, &info), -XEN_ENXIO, "one across a page");
    info = (vcpu_register_vcpu_info_t){.mfn = 0x100};
    CHECK(vcpu_op(VCPUOP_register_vcpu_info, 1, &info) < 0, "one in foreign memory");
    CHECK_EQ(vcpu_op(99, 0, NULL), -XEN_ENOSYS, "an unknown operation");
}

static void run_second(void)
{
    static uint64_t results[2];
    static vcpu_guest_context_t state;
    uint64_t before = time_system_ns();

    CHECK_EQ(smp_start(1, second, results), 0, "the second vCPU starts");
    while (!started)
        sched_yield();
    CHECK_EQ(started, 1, "it knows who it is");
    for (unsigned int i = 0; i < ROUNDS; i++)
        __atomic_fetch_add(&sum, 1, __ATOMIC_SEQ_CST);
    NEED(!event_bind_ipi(0, at_0, NULL, &to_0));
    NEED(!event_bind_ipi(1, at_1, NULL, &to_1));
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 1, "it is up");
    CHECK_EQ(vcpu_op(VCPUOP_initialise, 1, &state), -XEN_EEXIST, "and has a state already");
    CHECK_EQ(event_send(to_1), 0, "an IPI to it");
    event_wait(ipis_at_0);
    CHECK(ipis_at_1 >= 1 && ipis_at_0 >= 1, "is answered by one from it");
    while (vcpu_op(VCPUOP_is_up, 1, NULL))
        sched_yield();
    CHECK_EQ(finished, 1, "it takes itself down");
    CHECK_EQ(sum, 2 * ROUNDS, "both counted in the same memory");
    CHECK_EQ(results[0], 0x10000, "its page fault went to itself");
    CHECK(results[1] >= before + MS && results[1] <= time_system_ns(),
          "it has slept, and its time is between ours");
}

#define DR7_WRITE_8 0x90001ul /* breakpoint 0, at a write of eight bytes */

static uint64_t watched_at_0, watched_at_1;
static volatile unsigned int watching;

static void watch_at_1(void *arg)
{
    (void)arg;
    HYPERVISOR_set_debugreg(0, (unsigned long)&watched_at_1);
    watching = 1;
}

/* XSA-12 is about what a guest may watch; here, that each vCPU watches what it asked for. */
static void breakpoints(void)
{
    CHECK_EQ(HYPERVISOR_set_debugreg(0, (unsigned long)&watched_at_0), 0, "a breakpoint here");
    CHECK_EQ(smp_start(1, watch_at_1, NULL), 0, "and one there");
    while (!watching || vcpu_op(VCPUOP_is_up, 1, NULL))
        sched_yield();
    CHECK_EQ(HYPERVISOR_set_debugreg(7, DR7_WRITE_8), 0, "ours is switched on");
    CHECK_EQ(probe_write(&watched_at_1, 1, NULL), -1, "theirs does not hit here");
    CHECK_EQ(probe_write(&watched_at_0, 1, NULL), TRAP_DEBUG, "ours does");
    CHECK_EQ(HYPERVISOR_set_debugreg(7, 0), 0, "and off");
}

static void forever(void *arg)
{
    (void)arg;
    started = 2;
    for (;;)
        cpu_relax();
}

static void stop_and_go(void)
{
    static uint64_t results[2];

    started = 0;
    CHECK_EQ(smp_start(1, second, results), 0, "it can be started again");
    while (finished < 2)
        sched_yield();
    CHECK_EQ(finished, 2, "and ends again");
    while (vcpu_op(VCPUOP_is_up, 1, NULL))
        sched_yield();
    CHECK_EQ(smp_start(1, forever, NULL), 0, "once more, for ever");
    while (started != 2)
        sched_yield();
    CHECK_EQ(smp_stop(1), 0, "it can be taken down while it runs");
    CHECK_EQ(vcpu_op(VCPUOP_is_up, 1, NULL), 0, "and is down");
}

void test_main(void)
{
    long second_vcpu = HYPERVISOR_vcpu_op(VCPUOP_is_up, 1, NULL);

    if (second_vcpu == -XEN_ENOENT) {
        test_skip("the domain has one vCPU only");
        return;
    }
    refusals();
    run_second();
    breakpoints();
    stop_and_go();
}
