/* SPDX-License-Identifier: MIT */
/*
 * load: uses processors in the way that it is told, and says how much of them it got.
 *
 * All vCPUs do the same work. What each spent running, waiting and asleep between two moments of
 * system time (which is one clock for all domains) comes from VCPUOP_get_runstate_info, so that
 * domains which share a machine can be compared over the very same window. The result is one line
 *
 *     LOAD name=a work=spin vcpus=2 share=... ran=... waited=... blocked=... turns=...
 *
 * of all vCPUs together: nanoseconds, millionths of a CPU that they had, and how many turns ended
 * in the window. The first vCPU that runs after each of the two moments reads the times of all.
 *
 * With end=0 it works until the domain is ended, and each key on its console asks how far it is:
 *
 *     load: answer 1: turns 217 220 198 201
 *
 * which each vCPU has made; a turn is made when all of it has worked.
 *
 * Command line:  name=WORD (load)  work=WORD (spin)  vcpus=N (1)  begin=MS (1000)  end=MS (3000)
 *                from_start=1: begin and end count from its own start
 *                peer=ID: of the work grants
 *                run=US (10000)  sleep=US (10000): of the works duty and latency
 *                grain=NS (2000): who computes says PAUSE so often. Nothing comes of it but where
 *                an emulator runs all CPUs in one thread: there it is another one's turn then, and
 *                the CPUs advance side by side
 */
#include <guest/console.h>
#include <guest/kernel.h>
#include <guest/time.h>

#include "load.h"

#define NS_PER_US 1000ul
#define NS_PER_MS 1000000ul

uint64_t run_ns, sleep_ns;

static uint64_t grain_ns;

static const struct work *work;
static unsigned int vcpus;
static uint64_t begin_ns, end_ns;
static uint64_t turns;
static volatile uint64_t made[MAX_VCPUS]; /* turns, of a load without end */
static unsigned int done;

/* What all vCPUs have spent, at one moment. */
static struct totals {
    bool taken;
    uint64_t at, time[4]; /* by RUNSTATE_* */
} before, after;

bool in_window(void)
{
    return READ_ONCE(before.taken) && !READ_ONCE(after.taken);
}

bool time_is_up(void)
{
    return end_ns && time_system_ns() >= (READ_ONCE(before.taken) ? end_ns : begin_ns);
}

void run_until(uint64_t ns)
{
    while (time_system_ns() < ns) {
        uint64_t now = time_system_ns(), pause = now + grain_ns;

        while (now < pause && now < ns)
            now = time_system_ns();
        cpu_relax();
    }
}

void sleep_until(uint64_t ns)
{
    while (time_system_ns() < ns)
        sched_poll(NULL, 0, ns);
}

/* The first vCPU that comes reads the times of all. */
static void take(struct totals *t)
{
    vcpu_runstate_info_t info;

    if (__atomic_exchange_n(&t->taken, true, __ATOMIC_SEQ_CST))
        return;
    t->at = time_system_ns();
    for (unsigned int v = 0; v < vcpus; v++) {
        long rc = HYPERVISOR_vcpu_op(VCPUOP_get_runstate_info, v, &info);

        BUG_ON(rc);
        for (unsigned int i = 0; i < ARRAY_SIZE(info.time); i++)
            t->time[i] += info.time[i];
    }
}

static void one_turn(unsigned int vcpu)
{
    work->turn(vcpu);
    cpu_relax();
}

static void answer(void)
{
    static unsigned int answers;

    while (console_getc() >= 0)
        ;
    printf("load: answer %u: turns", ++answers);
    for (unsigned int v = 0; v < vcpus; v++)
        printf(" %lu", made[v]);
    printf("\n");
}

static void for_ever(unsigned int vcpu)
{
    for (;; made[vcpu]++) {
        one_turn(vcpu);
        if (!vcpu && console_has_input())
            answer();
    }
}

static void one_vcpu(void *arg)
{
    unsigned int vcpu = this_cpu()->id;
    uint64_t mine = 0;

    (void)arg;
    if (!end_ns)
        for_ever(vcpu);
    while (time_system_ns() < begin_ns)
        one_turn(vcpu);
    take(&before);
    while (time_system_ns() < end_ns) {
        one_turn(vcpu);
        mine += time_system_ns() < end_ns;
    }
    take(&after);
    __atomic_fetch_add(&turns, mine, __ATOMIC_SEQ_CST);
    __atomic_fetch_add(&done, 1, __ATOMIC_SEQ_CST);
}

static bool set_up(void)
{
    char name[16] = "spin";

    cmdline_get("work", name, sizeof(name));
    for (work = works; work->name && strcmp(work->name, name); work++)
        ;
    if (!work->name) {
        printf("load: there is no work \"%s\"; there are:", name);
        for (work = works; work->name; work++)
            printf(" %s", work->name);
        printf("\n");
        return false;
    }
    if (!vcpus || vcpus > MAX_VCPUS || (end_ns && begin_ns >= end_ns)) {
        printf("load: vcpus is 1 to %u, and begin comes before end, or end is 0\n", MAX_VCPUS);
        return false;
    }
    return true;
}

int guest_main(void)
{
    uint64_t spent[4], window;
    char name[32] = "load", latencies[128];
    int rc = 0;

    cmdline_get("name", name, sizeof(name));
    vcpus = (unsigned int)cmdline_number("vcpus", 1);
    begin_ns = cmdline_number("begin", 1000) * NS_PER_MS;
    end_ns = cmdline_number("end", 3000) * NS_PER_MS;
    grain_ns = cmdline_number("grain", 2000);
    if (end_ns && cmdline_number("from_start", 0)) {
        begin_ns += time_system_ns();
        end_ns += time_system_ns();
    }
    run_ns = cmdline_number("run", 10000) * NS_PER_US;
    sleep_ns = cmdline_number("sleep", 10000) * NS_PER_US;
    if (!set_up())
        return 1;
    if (work->prepare)
        rc = work->prepare();
    for (unsigned int i = 1; i < vcpus && !rc; i++)
        rc = smp_start(i, one_vcpu, NULL);
    if (rc) {
        printf("load: cannot begin: %d\n", rc);
        return 1;
    }
    if (!end_ns) {
        printf("load: works until it is ended\n");
    } else if (time_system_ns() >= begin_ns) {
        printf("load: came too late: begin=%lu has passed\n", begin_ns / NS_PER_MS);
        return 1;
    }
    one_vcpu(NULL);
    while (__atomic_load_n(&done, __ATOMIC_SEQ_CST) < vcpus)
        sched_yield();
    window = after.at - before.at;
    for (unsigned int i = 0; i < ARRAY_SIZE(spent); i++)
        spent[i] = after.time[i] - before.time[i];
    latency_text(latencies, sizeof(latencies));
    /* In one piece: other domains print to the same console at this very moment. */
    printf("LOAD name=%s work=%s vcpus=%u share=%lu ran=%lu waited=%lu blocked=%lu turns=%lu%s\n",
           name, work->name, vcpus, spent[RUNSTATE_running] * 1000000 / window,
           spent[RUNSTATE_running], spent[RUNSTATE_runnable], spent[RUNSTATE_blocked], turns,
           latencies);
    return 0;
}
