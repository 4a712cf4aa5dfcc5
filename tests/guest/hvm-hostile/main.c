/* SPDX-License-Identifier: MIT */
/*
 * Not a test that succeeds: a fully virtualized guest that does one bad thing, by its command line
 * (do=NAME). tests/system/test_bad_hvm.py runs it beside others, who must not notice, and looks how
 * it ends: by the hypervisor's word, by a reset, or not at all.
 *
 * Where what it does is refused as a CPU does it (#GP, #UD), and not by its end, it says so.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-hostile";

#define HOLE   0xd0000000ul
#define WINDOW 0x400000000000ul
#define VECTOR 0x50
#define NMI    2

struct __attribute__((packed)) table_pointer {
    uint16_t limit;
    uint64_t base;
};

static void *at(uint64_t paddr)
{
    if (pt_map(WINDOW, pte_make(paddr >> PAGE_SHIFT, PTE_KERNEL_RW)))
        panic("no memory for a page table");
    return (void *)(WINDOW + (paddr & ~PAGE_MASK));
}

static void load_idt(uint64_t base, uint16_t limit)
{
    struct table_pointer p = {limit, base};

    __asm__ volatile("lidt %0" : : "m"(p));
}

static void ud2(void)
{
    __asm__ volatile("ud2");
}

/* ---- reaching for memory that is none ---- */

static void jump_to_hole(void)
{
    ((void (*)(void))at(HOLE))();
}

static void jump_to_lapic(void)
{
    ((void (*)(void))at(LAPIC_PADDR))();
}

static void stack_in_hole(void)
{
    __asm__ volatile("mov %0, %%rsp; ud2" : : "r"((char *)at(HOLE) + 2048));
}

static void stack_in_lapic(void)
{
    __asm__ volatile("mov %0, %%rsp; push %%rax" : : "r"((char *)at(LAPIC_PADDR) + 2048));
}

static void idt_in_hole(void)
{
    load_idt((uint64_t)at(HOLE), 0xfff);
    ud2();
}

static void gdt_in_hole(void)
{
    struct table_pointer p = {0xfff, (uint64_t)at(HOLE)};

    __asm__ volatile("lgdt %0; mov %1, %%ds" : : "m"(p), "r"(HVM_KERNEL_SS));
}

static void tables_in_hole(void)
{
    pt_root[pt_index(0x500000000000ul, 4)] = HOLE | PTE_TABLE;
    *(volatile char *)0x500000000000ul = 0;
}

static void root_in_hole(void)
{
    write_cr3(HOLE);
}

static void other_instruction(void)
{
    __asm__ volatile("andl $0, (%0)" : : "r"((char *)at(LAPIC_PADDR) + LAPIC_TPR) : "memory");
}

static void locked_instruction(void)
{
    __asm__ volatile("lock incl (%0)" : : "r"((char *)at(LAPIC_PADDR) + LAPIC_ICR) : "memory");
}

static void wide_instruction(void)
{
    *(volatile uint64_t *)at(HOLE) = 0;
}

static void string_instruction(void)
{
    void *to = at(HOLE);
    uint64_t n = 16;

    __asm__ volatile("rep stosb" : "+D"(to), "+c"(n) : "a"(0) : "memory");
}

/* ---- states that cannot be ---- */

static void triple_fault(void)
{
    load_idt(0, 0);
    ud2();
}

static void no_protection(void)
{
    write_cr0(read_cr0() & ~1ul);
    (void)inb(0x80);
}

static void no_write_through(void)
{
    write_cr0((read_cr0() | 1ul << 29) & ~(1ul << 30));
    (void)inb(0x80);
}

/* A code segment of 64 and of 32 bits at once. */
static void two_sizes(void)
{
    static uint64_t gdt[9];
    struct table_pointer p = {sizeof(gdt) - 1, (uint64_t)gdt};

    gdt[1] = 0x00609b0000000000;
    gdt[2] = 0x00cf93000000ffff;
    __asm__ volatile("lgdt %0; pushq $8; leaq 1f(%%rip), %%rax; pushq %%rax; lretq; 1:"
                     :
                     : "m"(p)
                     : "rax", "memory");
    (void)inb(0x80);
}

/* Where RIP has no meaning without it. */
static void paging_off(void)
{
    write_cr0(read_cr0() & ~CR0_PG);
    (void)inb(0x80);
}

static void eats_itself(void)
{
    void *to = (void *)VIRT_BASE;
    uint64_t n = ~0ul;

    write_cr0(read_cr0() & ~CR0_WP);
    __asm__ volatile("rep insb" : "+D"(to), "+c"(n) : "d"(0x80) : "memory");
}

/* ---- without end ---- */

static void init_to_all(void)
{
    lapic_send(0, ICR_INIT | ICR_ALL);
}

static void halts_for_ever(void)
{
    __asm__ volatile("cli; 1: hlt; jmp 1b");
}

static void loops(void)
{
    __asm__ volatile("cli; 1: jmp 1b");
}

static bool nmi_again(struct trap_regs *regs)
{
    (void)regs;
    lapic_send(0, ICR_NMI | ICR_SELF);
    return true;
}

static void storm_of_nmis(void)
{
    trap_set_handler(NMI, nmi_again);
    nmi_again(NULL);
}

static bool interrupt_again(struct trap_regs *regs)
{
    (void)regs;
    lapic_eoi();
    lapic_send(0, ICR_FIXED | ICR_SELF | VECTOR);
    return true;
}

static void storm_of_interrupts(void)
{
    trap_set_handler(VECTOR, interrupt_again);
    lapic_send(0, ICR_FIXED | ICR_SELF | VECTOR);
}

/* XSA-156: #DB, whose handler begins with one. */
static void debug_for_ever(void)
{
    extern char hvm_entries[];

    __asm__ volatile("mov %0, %%dr0; mov %1, %%dr7; int $1"
                     :
                     : "r"(hvm_entries + TRAP_DEBUG * 16), "r"(0x402ul));
}

static void storm_of_timers(void)
{
    trap_set_handler(VECTOR, interrupt_again);
    lapic_write(LAPIC_TIMER_DIVIDE, 0xb);
    lapic_write(LAPIC_LVT_TIMER, 0x20000 | VECTOR);
    lapic_write(LAPIC_TIMER_INITIAL, 1);
    outb(0x43, 0x34);
    outb(0x40, 1);
    outb(0x40, 0);
}

/* With interrupts off: the controllers, too, are told at random with which vectors to interrupt. */
static void ports(void)
{
    cli();
    for (uint32_t n = 1;; n = n * 1664525 + 1013904223) {
        uint16_t port = (uint16_t)(n >> 16);

        if (port >= 0x1000)
            outl(port, n);
        else if (port != 0x64 && port != 0x604 && port != 0x605 && port != 0xcf9) /* its end */
            outb(port, (uint8_t)(n >> 8));
    }
}

/* ---- all at random ---- */

static void do_random_msr(void *n)
{
    static const uint32_t msrs[] = {0x1b, 0x277, 0x6e0, 0x174, 0xc0000080, 0xc0000102, 0x1d9, 0x10};
    uint64_t v = (uint64_t)n;

    wrmsr(msrs[v % ARRAY_SIZE(msrs)], v >> 8 & 1 ? v : 1ul << (v >> 9 & 63));
}

static void do_random_cr(void *n)
{
    uint64_t v = (uint64_t)n, bit = 1ul << (v >> 4 & 63);

    if (v & 1)
        write_cr4(read_cr4() ^ bit);
    else
        write_cr8(v >> 4 & 31);
}

static bool ignore(struct trap_regs *regs)
{
    (void)regs;
    lapic_eoi();
    return true;
}

static void at_random(void)
{
    uint32_t state = (uint32_t)cmdline_number("seed", 1);

    for (unsigned int vector = 0; vector < 256; vector++)
        if (vector == NMI || vector >= 32)
            trap_set_handler(vector, ignore);

    for (;;) {
        uint64_t n = (uint64_t)test_random(&state) << 32 | test_random(&state);

        switch (n >> 60) {
        case 0:
            (void)probe_call(do_random_msr, (void *)n, NULL);
            break;
        case 1:
            (void)probe_call(do_random_cr, (void *)n, NULL);
            break;
        case 2:
            (void)inl((uint16_t)n);
            break;
        case 3:
            outl((uint16_t)(0x20 + n % 0x40), (uint32_t)(n >> 16));
            break;
        default: /* INIT not to itself */
            if (!(n & 0xc0000) && n % 64 * 16 == LAPIC_ICR)
                continue;
            lapic_write(n % 64 * 16,
                        (uint32_t)(n >> 16) & ~(n % 64 * 16 == LAPIC_ICR ? 0x500u : 0));
        }
    }
}

static const struct {
    const char *name;
    void (*fn)(void);
} deeds[] = {
    {"jump-to-hole", jump_to_hole},
    {"jump-to-lapic", jump_to_lapic},
    {"stack-in-hole", stack_in_hole},
    {"stack-in-lapic", stack_in_lapic},
    {"idt-in-hole", idt_in_hole},
    {"gdt-in-hole", gdt_in_hole},
    {"tables-in-hole", tables_in_hole},
    {"root-in-hole", root_in_hole},
    {"other-instruction", other_instruction},
    {"locked-instruction", locked_instruction},
    {"wide-instruction", wide_instruction},
    {"string-instruction", string_instruction},
    {"triple-fault", triple_fault},
    {"no-protection", no_protection},
    {"no-write-through", no_write_through},
    {"two-sizes", two_sizes},
    {"paging-off", paging_off},
    {"eats-itself", eats_itself},
    {"init-to-all", init_to_all},
    {"halts-for-ever", halts_for_ever},
    {"loops", loops},
    {"storm-of-nmis", storm_of_nmis},
    {"storm-of-interrupts", storm_of_interrupts},
    {"debug-for-ever", debug_for_ever},
    {"storm-of-timers", storm_of_timers},
    {"ports", ports},
    {"at-random", at_random},
};

void test_main(void)
{
    char name[32] = "";

    (void)cmdline_get("do", name, sizeof(name));
    for (unsigned int i = 0; i < ARRAY_SIZE(deeds); i++)
        if (!strcmp(name, deeds[i].name)) {
            printf("hostile: %s\n", name);
            deeds[i].fn();
            printf("hostile: %s goes on\n", name);
            for (;;)
                sti_hlt();
        }
    test_error("do=%s is no deed", name);
}
