/* SPDX-License-Identifier: MIT */
/*
 * Interrupts of devices that move from CPU to CPU (x86/irq.c, ioapic.c, msi.c), over an IOAPIC and
 * a PCI function that behave: what interrupts while it is masked waits, but an edge of a line,
 * which is lost; what arrives, arrives where the registers say at that moment.
 *
 * A device in a storm interrupts after each single write to a register. All have to arrive, at
 * their vector, on the CPU of before or of after; once the move is done, on that alone.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "x86_names.h"
#include <core/base/console_out.h>
#include <core/base/log.h>
#include <port/current.h>
#include <port/lock.h>
#include <port/machine.h>
#include <port/upcalls.h>
#include <x86/acpi.h>
#include <x86/irq_internal.h>
#include <x86/pci.h>
#include <x86/x86.h>

#define IOAPIC   0xfec00000ull
#define TABLE    0xfebf1000ull
#define GSIS     24
#define MSI_AT   0x50 /* capabilities of the function */
#define MSIX_AT  0x70
#define ENTRY    2 /* of its MSI-X table */
#define FAR_AWAY 3 /* a CPU that interrupts cannot reach */

static const uint32_t apic_ids[] = {4, 6, 9, 300};
static struct domain guest;
static s_time_t now;
static bool locked;

static enum kind { NONE, LINE, MSIX, MSI } kind; /* the device */
static unsigned int gsi;
static bool storm, asserted, in_service, pending;
static unsigned int sent, merged, arrived, at[10], raised, raised_irq, last_vector, writes;

static uint32_t ioapic[0x10 + 2 * GSIS], selected;
static uint32_t ioapic_page[1024], table[1024];
static uint8_t config[256];

struct acpi_info acpi = {.found = true, .nr_ioapics = 1, .ioapic[0] = {.address = IOAPIC}};
struct cpu_features cpu_has;
uint16_t uart_base;
uint8_t uart_irq;

/* ---- the device ---- */

static void deliver(uint32_t destination, uint32_t vector)
{
    assert_in_range(destination, 0, ARRAY_SIZE(at) - 1);
    at[destination]++;
    arrived++;
    last_vector = vector;
}

static uint32_t config_word(unsigned int where)
{
    uint32_t v;

    memcpy(&v, &config[where], 4);
    return v;
}

static bool is_masked(void)
{
    if (kind == LINE)
        return ioapic[0x10 + 2 * gsi] & 1u << 16;
    if (kind == MSIX)
        return table[ENTRY * 4 + 3] & 1 || config[MSIX_AT + 3] & 0x40;
    return config[MSI_AT + 3] & 1 && config[MSI_AT + 16] & 1;
}

static void send(void)
{
    const uint32_t *slot = &table[ENTRY * 4];

    if (kind == LINE) {
        deliver(ioapic[0x11 + 2 * gsi] >> 24, ioapic[0x10 + 2 * gsi] & 0xff);
    } else if (kind == MSIX) {
        assert_int_equal(slot[0] & ~0xff000u, 0xfee00000);
        assert_int_equal(slot[1], 0);
        deliver(slot[0] >> 12 & 0xff, slot[2]);
    } else {
        bool wide = config[MSI_AT + 2] & 0x80;

        assert_int_equal(config_word(MSI_AT + 4) & ~0xff000u, 0xfee00000);
        deliver(config_word(MSI_AT + 4) >> 12 & 0xff,
                config_word(MSI_AT + (wide ? 12 : 8)) & 0xffff);
    }
}

static void interrupt(void)
{
    sent++;
    if (!is_masked()) {
        send();
    } else if (kind != LINE) {
        merged += pending;
        pending = true; /* however often */
    }
}

/* A register was written. */
static void look(void)
{
    writes++;
    if (kind == NONE)
        return;
    if (pending && !is_masked()) {
        pending = false;
        send();
    }
    if (asserted && !in_service && !is_masked()) {
        in_service = true;
        sent++;
        send();
    }
    if (storm)
        interrupt();
}

/* ---- the machine ---- */

void *map_physical(paddr_t start, uint64_t size, unsigned int flags)
{
    assert_int_equal(size, PAGE_SIZE);
    assert_int_equal(flags, MAP_UNCACHED);
    assert_true(start == IOAPIC || start == TABLE);
    return start == IOAPIC ? ioapic_page : table;
}

uint32_t mmio_read(const volatile uint32_t *reg)
{
    if (reg != &ioapic_page[4])
        return *reg;
    return selected == 1 ? (GSIS - 1) << 16 : ioapic[selected];
}

void mmio_write(volatile uint32_t *reg, uint32_t value)
{
    if (reg == &ioapic_page[0]) {
        selected = value;
        return;
    }
    if (reg == &ioapic_page[4])
        ioapic[selected] = value;
    else
        *reg = value;
    look();
}

uint32_t pci_read(struct pci_function f, unsigned int reg, unsigned int bytes)
{
    uint32_t v = 0;

    (void)f;
    memcpy(&v, &config[reg], bytes);
    return v;
}

void pci_write(struct pci_function f, unsigned int reg, unsigned int bytes, uint32_t value)
{
    (void)f;
    memcpy(&config[reg], &value, bytes);
    look();
}

bool is_ram_frame(mfn_t mfn)
{
    (void)mfn;
    return false;
}

uint32_t machine_apic_id(unsigned int cpu)
{
    return apic_ids[cpu];
}

s_time_t clock_now(void)
{
    return now;
}

void spin_lock(spinlock_t *l)
{
    (void)l;
    assert_false(locked && l->rank == RANK_IRQ);
    locked |= l->rank == RANK_IRQ;
}

void spin_unlock(spinlock_t *l)
{
    if (l->rank == RANK_IRQ)
        locked = false;
}

void pirq_raise(struct domain *d, uint32_t pirq)
{
    assert_false(locked);
    assert_ptr_equal(d, &guest);
    raised++;
    raised_irq = pirq;
}

void apic_eoi(void)
{
    in_service = false;
    if (kind == LINE)
        look(); /* the IOAPIC hears of it */
    writes--;
}

struct cpu *this_cpu(void)
{
    return NULL;
}

void cpu_raise(struct cpu *c, uint32_t work)
{
    (void)c, (void)work;
}

void report_nmi(void)
{
}
void console_poll(void)
{
}
void console_queue(bool on)
{
    (void)on;
}
void machine_console_interrupts(bool on)
{
    (void)on;
}

/* ---- the tests ---- */

static int begin(void **state)
{
    (void)state;
    kind = NONE;
    storm = asserted = in_service = pending = false;
    sent = merged = arrived = raised = 0;
    memset(at, 0, sizeof(at));
    memset(table, 0, sizeof(table));
    memset(config, 0, sizeof(config));
    config[0x04] = 2;    /* memory is on */
    config[0x06] = 0x10; /* there are capabilities */
    config[0x34] = MSI_AT;
    config[MSI_AT] = 5, config[MSI_AT + 1] = MSIX_AT;
    config[MSIX_AT] = 0x11, config[MSIX_AT + 2] = 7; /* 8 entries, at the BAR's begin */
    memcpy(&config[0x10], &(uint32_t){TABLE}, 4);
    now += SECONDS(1);
    return 0;
}

static const struct pci_message msix = {.entry = ENTRY, .table_base = TABLE}, msi;

/* Moves it there in a storm, from CPU `from`. */
static void moves(unsigned int irq, unsigned int from, unsigned int to)
{
    unsigned int vector;

    interrupt();
    vector = last_vector;
    assert_int_equal(at[apic_ids[from]], 1);
    storm = true;
    irq_set_cpu(irq, to);
    storm = false;
    interrupt();
    assert_true(sent > 2);
    assert_int_equal(arrived + merged, sent);
    assert_true(!pending && at[apic_ids[to]] >= 2);
    assert_int_equal(at[apic_ids[from]] + at[apic_ids[to]], arrived);
    assert_int_equal(last_vector, vector);
    handle_interrupt(vector);
    assert_int_equal(raised, 1);
    assert_int_equal(raised_irq, irq);
}

static void an_edge_is_not_lost(void **state)
{
    (void)state;
    gsi = 5;
    assert_int_equal(irq_setup_gsi(gsi, false, false), 0);
    assert_int_equal(irq_attach(gsi, &guest), 0);
    kind = LINE;
    moves(gsi, 0, 2);
    irq_detach(gsi);
}

/* While the guest serves the device, its line is asserted and masked. */
static void a_level_line_stays_masked(void **state)
{
    (void)state;
    gsi = 10;
    assert_int_equal(irq_setup_gsi(gsi, true, true), 0);
    assert_int_equal(irq_attach(gsi, &guest), 0);
    kind = LINE;
    asserted = true;
    look();
    assert_int_equal(at[apic_ids[0]], 1);
    handle_interrupt(last_vector);
    irq_set_cpu(gsi, 1);
    assert_int_equal(arrived, 1);
    assert_int_equal(raised, 1);
    irq_unmask(gsi); /* not served yet */
    assert_int_equal(at[apic_ids[1]], 1);
    handle_interrupt(last_vector);
    assert_int_equal(raised, 2);
    asserted = false;
    irq_unmask(gsi);
    assert_int_equal(arrived, 2);
    assert_true(ioapic[0x10 + 2 * gsi] & 1u << 15 && ioapic[0x10 + 2 * gsi] & 1u << 13);
    irq_detach(gsi);
}

static void message(enum kind k, const struct pci_message *m, unsigned int irq)
{
    assert_int_equal(irq_setup_msi(irq, m), 0);
    assert_int_equal(irq_attach(irq, &guest), 0);
    kind = k;
    moves(irq, 0, 1);
    irq_detach(irq);
    irq_free_msi(irq);
}

static void a_message_of_a_table_waits(void **state)
{
    (void)state;
    message(MSIX, &msix, 100);
}

static void a_message_that_cannot_be_masked_is_whole(void **state)
{
    (void)state;
    message(MSI, &msi, 101);
}

static void a_message_that_can_be_masked_waits(void **state)
{
    (void)state;
    config[MSI_AT + 2] = 0x80, config[MSI_AT + 3] = 1; /* 64-bit address, mask bits */
    message(MSI, &msi, 102);
}

/* Nobody has it: it goes nowhere. Moved at once again, it is not; to where it is, or to where it
 * cannot come, neither. */
static void when_it_is_moved(void **state)
{
    (void)state;
    gsi = 7;
    assert_int_equal(irq_setup_gsi(gsi, false, false), 0);
    writes = 0;
    irq_set_cpu(gsi, 2);
    assert_int_equal(writes, 0);
    assert_int_equal(irq_attach(gsi, &guest), 0);
    writes = 0;
    irq_set_cpu(gsi, 0);
    irq_set_cpu(gsi, FAR_AWAY);
    irq_set_cpu(NR_IRQS, 1);
    assert_int_equal(writes, 0);
    irq_set_cpu(gsi, 1);
    assert_int_equal(ioapic[0x11 + 2 * gsi], apic_ids[1] << 24);
    now += MILLISECS(10) - 1;
    irq_set_cpu(gsi, 2);
    assert_int_equal(ioapic[0x11 + 2 * gsi], apic_ids[1] << 24);
    now += 1;
    irq_set_cpu(gsi, 2);
    assert_int_equal(ioapic[0x11 + 2 * gsi], apic_ids[2] << 24);
    irq_detach(gsi);
}

/* A function that was reset gets its messages back, for the CPU where they go now. */
static void what_is_restored_has_moved(void **state)
{
    (void)state;
    assert_int_equal(irq_setup_msi(103, &msix), 0);
    assert_int_equal(irq_attach(103, &guest), 0);
    irq_set_cpu(103, 2);
    memset(table, 0, sizeof(table));
    config[MSIX_AT + 3] = 0;
    assert_int_equal(irq_restore_msi(msix.f), 0);
    assert_int_equal(table[ENTRY * 4], 0xfee00000 | apic_ids[2] << 12);
    assert_int_equal(table[ENTRY * 4 + 3], 0);
    assert_int_equal(config[MSIX_AT + 3], 0x80); /* enabled, none masked */
    assert_true(config[5] & 4);                  /* no line */
    irq_detach(103);
    irq_free_msi(103);
}

/* One vector namespace: each in use is another, and the guests' system call is none. */
static void vectors_differ(void **state)
{
    bool used[256] = {false};
    unsigned int n = 0;

    (void)state;
    kind = MSIX;
    for (unsigned int irq = 110; irq < NR_IRQS; irq++) {
        if (irq_setup_msi(irq, &msix))
            break;
        last_vector = table[ENTRY * 4 + 2];
        assert_false(used[last_vector]);
        assert_in_range(last_vector, VECTOR_FIRST, VECTOR_LAST);
        assert_int_not_equal(last_vector, 0x80);
        used[last_vector] = true;
        n++;
    }
    for (unsigned int irq = 110; irq < 110 + n; irq++)
        irq_free_msi(irq);
    assert_true(n > 100);
}

static int machine(void **state)
{
    (void)state;
    init_irq();
    assert_int_equal(irq_nr_gsis(), GSIS);
    for (unsigned int i = 0; i < GSIS; i++)
        assert_int_equal(ioapic[0x10 + 2 * i], 1u << 16);
    return 0;
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup(an_edge_is_not_lost, begin),
        cmocka_unit_test_setup(a_level_line_stays_masked, begin),
        cmocka_unit_test_setup(a_message_of_a_table_waits, begin),
        cmocka_unit_test_setup(a_message_that_cannot_be_masked_is_whole, begin),
        cmocka_unit_test_setup(a_message_that_can_be_masked_waits, begin),
        cmocka_unit_test_setup(when_it_is_moved, begin),
        cmocka_unit_test_setup(what_is_restored_has_moved, begin),
        cmocka_unit_test_setup(vectors_differ, begin),
    };

    return cmocka_run_group_tests(tests, machine, NULL);
}
