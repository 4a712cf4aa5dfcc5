/* SPDX-License-Identifier: MIT */
/*
 * The local APICs: end of interrupt, timer, interrupts between CPUs. And the 8259s, which are
 * masked and forgotten.
 *
 * Registers are in memory (xAPIC), or MSRs (x2APIC) where the CPU has that: one pair of functions
 * hides which. The timer is armed for one deadline at a time: by TSC value where the CPU can, else
 * as a count whose rate is measured against the TSC.
 */
#include <core/base/log.h>
#include <port/atomic.h>
#include <port/current.h>
#include <port/machine.h>

#include "insn.h"
#include "regs.h"
#include "x86.h"

enum {
    APIC_ID = 0x20,
    APIC_TPR = 0x80,
    APIC_EOI = 0xb0,
    APIC_SPURIOUS = 0xf0,
    APIC_ICR = 0x300,
    APIC_ICR2 = 0x310,
    APIC_LVT_TIMER = 0x320,
    APIC_LVT_LINT0 = 0x350,
    APIC_LVT_LINT1 = 0x360,
    APIC_LVT_ERROR = 0x370,
    APIC_TIMER_COUNT = 0x380,
    APIC_TIMER_NOW = 0x390,
    APIC_TIMER_DIVIDE = 0x3e0,
};
#define APIC_ENABLED     0x100
#define LVT_MASKED       0x10000
#define LVT_NMI          0x400
#define LVT_TSC_DEADLINE 0x40000
#define ICR_BUSY         0x1000
#define ICR_ASSERT       0x4000
#define MOST_POLLS       1000000u
#define BASE_BOOT_CPU    0x100
#define BASE_ENABLED     0x800
#define BASE_X2APIC      0x400
#define DIVIDE_BY_1      0xb
#define CALIBRATION_NS   MILLISECS(10)

static volatile uint32_t *registers; /* xAPIC; NULL: x2APIC */
static uint64_t apic_base;
static uint64_t timer_khz;

static uint32_t apic_read(uint32_t reg)
{
    return registers ? mmio_read(&registers[reg / 4]) : (uint32_t)rdmsr(MSR_X2APIC + reg / 16);
}

static void apic_write(uint32_t reg, uint32_t value)
{
    if (registers)
        mmio_write(&registers[reg / 4], value);
    else
        wrmsr(MSR_X2APIC + reg / 16, value);
}

void apic_eoi(void)
{
    apic_write(APIC_EOI, 0);
}

uint32_t apic_id(void)
{
    return registers ? apic_read(APIC_ID) >> 24 : apic_read(APIC_ID);
}

bool apic_can_reach(uint32_t id)
{
    return !registers || id < 0xff;
}

void apic_send_ipi(uint32_t id, uint32_t what)
{
    if (!registers) {
        mfence_lfence(); /* this write would not wait for those of before */
        wrmsr(MSR_X2APIC + APIC_ICR / 16, (uint64_t)id << 32 | ICR_ASSERT | what);
        return;
    }
    for (unsigned int i = 0; i < MOST_POLLS && (apic_read(APIC_ICR) & ICR_BUSY); i++)
        cpu_relax();
    apic_write(APIC_ICR2, id << 24);
    apic_write(APIC_ICR, ICR_ASSERT | what);
}

void pic_disable(void)
{
    outb(0x21, 0xff);
    outb(0xa1, 0xff);
}

void start_apic(void)
{
    uint64_t base = rdmsr(MSR_APIC_BASE);
    bool is_boot_cpu = base & BASE_BOOT_CPU;
    static const uint32_t masked[] = {APIC_LVT_TIMER, APIC_LVT_LINT0, APIC_LVT_ERROR};

    base = apic_base | (base & (BASE_BOOT_CPU | BASE_X2APIC)) | BASE_ENABLED;
    wrmsr(MSR_APIC_BASE, base);
    if (cpu_has.x2apic)
        wrmsr(MSR_APIC_BASE, base | BASE_X2APIC);
    for (unsigned int i = 0; i < ARRAY_SIZE(masked); i++)
        apic_write(masked[i], LVT_MASKED);
    /* The machine's NMI line goes to all of them: one has to say it. */
    apic_write(APIC_LVT_LINT1, LVT_NMI | (is_boot_cpu ? 0 : LVT_MASKED));
    apic_write(APIC_TPR, 0);
    apic_write(APIC_SPURIOUS, APIC_ENABLED | VECTOR_SPURIOUS);
    apic_eoi(); /* whatever the firmware left in service */
}

void init_apic(void)
{
    apic_base = rdmsr(MSR_APIC_BASE) & 0xffffff000ull;
    if (!cpu_has.x2apic) {
        registers = map_physical(apic_base, PAGE_SIZE, MAP_UNCACHED);
        BUG_ON(!registers);
    }
    start_apic();
}

static void calibrate_timer(void)
{
    uint64_t start, end;
    uint32_t count;

    start = clock_ticks();
    apic_write(APIC_TIMER_COUNT, 0xffffffff);
    end = start + clock_ticks_for(CALIBRATION_NS);
    while (clock_ticks() < end)
        cpu_relax();
    count = apic_read(APIC_TIMER_NOW);
    end = clock_ticks();
    apic_write(APIC_TIMER_COUNT, 0);
    timer_khz = mul_div(0xffffffff - count, clock_khz(), end - start);
    if (!timer_khz)
        panic("the local APIC's timer does not count");
}

void apic_start_timer(void)
{
    apic_write(APIC_TIMER_DIVIDE, DIVIDE_BY_1);
    apic_write(APIC_LVT_TIMER, VECTOR_TIMER | (cpu_has.tsc_deadline ? LVT_TSC_DEADLINE : 0));
    mfence_lfence(); /* xAPIC: the mode must be set before the deadline's MSR is written */
}

void apic_timer_init(void)
{
    apic_start_timer();
    if (cpu_has.tsc_deadline) {
        log_info("timer: TSC deadline");
        return;
    }
    calibrate_timer();
    log_info("timer: local APIC, %lu.%03lu MHz", timer_khz / 1000, timer_khz % 1000);
}

void machine_arm_timer(s_time_t deadline)
{
    uint64_t ticks = clock_ticks(), count;
    s_time_t left = MAX(deadline - clock_at(ticks), 0);

    if (cpu_has.tsc_deadline) {
        wrmsr(MSR_TSC_DEADLINE, deadline == INT64_MAX ? 0 : ticks + clock_ticks_for(left));
        return;
    }
    if (deadline == INT64_MAX) {
        apic_write(APIC_TIMER_COUNT, 0);
        return;
    }
    count = mul_div((uint64_t)MIN(left, SECONDS(3600)), timer_khz, 1000000);
    /* Never early by rounding; a deadline too far for the counter comes back here by itself. */
    apic_write(APIC_TIMER_COUNT, (uint32_t)MIN(count + 1, 0xffffffffull));
}

void machine_kick(unsigned int cpu)
{
    if (cpu != this_cpu()->id)
        apic_send_ipi(cpu_by_id(cpu)->arch.apic_id, VECTOR_KICK);
}
