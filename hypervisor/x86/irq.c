/* SPDX-License-Identifier: MIT */
/*
 * Hardware interrupts: from vector to irq to the domain that has it.
 *
 * irqs 0 to irq_nr_gsis() - 1 are lines of the IOAPICs, those above are messages (msi.c). Each that
 * is in use has a vector of its own, which is the same on all CPUs, so an irq can be moved to
 * another CPU by changing its destination and nothing else: one that is under way arrives where it
 * was sent and is taken there. Who has it says where to (irq_set_cpu()); the first is the boot CPU.
 * A line that is level triggered is masked when it interrupts and unmasked by irq_unmask() (the
 * guest's EOI), because until the device has been served it would interrupt for ever; the local
 * APIC gets its EOI at once in all cases. What nobody asked for is masked and said once.
 *
 * Race: a domain that is found here outlives the lock, for only the control domain has hardware,
 * and it ends with the machine.
 *
 * Lock: irq_lock (RANK_IRQ) guards all tables here and the IOAPIC registers; pirq_raise() is called
 * without it.
 */
#include <core/base/console_out.h>
#include <core/base/log.h>
#include <core/state/domain.h>
#include <port/current.h>
#include <port/lock.h>
#include <port/machine.h>
#include <port/upcalls.h>
#include <xen/errno.h>

#include "acpi.h"
#include "ioapic.h"
#include "irq_internal.h"
#include "x86.h"

#define VECTOR_LINUX_SYSCALL 0x80 /* left out: guests use INT 0x80 */
#define NR_VECTORS           256
#define MOVE_PAUSE           MILLISECS(10)

static spinlock_t irq_lock = SPINLOCK_INIT(RANK_IRQ);
static struct irq irqs[NR_IRQS];
static uint16_t vector_irq[NR_VECTORS]; /* irq + 1; 0: none */
static unsigned int spurious_said;

static uint8_t alloc_vector(unsigned int irq)
{
    for (unsigned int v = VECTOR_FIRST; v <= VECTOR_LAST; v++) {
        if (v != VECTOR_LINUX_SYSCALL && !vector_irq[v]) {
            vector_irq[v] = (uint16_t)(irq + 1);
            return (uint8_t)v;
        }
    }
    return 0;
}

static bool is_line(unsigned int irq)
{
    return irq < irq_nr_gsis();
}

static void set_mask(unsigned int irq, bool masked)
{
    irqs[irq].masked = masked;
    if (is_line(irq))
        ioapic_mask(irq, masked);
    else if (irqs[irq].msi.used)
        msi_mask(&irqs[irq].msi, masked);
}

static int setup_line(unsigned int gsi, bool level, bool active_low)
{
    struct irq *i = &irqs[gsi];

    if (!ioapic_has_gsi(gsi))
        return -XEN_EINVAL;
    if (i->hypervisor)
        return -XEN_EBUSY;
    if (i->domain)
        return i->level == level ? 0 : -XEN_EBUSY; /* in use: not to be changed under way */
    if (!i->vector)
        i->vector = alloc_vector(gsi);
    if (!i->vector)
        return -XEN_ENOSPC;
    i->level = level;
    i->masked = true;
    ioapic_set(gsi, i->vector, level, active_low);
    ioapic_route(gsi, machine_apic_id(i->cpu));
    return 0;
}

int irq_setup_gsi(unsigned int gsi, bool level, bool active_low)
{
    int rc;

    spin_lock(&irq_lock);
    rc = gsi < irq_nr_gsis() ? setup_line(gsi, level, active_low) : -XEN_EINVAL;
    spin_unlock(&irq_lock);
    return rc;
}

bool irq_is_level(unsigned int irq)
{
    return irq < NR_IRQS && irqs[irq].level;
}

/* What an ISA line is when nobody said otherwise: edge, high, or what the firmware's override says.
 */
static int default_setup(unsigned int gsi)
{
    bool level = gsi >= 16, active_low = gsi >= 16;

    for (unsigned int i = 0; i < acpi.nr_overrides; i++) {
        if (acpi.override[i].gsi == gsi) {
            level = acpi.override[i].level;
            active_low = acpi.override[i].active_low;
        }
    }
    return setup_line(gsi, level, active_low);
}

int irq_attach(unsigned int irq, struct domain *d)
{
    int rc = 0;

    if (irq >= NR_IRQS)
        return -XEN_EINVAL;
    spin_lock(&irq_lock);
    if (irqs[irq].hypervisor || irqs[irq].domain)
        rc = -XEN_EBUSY;
    else if (is_line(irq) && !irqs[irq].vector)
        rc = default_setup(irq);
    else if (!irqs[irq].vector)
        rc = -XEN_EINVAL;
    if (!rc) {
        irqs[irq].domain = d;
        set_mask(irq, false);
    }
    spin_unlock(&irq_lock);
    return rc;
}

void irq_detach(unsigned int irq)
{
    if (irq >= NR_IRQS)
        return;
    spin_lock(&irq_lock);
    if (irqs[irq].domain) {
        set_mask(irq, true);
        irqs[irq].domain = NULL;
    }
    spin_unlock(&irq_lock);
}

void irq_unmask(unsigned int irq)
{
    if (irq >= NR_IRQS)
        return;
    spin_lock(&irq_lock);
    if (irqs[irq].domain && irqs[irq].masked)
        set_mask(irq, false);
    spin_unlock(&irq_lock);
}

void irq_set_cpu(unsigned int irq, unsigned int cpu)
{
    s_time_t now = clock_now();
    uint32_t id = machine_apic_id(cpu);
    struct irq *i = &irqs[irq];

    if (irq >= NR_IRQS || id >= 0xff)
        return;
    spin_lock(&irq_lock);
    if (i->domain && i->cpu != cpu && now - i->moved_at >= MOVE_PAUSE) {
        i->cpu = cpu;
        i->moved_at = now;
        if (is_line(irq))
            ioapic_route(irq, id);
        else
            msi_route(&i->msi, id, i->masked);
    }
    spin_unlock(&irq_lock);
}

int ioapic_guest_read(uint64_t base, uint32_t reg, uint32_t *value)
{
    int rc;

    spin_lock(&irq_lock);
    rc = ioapic_read_register(base, reg, value);
    spin_unlock(&irq_lock);
    return rc;
}

/* --- messages --- */

int irq_setup_msi(unsigned int irq, const struct pci_message *message)
{
    struct irq *i = &irqs[irq];
    struct msi m;
    int rc;

    if (irq >= NR_IRQS || is_line(irq))
        return -XEN_EINVAL;
    rc = msi_find(&m, message); /* takes memory: before the lock */
    if (rc)
        return rc;
    spin_lock(&irq_lock);
    i->vector = alloc_vector(irq);
    if (!i->vector) {
        spin_unlock(&irq_lock);
        return -XEN_ENOSPC;
    }
    i->msi = m;
    i->level = false;
    i->masked = true;
    msi_program(&m, i->vector, machine_apic_id(i->cpu));
    spin_unlock(&irq_lock);
    return 0;
}

void irq_free_msi(unsigned int irq)
{
    if (irq >= NR_IRQS || is_line(irq))
        return;
    spin_lock(&irq_lock);
    if (irqs[irq].msi.used) {
        msi_teardown(&irqs[irq].msi);
        vector_irq[irqs[irq].vector] = 0;
        irqs[irq] = (struct irq){0};
    }
    spin_unlock(&irq_lock);
}

int irq_restore_msi(struct pci_function f)
{
    int rc = -XEN_ESRCH;

    spin_lock(&irq_lock);
    for (unsigned int irq = irq_nr_gsis(); irq < NR_IRQS; irq++) {
        if (irqs[irq].msi.used && msi_is_of(&irqs[irq].msi, f)) {
            msi_program(&irqs[irq].msi, irqs[irq].vector, machine_apic_id(irqs[irq].cpu));
            msi_mask(&irqs[irq].msi, irqs[irq].masked);
            rc = 0;
        }
    }
    spin_unlock(&irq_lock);
    return rc;
}

/* --- arrival --- */

static void handle_device(unsigned int vector)
{
    struct domain *d = NULL;
    unsigned int irq;

    spin_lock(&irq_lock);
    irq = vector_irq[vector];
    if (irq-- == 0) {
        if (spurious_said++ < 8)
            log_warning("interrupt at vector %#x, which is nobody's", vector);
    } else {
        d = irqs[irq].domain;
        if (irqs[irq].level || !d)
            set_mask(irq, true);
    }
    spin_unlock(&irq_lock);
    apic_eoi();
    if (d)
        pirq_raise(d, irq);
}

static unsigned int uart_gsi(void)
{
    for (unsigned int i = 0; i < acpi.nr_overrides; i++) {
        if (acpi.override[i].isa_irq == uart_irq)
            return acpi.override[i].gsi;
    }
    return uart_irq;
}

static uint8_t uart_vector;

void handle_interrupt(unsigned int vector)
{
    report_nmi();
    if (vector == VECTOR_TIMER) {
        apic_eoi();
        cpu_raise(this_cpu(), CPU_WORK_TIMER);
    } else if (vector == VECTOR_KICK) {
        apic_eoi();
    } else if (vector == uart_vector && uart_vector) {
        apic_eoi();
        console_poll();
    } else if (vector != VECTOR_SPURIOUS) {
        handle_device(vector);
    }
}

void init_irq(void)
{
    unsigned int gsi = uart_gsi();

    init_ioapics();
    if (!irq_nr_gsis() || !uart_base)
        return;
    spin_lock(&irq_lock);
    if (default_setup(gsi) == 0) {
        irqs[gsi].hypervisor = true;
        uart_vector = irqs[gsi].vector;
        ioapic_mask(gsi, false);
    }
    spin_unlock(&irq_lock);
    if (uart_vector) {
        machine_console_interrupts(false);
        console_queue(true);
    }
}
