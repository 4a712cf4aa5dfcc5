/* SPDX-License-Identifier: MIT */
/*
 * Shows: the interrupts of a PC's oldest parts reach the CPU through LINT0: the interval timer (IRQ
 * 0) and the UART (IRQ 4), at the vectors that the PIC was given, one at a time until EOI, by their
 * rank; and do not when PIC, LINT0 or the CPU's flag are against it. A poll finds what waits. An
 * interrupt that is taken back before the CPU has asked for its vector is a spurious IRQ 7.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-pic";

#define BASE       0x60 /* the vector of IRQ 0 */
#define MASTER     0x20
#define SLAVE      0xa0
#define EOI        0x20
#define PIT_0      0x40
#define PIT_2      0x42
#define PIT_MODE   0x43
#define PORT_61    0x61
#define UART_IER   0x3f9
#define UART_IIR   0x3fa
#define UART_MCR   0x3fc
#define IER_THRE   2
#define MCR_OUT2   8
#define EXTINT     0x700u
#define LVT_MASKED 0x10000u
#define PM_TIMER   0x608

static volatile unsigned int ticks, uarts, spurious;
static bool with_eoi = true;

static void end_of_interrupt(void)
{
    if (with_eoi)
        outb(MASTER, EOI);
}

static bool tick(struct trap_regs *regs)
{
    (void)regs;
    ticks++;
    end_of_interrupt();
    return true;
}

static bool uart(struct trap_regs *regs)
{
    (void)regs;
    uarts++;
    (void)inb(UART_IIR); /* that it is empty is told once */
    end_of_interrupt();
    return true;
}

static bool is_spurious(struct trap_regs *regs)
{
    (void)regs;
    spurious++; /* without EOI: nothing is in service */
    return true;
}

static void pm_wait(uint32_t us)
{
    uint32_t begin = inl(PM_TIMER);

    while (inl(PM_TIMER) - begin < us * 4)
        cpu_relax();
}

/* Comes cond within a time after which it never will? (QEMU's timers are late on a busy machine.)
 */
#define COMES(cond)                                                                                \
    ({                                                                                             \
        unsigned int tries_ = 0;                                                                   \
                                                                                                   \
        while (!(cond) && ++tries_ < 4000)                                                         \
            pm_wait(1000);                                                                         \
        tries_ < 4000;                                                                             \
    })

static void start_pic(void)
{
    outb(MASTER, 0x11);
    outb(MASTER + 1, BASE);
    outb(MASTER + 1, 4);
    outb(MASTER + 1, 1);
    outb(SLAVE, 0x11);
    outb(SLAVE + 1, BASE + 8);
    outb(SLAVE + 1, 2);
    outb(SLAVE + 1, 1);
    outb(SLAVE + 1, 0xff);
    outb(MASTER + 1, 0xff);
}

static void start_pit(unsigned int mode, unsigned int count)
{
    outb(PIT_MODE, (uint8_t)(0x30 | mode << 1));
    outb(PIT_0, (uint8_t)count);
    outb(PIT_0, (uint8_t)(count >> 8));
}

static void interval_timer(void)
{
    start_pit(2, 1193); /* 1 ms */
    pm_wait(5000);
    CHECK_EQ(ticks, 0, "masked in the PIC it does not come");
    outb(MASTER + 1, 0xfe);
    while (ticks < 5) {
        sti_hlt();
        cli();
    }
    CHECK(ticks >= 5, "unmasked it comes, again and again");
    lapic_write(LAPIC_LVT_LINT0, EXTINT | LVT_MASKED);
    ticks = 0;
    sti();
    pm_wait(5000);
    CHECK_EQ(ticks, 0, "masked in LINT0 it does not come");
    lapic_write(LAPIC_LVT_LINT0, EXTINT);
    CHECK(COMES(ticks >= 1), "and then it does");
    cli();
    start_pit(0, 1193);
    ticks = 0;
    sti();
    CHECK(COMES(ticks), "it comes in mode 0");
    pm_wait(6000);
    CHECK_EQ(ticks, 1, "once");
    cli();
    outb(MASTER + 1, 0xff);
}

static void console(void)
{
    outb(UART_MCR, MCR_OUT2);
    outb(MASTER + 1, 0xef);
    sti();
    outb(UART_IER, IER_THRE);
    __asm__ volatile("nop");
    CHECK_EQ(uarts, 1, "the UART tells that it is empty");
    printf("a line, whose end is told\n");
    CHECK(COMES(uarts >= 2), "and again when something was said");
    outb(UART_IER, 0);
    cli();
}

/* IRQ 0 is ranked above IRQ 4, which it may interrupt, but not the other way. */
static void ranks(void)
{
    with_eoi = false;
    ticks = uarts = 0;
    outb(MASTER, 0x0a);
    start_pit(0, 100);
    CHECK(COMES(inb(MASTER) & 1), "IRQ 0 is requested");
    outb(UART_IER, IER_THRE);
    outb(MASTER + 1, 0xee);
    sti();
    pm_wait(100);
    CHECK(ticks == 1 && uarts == 0, "IRQ 0 is taken, and IRQ 4 waits for its end");
    outb(MASTER, EOI);
    pm_wait(100);
    CHECK(ticks == 1 && uarts == 1, "which then comes");
    cli();
    outb(MASTER, 0x0b); /* which are in service? */
    CHECK_EQ(inb(MASTER), 0x10, "and is in service");
    outb(MASTER, EOI);
    CHECK_EQ(inb(MASTER), 0, "until EOI");
    outb(UART_IER, 0);
    with_eoi = true;
}

static void poll(void)
{
    outb(MASTER, 0x0a);
    start_pit(0, 100);
    CHECK(COMES(inb(MASTER) & 1), "IRQ 0 is requested");
    outb(MASTER, 0x0c);
    CHECK_EQ(inb(MASTER), 0x80, "a poll finds and takes it");
    outb(MASTER, 0x0c);
    CHECK_EQ(inb(MASTER) & 0x80, 0, "and then nothing");
    outb(MASTER, EOI);
    outb(MASTER + 1, 0xff);
}

/* Of a level: the UART takes it back. */
static void taken_back(void)
{
    outb(0x4d0, 0x10);
    outb(MASTER + 1, 0xef);
    outb(UART_IER, IER_THRE);
    outb(UART_IER, 0);
    sti();
    pm_wait(100);
    CHECK_EQ(uarts, 1, "what was taken back is not taken");
    printf("spurious: %u\n", spurious);
    CHECK(spurious <= 1, "or is a spurious one");
    cli();
    outb(0x4d0, 0);
    outb(MASTER + 1, 0xff);
}

/* Channel 2, which tells by port 61h alone. */
static void channel_2(void)
{
    unsigned int first, second;

    outb(PORT_61, inb(PORT_61) & 0xfe);
    outb(PIT_MODE, 0xb0);
    outb(PIT_2, 0);
    outb(PIT_2, 0x20); /* 6.9 ms */
    CHECK_EQ(inb(PORT_61) & 0x20, 0, "its output is low");
    outb(PORT_61, inb(PORT_61) | 1);
    outb(PIT_MODE, 0x80);
    first = inb(PIT_2);
    first |= (unsigned int)inb(PIT_2) << 8;
    pm_wait(500);
    outb(PIT_MODE, 0x80);
    second = inb(PIT_2);
    second |= (unsigned int)inb(PIT_2) << 8;
    CHECK(first != second, "it counts while its gate is open");
    while (!(inb(PORT_61) & 0x20))
        cpu_relax();
    outb(PORT_61, inb(PORT_61) & 0xfe);
}

void test_main(void)
{
    cli();
    trap_set_handler(BASE, tick);
    trap_set_handler(BASE + 4, uart);
    trap_set_handler(BASE + 7, is_spurious);
    start_pic();
    interval_timer();
    console();
    ranks();
    poll();
    taken_back();
    channel_2();
}
