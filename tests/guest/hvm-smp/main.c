/* SPDX-License-Identifier: MIT */
/*
 * Shows: vCPUs start each other as processors do, by INIT and SIPI, at the page that SIPI says in
 * real mode, again and again; SIPI alone is nothing to one that runs. They send each other
 * interrupts and NMIs, to one, to all others, by logical destination; HLT with interrupts off ends
 * by NMI. Each has a local APIC of its own, with the id that ACPI's MADT says. Who has sent itself
 * INIT, or was sent it, waits for SIPI, and an NMI makes no difference then; but with nmi_waits=1
 * none is sent: Xen gives it to what SIPI starts, in real mode, where nobody can take it.
 *
 * With one vCPU there is nothing to see.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-smp";

#define VECTOR 0x50
#define NMI    2
#define STARTS 60 /* about, each time */

static volatile unsigned int taken[MOST_CPUS], nmis[MOST_CPUS], ids[MOST_CPUS];
static volatile bool stop;
static unsigned int vcpus;

static bool interrupt(struct trap_regs *regs)
{
    (void)regs;
    taken[this_cpu()->id]++;
    lapic_eoi();
    return true;
}

static bool nmi(struct trap_regs *regs)
{
    (void)regs;
    nmis[this_cpu()->id]++;
    return true;
}

static unsigned int count_vcpus(void)
{
    unsigned int n = 0;

    while (acpi_apic_id(n) >= 0)
        n++;
    return n;
}

static void say_id(void *arg)
{
    uint32_t out[4];

    (void)arg;
    cpuid(1, 0, out);
    ids[this_cpu()->id] = lapic_read(LAPIC_ID) >> 24 == out[1] >> 24 ? out[1] >> 24 : ~0u;
}

/* By its number; all others are reached without. */
static void send_to(unsigned int vcpu, uint32_t icr)
{
    lapic_send((uint32_t)acpi_apic_id(vcpu), icr);
}

static void start_and_stop(void)
{
    for (unsigned int round = 0; round * vcpus < STARTS; round++)
        for (unsigned int v = 1; v < vcpus; v++) {
            ids[v] = 0;
            NEED(!smp_start(v, say_id, NULL));
            while (!ids[v])
                cpu_relax();
            CHECK_EQ(ids[v], acpi_apic_id(v), "it starts, and is who it should be");
        }
}

static void wait_with_interrupts(void *arg)
{
    (void)arg;
    ids[this_cpu()->id] = 1000;
    while (!stop) {
        sti_hlt();
        cli();
    }
    ids[this_cpu()->id] = 2000;
}

static void all_say(unsigned int what)
{
    for (unsigned int v = 1; v < vcpus; v++)
        while (ids[v] != what)
            cpu_relax();
}

static void all_have(const volatile unsigned int *count, unsigned int n)
{
    for (unsigned int v = 1; v < vcpus; v++)
        while (count[v] < n)
            cpu_relax();
}

static void interrupts(void)
{
    for (unsigned int v = 1; v < vcpus; v++)
        NEED(!smp_start(v, wait_with_interrupts, NULL));
    all_say(1000);
    for (unsigned int i = 1; i <= 100; i++) {
        lapic_send(0, ICR_FIXED | ICR_OTHERS | VECTOR);
        all_have(taken, i);
    }
    for (unsigned int v = 1; v < vcpus; v++)
        send_to(v, ICR_FIXED | VECTOR);
    all_have(taken, 101);
    CHECK_EQ(taken[0], 0, "none came to who sent them");
    lapic_send(0, ICR_STARTUP | ICR_OTHERS | 1);
    lapic_send(0, ICR_NMI | ICR_OTHERS);
    all_have(nmis, 1);
    CHECK_EQ(nmis[0], 0, "nor an NMI");
    stop = true;
    lapic_send(0, ICR_FIXED | ICR_OTHERS | VECTOR);
    all_say(2000);
    for (unsigned int v = 1; v < vcpus; v++)
        CHECK(taken[v] >= 101 && taken[v] <= 102, "each took what was sent, once");
}

static void halt_with_interrupts_off(void *arg)
{
    (void)arg;
    cli();
    ids[this_cpu()->id] = 3000;
    __asm__ volatile("hlt" : : : "memory");
    ids[this_cpu()->id] = 4000;
}

static void nmi_ends_halt(void)
{
    for (unsigned int v = 1; v < vcpus; v++)
        NEED(!smp_start(v, halt_with_interrupts_off, NULL));
    all_say(3000);
    lapic_send(0, ICR_FIXED | ICR_OTHERS | VECTOR);
    for (unsigned int v = 1; v < vcpus; v++) {
        unsigned int before = nmis[v];

        while (ids[v] != 4000) { /* it may have come before HLT */
            send_to(v, ICR_NMI);
            for (unsigned int i = 0; i < 1000 && ids[v] != 4000; i++)
                cpu_relax();
        }
        CHECK(nmis[v] > before, "an NMI ends HLT with interrupts off");
    }
}

/* One that spins is taken away in the midst of it. */
static void spin(void *arg)
{
    (void)arg;
    for (;;)
        ids[this_cpu()->id]++;
}

/* What follows is done by nobody. */
static void reset_itself(void *arg)
{
    (void)arg;
    cli();
    ids[this_cpu()->id] = 5000;
    lapic_send(0, ICR_INIT | ICR_SELF);
    ids[this_cpu()->id] = 6000;
}

static void init_to_oneself(void)
{
    for (unsigned int v = 1; v < vcpus; v++)
        NEED(!smp_start(v, reset_itself, NULL));
    all_say(5000);
    for (unsigned int i = 0; i < 1000; i++)
        (void)inb(0x80);
    for (unsigned int v = 1; v < vcpus; v++) {
        CHECK_EQ(ids[v], 5000, "INIT to itself is the last that it does");
        smp_reset(v);
    }
    start_and_stop();
}

/* It waits for SIPI: an NMI does not start it, and does not come when something else does. */
static void nmi_to_who_waits(unsigned int v, unsigned int count)
{
    unsigned int before = nmis[v];

    if (!cmdline_number("nmi_waits", 0))
        send_to(v, ICR_NMI);
    for (unsigned int i = 0; i < 200; i++)
        (void)inb(0x80);
    CHECK_EQ(ids[v], count, "an NMI does not start who waits for SIPI");
    smp_reset(v);
    NEED(!smp_start(v, say_id, NULL));
    while (ids[v] == count)
        cpu_relax();
    CHECK_EQ(nmis[v], before, "nor is it for what begins then");
}

static void init_to_one_that_runs(void)
{
    for (unsigned int v = 1; v < vcpus; v++) {
        unsigned int count;

        NEED(!smp_start(v, spin, NULL));
        count = ids[v];
        while (ids[v] == count)
            cpu_relax();
    }
    lapic_send(0, ICR_INIT | ICR_OTHERS);
    for (unsigned int v = 1; v < vcpus; v++) {
        unsigned int count = ids[v], tries = 0;

        while (ids[v] != count || ++tries < 1000) { /* until it stands */
            count = ids[v];
            (void)inb(0x80);
        }
        nmi_to_who_waits(v, count);
    }
    start_and_stop();
}

void test_main(void)
{
    vcpus = count_vcpus();
    printf("hvm-smp: %u vCPUs\n", vcpus);
    trap_set_handler(VECTOR, interrupt);
    trap_set_handler(NMI, nmi);
    CHECK_EQ(lapic_read(LAPIC_ID), 0, "vCPU 0 has APIC id 0");
    start_and_stop();
    interrupts();
    nmi_ends_halt();
    init_to_oneself();
    init_to_one_that_runs();
}
