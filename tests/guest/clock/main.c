/* SPDX-License-Identifier: MIT */
/*
 * Shows: time is one for all vCPUs. Each reads it by its own pvclock and by a registered copy of
 * another's, and compares with the latest time that any of them has seen; meanwhile they sleep,
 * yield and compete, so that the scheduler moves them from CPU to CPU. And what a vCPU spent in its
 * run states is, together, all the time that passed.
 *
 * Where the hypervisor says that time is stable, or `strict=1` is on the command line, it never
 * goes back at all; elsewhere by no more than clocks of two processors may differ. That vCPUs moved
 * is shown by CPUID, and asked for by `moves=N`.
 *
 * vCPUs: as many as the domain has, 8 at most.
 */
#include "test.h"

const char test_name[] = "clock";

#define MOST_VCPUS 8u
#define READINGS   20000u
#define NAP        200000ul   /* ns */
#define SKEW       20000000ul /* ns */
#define ROUNDING   4ul        /* ns: of one reading, by guest and hypervisor */

static uint64_t latest;   /* time that some vCPU has seen */
static uint64_t backward; /* how often one saw less, and by how much at most */
static uint64_t furthest;
static uint64_t moves; /* how often one found itself on another CPU */
static unsigned int vcpus, done;
static vcpu_time_info_t *copy; /* of vCPU 0's, for all */
static bool strict;

static uint64_t read_clock(const volatile vcpu_time_info_t *t)
{
    uint64_t ticks, now;
    uint32_t version;

    do {
        version = t->version;
        ticks = rdtsc() - t->tsc_timestamp;
        ticks = t->tsc_shift >= 0 ? ticks << t->tsc_shift : ticks >> -t->tsc_shift;
        now = t->system_time + (uint64_t)((unsigned __int128)ticks * t->tsc_to_system_mul >> 32);
        barrier();
    } while ((version & 1) || version != t->version);
    return now;
}

static void raise_to(uint64_t *max, uint64_t value)
{
    uint64_t old = __atomic_load_n(max, __ATOMIC_SEQ_CST);

    while (old < value && !__atomic_compare_exchange_n(max, &old, value, false, __ATOMIC_SEQ_CST,
                                                       __ATOMIC_SEQ_CST))
        ;
}

static void look(const volatile vcpu_time_info_t *t)
{
    uint64_t seen = __atomic_load_n(&latest, __ATOMIC_SEQ_CST), now = read_clock(t);

    if (now < seen) {
        __atomic_fetch_add(&backward, 1, __ATOMIC_SEQ_CST);
        raise_to(&furthest, seen - now);
    }
    raise_to(&latest, now);
}

static void reader(void *arg)
{
    const vcpu_time_info_t *own = &this_cpu()->info->time;
    unsigned int was = test_physical_cpu(), cpu;

    (void)arg;
    for (unsigned int i = 0; i < READINGS; i++) {
        look(own);
        if (copy && (copy->flags & XEN_PVCLOCK_TSC_STABLE_BIT))
            look(copy);
        cpu = test_physical_cpu();
        if (cpu != was)
            __atomic_fetch_add(&moves, 1, __ATOMIC_SEQ_CST);
        was = cpu;
        if (i % 64 == 0)
            sched_yield();
        if (i % 1024 == this_cpu()->id)
            sched_poll(NULL, 0, read_clock(own) + NAP);
    }
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
}

struct sample {
    uint64_t before, after; /* when it was taken */
    uint64_t sum;           /* of all states */
};

static struct sample sample(unsigned int vcpu)
{
    vcpu_runstate_info_t info;
    struct sample s = {.before = time_system_ns()};

    if (HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, vcpu, &info))
        test_error("no run state of vCPU %u", vcpu);
    s.after = time_system_ns();
    for (unsigned int i = 0; i < ARRAY_SIZE(info.time); i++)
        s.sum += info.time[i];
    return s;
}

static void check_states(unsigned int vcpu, const struct sample *from)
{
    struct sample to = sample(vcpu);
    uint64_t passed = to.sum - from->sum, slack = strict ? ROUNDING : SKEW;

    CHECK(passed + slack >= to.before - from->after, "no time is missing from the run states");
    CHECK(passed <= to.after - from->before + slack, "nor is any counted twice");
}

static void compete(void)
{
    struct sample from[MOST_VCPUS];

    for (unsigned int i = 0; i < vcpus; i++)
        from[i] = sample(i);
    for (unsigned int i = 1; i < vcpus; i++)
        NEED(!smp_start(i, reader, NULL));
    reader(NULL);
    while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < vcpus)
        sched_poll(NULL, 0, time_system_ns() + NAP);
    printf("clock: vCPUs moved %lu times\n", moves);
    CHECK(moves >= cmdline_number("moves", 0), "they move as often as the command line says");
    if (strict)
        CHECK_EQ(backward, 0, "time never goes back, whoever reads it");
    CHECK(furthest <= SKEW, "it never goes back far");
    if (backward)
        printf("clock: %lu readings were too low, by %lu ns at most\n", backward, furthest);
    for (unsigned int i = 0; i < vcpus; i++)
        check_states(i, &from[i]);
}

void test_main(void)
{
    const vcpu_time_info_t *own = &this_cpu()->info->time;
    bool stable = own->flags & XEN_PVCLOCK_TSC_STABLE_BIT;
    vcpu_register_time_memory_area_t area;

    while (vcpus < MOST_VCPUS && HYPERVISOR_vcpu_op(VCPUOP_is_up, vcpus, NULL) >= 0)
        vcpus++;
    strict = cmdline_number("strict", stable);
    printf("clock: %u vCPUs, time is %s\n", vcpus, stable ? "stable" : "not stable");
    copy = test_page();
    area.addr.v = copy;
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area), 0,
             "a copy for user mode is registered");
    CHECK_EQ(copy->flags, own->flags, "and says the same");
    CHECK(copy->tsc_to_system_mul == own->tsc_to_system_mul, "in the same scale");
    CHECK(!(copy->version & 1), "it is whole");
    compete();
    area.addr.v = NULL;
    CHECK_EQ(HYPERVISOR_vcpu_op(VCPUOP_register_vcpu_time_memory_area, 0, &area), 0,
             "it can be given up");
}
