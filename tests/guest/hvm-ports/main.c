/* SPDX-License-Identifier: MIT */
/*
 * Shows: each of the 65,536 I/O ports can be read, in each width, and where there is no device it
 * reads as ones; writing to what is no device is nothing; devices hold what is written to them;
 * string instructions move what they should, forwards and backwards, and a page fault on the way
 * arrives in the guest with the progress in its registers.
 */
#include <guest/hvm.h>
#include <guest/machine.h>

#include "test.h"

const char test_name[] = "hvm-ports";

#define UART_SCRATCH 0x3ff
#define PIC_MASK     0x21
#define UNUSED       0x278
#define PM_TIMER     0x608
#define FLAG_DF      0x400ul

static bool in(unsigned int port, unsigned int first, unsigned int last)
{
    return port >= first && port <= last;
}

/* What docs/architecture.md lists, in short. */
static bool has_device(unsigned int port)
{
    return in(port, 0x20, 0x21) || in(port, 0x40, 0x43) || port == 0x61 || port == 0x64 ||
           in(port, 0x70, 0x71) || in(port, 0xa0, 0xa1) || in(port, 0x3f8, 0x3ff) ||
           in(port, 0x4d0, 0x4d1) || in(port, 0x600, 0x60b) || port == 0xcf9;
}

static bool is_near_device(unsigned int port)
{
    return has_device(port) || has_device(port + 1) || has_device(port + 2) || has_device(port + 3);
}

static void every_port(void)
{
    unsigned int wrong = 0;

    for (unsigned int port = 0; port < 0x10000; port++) {
        bool open = !is_near_device(port);

        wrong += inb((uint16_t)port) != 0xff && open;
        if (port > 0xd00 && port % 16) /* where nothing is, some are enough */
            continue;
        wrong += inw((uint16_t)port) != 0xffff && open;
        wrong += inl((uint16_t)port) != ~0u && open;
    }
    CHECK_EQ(wrong, 0, "a port without a device reads as ones");
}

static void widths(void)
{
    uint64_t rax = 0x1122334455667788;

    __asm__ volatile("inb %w1, %%al" : "+a"(rax) : "d"(UNUSED));
    CHECK_EQ(rax, 0x11223344556677ff, "IN of a byte leaves the rest of RAX");
    __asm__ volatile("inw %w1, %%ax" : "+a"(rax) : "d"(UNUSED));
    CHECK_EQ(rax, 0x112233445566ffff, "IN of a word likewise");
    __asm__ volatile("inl %w1, %%eax" : "+a"(rax) : "d"(UNUSED));
    CHECK_EQ(rax, 0xffffffff, "IN of a double word clears the upper half");
    __asm__ volatile("inb $0x80, %%al; outb %%al, $0x80" : "+a"(rax));
    CHECK_EQ(rax, 0xffffffff, "the forms with the port in the instruction");
}

static void devices_hold(void)
{
    outb(UART_SCRATCH, 0x5a);
    CHECK_EQ(inb(UART_SCRATCH), 0x5a, "the UART's scratch register");
    outb(PIC_MASK, 0xa5);
    CHECK_EQ(inb(PIC_MASK), 0xa5, "the PIC's mask");
    outb(PIC_MASK, 0xff);
    for (unsigned int port = 0x2000; port < 0x2100; port++)
        outl((uint16_t)port, port);
    CHECK_EQ(inl(0x2040), ~0u, "what is written nowhere is nowhere");
    CHECK(inl(PM_TIMER) != inl(PM_TIMER) || inl(PM_TIMER) != inl(PM_TIMER), "the PM timer counts");
}

/* Runs `rep outsb` or `rep insb`; what is left of count comes back. */
struct string_io {
    void *memory;
    uint64_t count;
    uint64_t flags;
    uint16_t port;
    bool in;
};

static void do_string(void *arg)
{
    struct string_io *s = arg;

    if (s->flags)
        __asm__ volatile("std");
    if (s->in)
        __asm__ volatile("rep insb" : "+D"(s->memory), "+c"(s->count) : "d"(s->port) : "memory");
    else
        __asm__ volatile("rep outsb" : "+S"(s->memory), "+c"(s->count) : "d"(s->port) : "memory");
    __asm__ volatile("cld");
}

static void strings(void)
{
    static uint8_t buffer[16];
    struct string_io s = {buffer, 3, 0, UART_SCRATCH, false};

    memcpy(buffer, "abc", 3);
    do_string(&s);
    CHECK_EQ(inb(UART_SCRATCH), 'c', "OUTS: the last byte of three is what the port has");
    CHECK(s.memory == buffer + 3 && !s.count, "RSI and RCX say that all is done");
    s = (struct string_io){buffer + 7, 4, 0, UART_SCRATCH, true};
    do_string(&s);
    CHECK(!memcmp(buffer + 6, "\0cccc", 6), "INS: four bytes, and no other");
    CHECK(s.memory == buffer + 11 && !s.count, "RDI and RCX say so");
    s = (struct string_io){buffer + 2, 2, FLAG_DF, UART_SCRATCH, false};
    do_string(&s);
    CHECK_EQ(inb(UART_SCRATCH), 'b', "OUTS downwards: b after c");
    CHECK(s.memory == buffer, "RSI has gone down");
    s = (struct string_io){buffer, 0, 0, UNUSED, true};
    do_string(&s);
    CHECK_EQ(buffer[0], 'a', "with RCX 0 nothing is done");
}

static uint64_t fault_rdi, fault_rcx;

static bool note_progress(struct trap_regs *regs)
{
    fault_rdi = regs->rdi;
    fault_rcx = regs->rcx;
    return false;
}

static void strings_that_fault(void)
{
    uint8_t *page = test_page();
    struct string_io s = {page + PAGE_SIZE - 2, 5, 0, UNUSED, true};
    uint64_t error = 0;

    NEED(!pt_unmap((unsigned long)(page + PAGE_SIZE)));
    trap_set_handler(TRAP_PAGE_FAULT, note_progress);
    CHECK_EQ(probe_call(do_string, &s, &error), TRAP_PAGE_FAULT, "INS into what is not mapped");
    CHECK_EQ(error, 2, "is a write to a page that is not there");
    CHECK_EQ(trap_fault_address(), (unsigned long)page + PAGE_SIZE, "at its first byte");
    CHECK_EQ(fault_rdi, (unsigned long)page + PAGE_SIZE, "RDI is there");
    CHECK_EQ(fault_rcx, 3, "and three of five are left");
    CHECK_EQ(page[PAGE_SIZE - 1], 0xff, "what came before is written");
    trap_set_handler(TRAP_PAGE_FAULT, NULL);
    s = (struct string_io){(void *)0x0000800000000000, 1, 0, UNUSED, true};
    CHECK_EQ(probe_call(do_string, &s, NULL), TRAP_GP, "INS to an address that is not canonical");
    s = (struct string_io){(void *)test_name, 1, 0, UNUSED, true};
    CHECK_EQ(probe_call(do_string, &s, &error), TRAP_PAGE_FAULT, "INS to what is read-only");
    CHECK_EQ(error, 3, "is a write to a page that is there");
}

void test_main(void)
{
    every_port();
    widths();
    devices_hold();
    strings();
    strings_that_fault();
}
