/* SPDX-License-Identifier: MIT */
/*
 * Other names for what only a machine can do, so that x86/ can be looked at by tests: privileged
 * instructions, devices' registers, and what finds a CPU's block by the stack pointer. Included
 * before sources of x86/, whose tests have functions of these names.
 */
#ifndef TESTS_X86_NAMES_H
#define TESTS_X86_NAMES_H

#include <x86/insn.h>
#include <x86/percpu.h>

#define rdmsr           fake_rdmsr
#define wrmsr           fake_wrmsr
#define rdmsr_safe      fake_rdmsr_safe
#define wrmsr_safe      fake_wrmsr_safe
#define outb            fake_outb
#define inb             fake_inb
#define inl             fake_inl
#define cpuid           fake_cpuid
#define rdtsc           fake_rdtsc
#define read_cr2        fake_read_cr2
#define read_cr3        fake_read_cr3
#define read_cr4        fake_read_cr4
#define write_cr3       fake_write_cr3
#define write_cr4       fake_write_cr4
#define invpcid_all     fake_invpcid_all
#define invlpg          fake_invlpg
#define wbinvd          fake_wbinvd
#define read_dr6        fake_read_dr6
#define write_dr6       fake_write_dr6
#define mmio_read       fake_mmio_read
#define mmio_write      fake_mmio_write
#define mfence_lfence() fake_mfence_lfence()
#define this_block()    fake_this_block()
#define cpu_block(no)   fake_cpu_block(no)

uint64_t rdmsr(uint32_t msr);
void wrmsr(uint32_t msr, uint64_t value);
bool rdmsr_safe(uint32_t msr, uint64_t *value);
bool wrmsr_safe(uint32_t msr, uint64_t value);
void outb(uint16_t port, uint8_t value);
uint8_t inb(uint16_t port);
uint32_t inl(uint16_t port);
void cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4]);
uint64_t rdtsc(void);
uint64_t read_cr2(void);
uint64_t read_cr3(void);
uint64_t read_cr4(void);
void write_cr3(uint64_t value);
void write_cr4(uint64_t value);
void invpcid_all(void);
void invlpg(uint64_t va);
void wbinvd(void);
uint64_t read_dr6(void);
void write_dr6(uint64_t value);
uint32_t mmio_read(const volatile uint32_t *at);
void mmio_write(volatile uint32_t *at, uint32_t value);
void fake_mfence_lfence(void);
struct cpu_block *fake_this_block(void);
struct cpu_block *fake_cpu_block(unsigned int number);

#endif
