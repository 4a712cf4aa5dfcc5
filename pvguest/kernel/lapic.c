/* SPDX-License-Identifier: MIT */
/*
 * The local APIC of a fully virtualized CPU. Its registers are in memory (xAPIC), or, once bit 10
 * of its base MSR is set, MSRs (x2APIC), where ICR is one of 64 bits.
 */
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/machine.h>
#include <guest/pagetable.h>

#define BASE_X2APIC  (1ul << 10)
#define SVR_ENABLED  0x100u
#define SPURIOUS     0xffu
#define ICR_IS_BUSY  0x1000u
#define UNCACHED_PTE (PTE_KERNEL_RW | PTE_NX | PTE_PCD | PTE_PWT)

static volatile uint32_t *page;

static bool in_msrs(void)
{
    return rdmsr(MSR_APIC_BASE) & BASE_X2APIC;
}

static bool spurious(struct trap_regs *regs)
{
    (void)regs; /* there is no EOI for it */
    return true;
}

void lapic_init(void)
{
    unsigned long mfn = LAPIC_PADDR >> PAGE_SHIFT;

    if (!page)
        page = map_frames(&mfn, 1, UNCACHED_PTE);
    BUG_ON(!page);
    trap_set_handler(SPURIOUS, spurious);
    lapic_write(LAPIC_SVR, SVR_ENABLED | SPURIOUS);
}

uint32_t lapic_read(unsigned int offset)
{
    if (in_msrs())
        return (uint32_t)rdmsr(MSR_X2APIC + offset / 16);
    return mmio_read(&page[offset / 4]);
}

void lapic_write(unsigned int offset, uint32_t value)
{
    if (in_msrs())
        wrmsr(MSR_X2APIC + offset / 16, value);
    else
        mmio_write(&page[offset / 4], value);
}

void lapic_eoi(void)
{
    lapic_write(LAPIC_EOI, 0);
}

void lapic_send(uint32_t destination, uint32_t icr)
{
    if (in_msrs()) {
        wrmsr(MSR_X2APIC + LAPIC_ICR / 16, (uint64_t)destination << 32 | icr);
        return;
    }
    lapic_write(LAPIC_ICR_HIGH, destination << 24);
    lapic_write(LAPIC_ICR, icr);
    while (lapic_read(LAPIC_ICR) & ICR_IS_BUSY)
        cpu_relax();
}
