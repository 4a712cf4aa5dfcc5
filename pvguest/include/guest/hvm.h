/* SPDX-License-Identifier: MIT */
/*
 * A fully virtualized kernel's own: descriptor tables, interrupts, local APIC, UART, its end.
 *
 * A vector's handler is set by trap_set_handler(), as for exceptions; it tells the local APIC or
 * the PIC of the end itself. Vectors 32 to 34 have another meaning (traps.h), and no device gets
 * them.
 */
#ifndef GUEST_HVM_H
#define GUEST_HVM_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

/* Selectors of the GDT (hvm_cpu.c; pvh_start.asm uses the same). SYSRET wants this order. */
#define HVM_KERNEL_CS 0x08
#define HVM_KERNEL_SS 0x10
#define HVM_USER_SS   0x23
#define HVM_USER_CS   0x2b
#define HVM_CODE32    0x30 /* of the kernel: on the way to long mode */
#define HVM_TSS       0x38

/* GDT, IDT, TSS and GS of the calling CPU; id: which vCPU it is. */
struct percpu;
void hvm_cpu_init(unsigned int id, struct percpu *cpu);
/* The stack of entries from user mode; of the calling CPU. */
void hvm_set_user_entry(void *stack_top);

/* Maps this many frames, from 0 on, at VIRT_BASE; the first that neither image nor tables take. */
unsigned long hvm_map_memory(unsigned long pfns);

/* Physical memory that lies where the kernel was started, from 0 on. */
static inline void *phys_to_virt(uint64_t paddr)
{
    return (void *)(0xffffffff80000000ul + paddr);
}

/* ---- local APIC, in the mode in which it is ---- */

#define LAPIC_PADDR 0xfee00000ul

/* Registers, by their offset in the page. */
enum {
    LAPIC_ID = 0x20,
    LAPIC_VERSION = 0x30,
    LAPIC_TPR = 0x80,
    LAPIC_PPR = 0xa0,
    LAPIC_EOI = 0xb0,
    LAPIC_LDR = 0xd0,
    LAPIC_DFR = 0xe0,
    LAPIC_SVR = 0xf0,
    LAPIC_ISR = 0x100,
    LAPIC_IRR = 0x200,
    LAPIC_ESR = 0x280,
    LAPIC_ICR = 0x300,
    LAPIC_ICR_HIGH = 0x310,
    LAPIC_LVT_TIMER = 0x320,
    LAPIC_LVT_LINT0 = 0x350,
    LAPIC_LVT_LINT1 = 0x360,
    LAPIC_LVT_ERROR = 0x370,
    LAPIC_TIMER_INITIAL = 0x380,
    LAPIC_TIMER_CURRENT = 0x390,
    LAPIC_TIMER_DIVIDE = 0x3e0,
};

#define ICR_INIT    0x4500u /* level: assert */
#define ICR_STARTUP 0x4600u
#define ICR_NMI     0x4400u
#define ICR_FIXED   0x4000u
#define ICR_SELF    0x40000u
#define ICR_ALL     0x80000u
#define ICR_OTHERS  0xc0000u

/* Makes its page reachable and turns it on (spurious vector FFh); for each CPU. */
void lapic_init(void);
uint32_t lapic_read(unsigned int offset);
void lapic_write(unsigned int offset, uint32_t value);
void lapic_eoi(void);
/* destination: the APIC id, where icr says no shorthand */
void lapic_send(uint32_t destination, uint32_t icr);

/* ---- ACPI's tables, from RSDP on ---- */
void acpi_init(uint64_t rsdp_paddr);
/* -XEN_ENOENT: there is no such vCPU */
int acpi_apic_id(unsigned int vcpu);

/* ---- the UART, polled ---- */
void uart_write(const char *text, size_t len);
int uart_getc(void); /* -1: there is nothing */
bool uart_has_input(void);

/* ---- profile hvm: power-off, or, for all other reasons, a reset ---- */
void acpi_end(unsigned int reason) __attribute__((noreturn));

#endif
