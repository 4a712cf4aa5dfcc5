/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables: GDT, IDT, TSS.
 *
 * ABI: the last pages of every GDT are the hypervisor's, from selector 0xe000 on, and hold the flat
 * segments that a guest may use without having any of its own (FLAT_RING3_*). While a guest runs,
 * GDTR points to its vCPU's 16 pages in the per-domain area; page 14 there is the CPU's own, so the
 * selectors stay good at all times. Otherwise GDTR points 14 pages before the CPU's own page: what
 * lies before is never touched.
 *
 * Gates: all are interrupt gates. Only #BP and #OF may be raised by INT n; other INT n make a #GP,
 * which the guest's kind turns into what the guest has in its trap table.
 */
#include <port/current.h>

#include "insn.h"
#include "percpu.h"
#include "x86.h"

extern uint8_t vector_stubs[];

struct gate {
    uint16_t offset_low, selector;
    uint8_t ist, type;
    uint16_t offset_mid;
    uint32_t offset_high, reserved;
};

static struct gate idt[256] __aligned(PAGE_SIZE);             /* a page of its own */
static uint64_t gdt_page[PAGE_SIZE / 8] __aligned(PAGE_SIZE); /* the boot CPU's */

#define LAST_GDT_BYTE    (FIRST_RESERVED_GDT_BYTE + PAGE_SIZE - 1)
#define INTERRUPT_GATE   0x8e
#define GATE_DPL3        0x60
#define VECTOR_STUB_SIZE 16

uint64_t idt_address(void)
{
    return (uint64_t)idt;
}

static void set_gate(unsigned int vector, unsigned int ist, bool from_guest)
{
    uint64_t at = (uint64_t)vector_stubs + vector * VECTOR_STUB_SIZE;

    idt[vector] = (struct gate){
        .offset_low = (uint16_t)at,
        .offset_mid = (uint16_t)(at >> 16),
        .offset_high = (uint32_t)(at >> 32),
        .selector = HV_CS,
        .ist = (uint8_t)ist,
        .type = INTERRUPT_GATE | (from_guest ? GATE_DPL3 : 0),
    };
}

static void init_idt(void)
{
    for (unsigned int vector = 0; vector < 256; vector++)
        set_gate(vector, 0, vector == TRAP_int3 || vector == TRAP_overflow);
    set_gate(TRAP_debug, IST_DB, false);
    set_gate(TRAP_nmi, IST_NMI, false);
    set_gate(TRAP_double_fault, IST_DF, false);
    set_gate(TRAP_machine_check, IST_MC, false);
}

/* A 16-byte system descriptor (TSS, LDT) at selector sel. */
static void set_system_descriptor(uint64_t *gdt, unsigned int sel, uint64_t base, uint32_t limit,
                                  unsigned int type)
{
    uint64_t *d = &gdt[(sel & 0xfff) / 8];

    d[0] = (limit & 0xffff) | (base & 0xffffff) << 16 | (uint64_t)(0x80 | type) << 40 |
           (uint64_t)((limit >> 16) & 0xf) << 48 | ((base >> 24) & 0xff) << 56;
    d[1] = base >> 32;
}

static void fill_gdt(uint64_t *gdt, struct tss *tss)
{
    gdt[1] = 0x00af9b000000ffff; /* 0xe008 hypervisor code, 64-bit  */
    gdt[2] = 0x00cf93000000ffff; /* 0xe010 hypervisor data          */
    gdt[4] = 0x00cffb000000ffff; /* 0xe023 guest code, 32-bit       */
    gdt[5] = 0x00cff3000000ffff; /* 0xe02b guest data and stack     */
    gdt[6] = 0x00affb000000ffff; /* 0xe033 guest code, 64-bit       */
    set_system_descriptor(gdt, TSS_SELECTOR, (uint64_t)tss, sizeof(*tss) - 1, 9);
}

uint64_t own_gdt(void)
{
    return (uint64_t)this_cpu()->arch.gdt - FIRST_RESERVED_GDT_BYTE;
}

void load_tables(uint64_t gdt, uint64_t ldt, unsigned int ldt_entries)
{
    lgdt(&(struct table_pointer){.limit = LAST_GDT_BYTE, .base = gdt});
    if (ldt_entries)
        set_system_descriptor(this_cpu()->arch.gdt, LDT_SELECTOR, ldt, ldt_entries * 8 - 1, 2);
    lldt(ldt_entries ? LDT_SELECTOR : 0);
}

void make_descriptors(struct cpu_block *block, void *gdt, paddr_t gdt_phys)
{
    struct cpu *c = &block->cpu;

    block->tss.iomap = sizeof(block->tss);
    for (unsigned int i = 0; i < 4; i++)
        block->tss.ist[i] = (uint64_t)block->stacks + (i + 1) * IST_SIZE;
    block->tss.rsp0 = (uint64_t)c; /* until a guest is loaded */
    fill_gdt(gdt, &block->tss);
    c->arch.gdt = gdt;
    c->arch.gdt_page_pte = gdt_phys | PTE_PRESENT | PTE_RW | PTE_ACCESSED | PTE_DIRTY | PTE_NX;
}

void load_descriptors(void)
{
    load_tables(own_gdt(), 0, 0);
    __asm__ volatile("pushq %0; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
                     :
                     : "i"(HV_CS)
                     : "rax", "memory");
    __asm__ volatile("mov %0, %%ss; mov %1, %%ds; mov %1, %%es; mov %1, %%fs; mov %1, %%gs"
                     :
                     : "r"(HV_DS), "r"(0));
    ltr(TSS_SELECTOR);
    lidt(&(struct table_pointer){.limit = sizeof(idt) - 1, .base = (uint64_t)idt});
}

void init_descriptors(void)
{
    init_idt();
    make_descriptors(&cpu0_block, gdt_page, (uint64_t)gdt_page - IMAGE_VIRT + image_phys);
    load_descriptors();
}
