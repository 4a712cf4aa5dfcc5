/* SPDX-License-Identifier: MIT */
/*
 * Shows: vCPUs may do to each other whatever they want, at the same time, and all of them still
 * run in the end.
 *
 * First contexts: two vCPUs give a third its first context at once; one does. Storm: each takes
 * the others down and up, asks how they are, gives them contexts they cannot have, moves its
 * run-state and time areas and theirs, sets timers on them. The first stays up, or the domain would
 * have powered off. Then all are up, and each can be spoken to.
 *
 * Of times: no run state that is asked for goes back.
 */
#include "test.h"

const char test_name[] = "smp-vcpus";

#define MOST  8u
#define STORM 1500u
#define LATER 100000000ul

static unsigned int vcpus;
static unsigned int started[MOST], alive[MOST], odd;
static uint64_t most_time[MOST][MOST]; /* [who asked][of whom] */
static void *area[MOST][2];

static long op(int cmd, unsigned int vcpu, void *arg)
{
    return HYPERVISOR_vcpu_op(cmd, vcpu, arg);
}

/* ---- two give a third its first context ---- */

static vcpu_guest_context_t first[2];
static unsigned int ready, gave, refused;

static void wake_up(unsigned long id)
{
    percpu_init((unsigned int)id);
    for (;;) {
        started[id]++;
        HYPERVISOR_vcpu_op(VCPUOP_down, (unsigned int)id, NULL);
    }
}

static void give(unsigned int me)
{
    long rc;

    if (me > 1)
        return;
    __atomic_add_fetch(&ready, 1, __ATOMIC_SEQ_CST);
    while (__atomic_load_n(&ready, __ATOMIC_SEQ_CST) < 2)
        cpu_relax();
    rc = op(VCPUOP_initialise, vcpus - 1, &first[me]);
    __atomic_add_fetch(rc ? &refused : &gave, 1, __ATOMIC_SEQ_CST);
    odd += rc && rc != -XEN_EEXIST;
}

static void give_too(void *arg)
{
    (void)arg;
    give(1);
}

static void first_contexts(void)
{
    unsigned int third = vcpus - 1;

    for (unsigned int i = 0; i < 2; i++) {
        vcpu_guest_context_t *c = &first[i];
        char *stack = pages_alloc(2);

        NEED(stack);
        c->flags = VGCF_IN_KERNEL;
        c->user_regs.rip = (unsigned long)wake_up;
        c->user_regs.rdi = third;
        c->user_regs.rsp = (unsigned long)stack + 2 * PAGE_SIZE - 8;
        c->user_regs.cs = FLAT_KERNEL_CS;
        c->user_regs.ss = c->kernel_ss = FLAT_KERNEL_SS;
        c->kernel_sp = c->user_regs.rsp + 8;
        c->ctrlreg[3] = xen_pfn_to_cr3(virt_to_mfn(pt_root));
    }
    NEED(!smp_start(1, give_too, NULL));
    give(0);
    while (op(VCPUOP_is_up, 1, NULL))
        test_rest();
    CHECK_EQ(gave, 1, "one of two gives a vCPU its first context");
    CHECK_EQ(refused, 1, "the other is told that it has one");
    CHECK_EQ(op(VCPUOP_up, third, NULL), 0, "with which it comes up");
    while (op(VCPUOP_is_up, third, NULL))
        test_rest();
    CHECK_EQ(started[third], 1, "and runs");
}

/* ---- storm ---- */

static void look(unsigned int me, unsigned int at)
{
    struct vcpu_runstate_info info;
    uint64_t sum = 0;

    if (op(VCPUOP_get_runstate_info, at, &info) || (unsigned int)info.state > RUNSTATE_offline)
        odd++;
    for (unsigned int i = 0; i < 4; i++)
        sum += info.time[i];
    odd += sum < most_time[me][at];
    most_time[me][at] = sum;
}

static void move_areas(unsigned int at, unsigned int which)
{
    struct vcpu_register_runstate_memory_area r = {.addr.p = (uint64_t)(uintptr_t)area[at][which]};
    struct vcpu_register_time_memory_area t;

    memset(&t, 0, sizeof(t));
    t.addr.p = (uint64_t)(uintptr_t)area[at][which] + 256;
    odd += op(VCPUOP_register_runstate_memory_area, at, &r) != 0;
    odd += op(VCPUOP_register_vcpu_time_memory_area, at, &t) != 0;
}

static void one_deed(unsigned int me, uint32_t r)
{
    unsigned int at = (r >> 8) % vcpus;
    struct vcpu_set_periodic_timer often = {.period_ns = LATER};
    static vcpu_guest_context_t none;
    long up;

    switch (r % 8) {
    case 0:
        up = op(VCPUOP_is_up, at, NULL);
        odd += up != 0 && up != 1;
        break;
    case 1:
        look(me, at);
        break;
    case 2:
        move_areas(at, r >> 31);
        break;
    case 3:
        odd += op(VCPUOP_initialise, at, &none) != -XEN_EEXIST;
        break;
    case 4:
        op(VCPUOP_set_periodic_timer, at, &often);
        op(VCPUOP_stop_periodic_timer, at, NULL);
        break;
    case 5:
        if (at)
            odd += op(VCPUOP_down, at, NULL) != 0;
        break;
    default:
        odd += op(VCPUOP_up, at, NULL) != 0;
    }
}

static unsigned int begun, through;

static void storm(unsigned int me)
{
    uint32_t random = me + 1;

    for (unsigned int i = 0; i < STORM; i++)
        one_deed(me, test_random(&random));
    __atomic_add_fetch(&through, 1, __ATOMIC_SEQ_CST);
    /* Whom others took down goes on when it is up again. */
    while (__atomic_load_n(&through, __ATOMIC_SEQ_CST) < vcpus) {
        for (unsigned int v = 1; v < vcpus; v++)
            odd += op(VCPUOP_up, v, NULL) != 0;
        test_rest();
    }
    alive[me]++;
}

static void storm_there(void *arg)
{
    (void)arg;
    while (!__atomic_load_n(&begun, __ATOMIC_SEQ_CST)) /* not all have a context yet */
        test_rest();
    storm(this_cpu()->id);
    for (;;) /* whoever takes it up once more */
        op(VCPUOP_down, this_cpu()->id, NULL);
}

void test_main(void)
{
    vcpus = test_vcpus();
    if (vcpus > MOST)
        vcpus = MOST;
    if (vcpus < 3)
        vcpus = 2;
    else
        first_contexts();
    if (vcpus > 2)
        vcpus--; /* the last one's context is not the kernel's */
    for (unsigned int v = 0; v < vcpus; v++)
        for (unsigned int i = 0; i < 2; i++)
            area[v][i] = test_page();
    for (unsigned int v = 1; v < vcpus; v++)
        NEED(!smp_start(v, storm_there, NULL));
    __atomic_store_n(&begun, 1, __ATOMIC_SEQ_CST);
    storm(0);
    for (unsigned int v = 1; v < vcpus; v++)
        while (!__atomic_load_n(&alive[v], __ATOMIC_SEQ_CST)) {
            odd += op(VCPUOP_up, v, NULL) != 0;
            test_rest();
        }
    for (unsigned int v = 0; v < vcpus; v++)
        CHECK_EQ(alive[v], 1, "each vCPU is through");
    CHECK_EQ(odd, 0, "and no answer was odd, and no time went back");
}
