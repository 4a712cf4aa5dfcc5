/* SPDX-License-Identifier: MIT */
/*
 * Descriptor tables of a fully virtualized kernel.
 *
 * Segments are flat; there is one GDT for each CPU because there is one TSS for each, which says
 * where the stack of entries from user mode is. A double fault has a stack of its own: it comes
 * when the other cannot be used. One IDT for all: each vector has a stub (hvm_entry.asm).
 */
#include <guest/hvm.h>
#include <guest/kernel.h>
#include <guest/machine.h>

#define VECTORS         256
#define STUB_SIZE       16 /* hvm_entry.asm */
#define INTERRUPT_GATE  0x8e00u
#define DOUBLE_FAULT    8
#define GDT_ENTRIES     9 /* the TSS takes two */
#define TSS_AVAILABLE   0x89ul
#define SYSCALL_CLEARS  0x47700ul /* AC, NT, IOPL, DF, IF, TF */
#define DOUBLE_FAULT_SP 1         /* the entry of ist[], from 1 on */

struct gate {
    uint16_t offset_low, selector, flags, offset_middle;
    uint32_t offset_high, reserved;
};

struct __attribute__((packed)) tss {
    uint32_t reserved1;
    uint64_t rsp[3];
    uint64_t reserved2;
    uint64_t ist[7];
    uint64_t reserved3;
    uint16_t reserved4, io_map;
};

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    const void *base;
};

static struct {
    uint64_t gdt[GDT_ENTRIES];
    struct tss tss;
} cpus[MOST_CPUS];

static struct gate idt[VECTORS];
/* For all: what comes then is the last that is said. */
static char double_fault_stack[8192] __attribute__((aligned(16)));

extern char hvm_entries[], hvm_syscall_entry[];
extern uint64_t hvm_user_entry_stack; /* hvm_entry.asm */

static void fill_idt(void)
{
    for (unsigned int i = 0; i < VECTORS; i++) {
        uint64_t to = (uint64_t)(hvm_entries + i * STUB_SIZE);

        idt[i] = (struct gate){.offset_low = (uint16_t)to,
                               .selector = HVM_KERNEL_CS,
                               .flags = INTERRUPT_GATE,
                               .offset_middle = (uint16_t)(to >> 16),
                               .offset_high = (uint32_t)(to >> 32)};
    }
    idt[DOUBLE_FAULT].flags |= DOUBLE_FAULT_SP;
    idt[TRAP_BREAKPOINT].flags |= 3 << 13; /* for applications as well */
}

static void load_gdt(unsigned int id)
{
    uint64_t *gdt = cpus[id].gdt, tss = (uint64_t)&cpus[id].tss;
    struct table_pointer p = {sizeof(cpus[id].gdt) - 1, gdt};

    gdt[HVM_KERNEL_CS / 8] = 0x00209b0000000000;
    gdt[HVM_KERNEL_SS / 8] = 0x00cf93000000ffff;
    gdt[HVM_USER_SS / 8] = 0x00cff3000000ffff;
    gdt[HVM_USER_CS / 8] = 0x0020fb0000000000;
    gdt[HVM_CODE32 / 8] = 0x00cf9b000000ffff;
    gdt[HVM_TSS / 8] = (sizeof(struct tss) - 1) | (tss & 0xffffff) << 16 | TSS_AVAILABLE << 40 |
                       (tss >> 24 & 0xff) << 56;
    gdt[HVM_TSS / 8 + 1] = tss >> 32;
    __asm__ volatile("lgdt %0\n\t"
                     "mov %1, %%ss\n\t"
                     "mov %1, %%ds\n\t"
                     "mov %1, %%es\n\t"
                     "mov %2, %%fs\n\t"
                     "mov %2, %%gs\n\t"
                     "ltr %w3"
                     :
                     : "m"(p), "r"(HVM_KERNEL_SS), "r"(0), "r"(HVM_TSS)
                     : "memory");
}

void hvm_cpu_init(unsigned int id, struct percpu *cpu)
{
    struct table_pointer p = {sizeof(idt) - 1, idt};

    cpus[id].tss.ist[DOUBLE_FAULT_SP - 1] =
        (uint64_t)double_fault_stack + sizeof(double_fault_stack);
    cpus[id].tss.io_map = sizeof(struct tss);
    if (!id)
        fill_idt();
    load_gdt(id);
    __asm__ volatile("lidt %0" : : "m"(p));
    wrmsr(MSR_GS_BASE, (uint64_t)cpu);
    wrmsr(MSR_STAR, (uint64_t)(HVM_USER_SS - 8) << 48 | (uint64_t)HVM_KERNEL_CS << 32);
    wrmsr(MSR_LSTAR, (uint64_t)hvm_syscall_entry);
    wrmsr(MSR_SFMASK, SYSCALL_CLEARS);
}

void hvm_set_user_entry(void *stack_top)
{
    cpus[this_cpu()->id].tss.rsp[0] = (uint64_t)stack_top;
    hvm_user_entry_stack = (uint64_t)stack_top;
}
