/* SPDX-License-Identifier: MIT */
/*
 * The end of a kernel that cannot go on: say why, where, and by which way, then tell the
 * hypervisor "crash". The toolstack sees the reason; the console has the text.
 *
 * Backtraces follow the chain of rbp (the kernel is built with frame pointers) and are
 * symbolised from a table in the image: sorted addresses, and offsets of names. The build
 * links twice: the first image has an empty table and gives the symbols for the second.
 */
#include <guest/console.h>
#include <guest/kernel.h>

/* Made by the build from a first link; names are at symbol_names + offset. */
extern const uint64_t symbol_count;
extern const uint64_t symbol_addresses[];
extern const uint32_t symbol_offsets[];
extern const char symbol_names[];
extern const char _text[], _etext[];

#define BACKTRACE_DEPTH 24

static bool is_code(uint64_t address)
{
    return address >= (uint64_t)_text && address < (uint64_t)_etext;
}

static void print_symbol(uint64_t address)
{
    uint64_t low = 0, high = symbol_count;

    while (low < high) { /* low = number of symbols at or below address */
        uint64_t mid = (low + high) / 2;

        if (symbol_addresses[mid] <= address)
            low = mid + 1;
        else
            high = mid;
    }
    if (!low || !is_code(address))
        printf("  0x%lx\n", address);
    else
        printf("  0x%lx  %s+0x%lx\n", address, symbol_names + symbol_offsets[low - 1],
               address - symbol_addresses[low - 1]);
}

/* A frame pointer is believed when it is aligned, in mapped kernel memory, and goes up. */
static bool is_frame(uint64_t rbp, uint64_t previous)
{
    return rbp > previous && rbp >= (uint64_t)_etext && !(rbp & 7) &&
           rbp < VIRT_BASE + (nr_pfns << PAGE_SHIFT) && rbp < MAP_BASE - 16;
}

void backtrace_print(uint64_t rip, uint64_t rbp)
{
    uint64_t previous = 0;

    printf("backtrace:\n");
    print_symbol(rip);
    for (int i = 0; i < BACKTRACE_DEPTH && is_frame(rbp, previous); i++) {
        const uint64_t *frame = (const uint64_t *)rbp;

        if (!is_code(frame[1]))
            break;
        print_symbol(frame[1]);
        previous = rbp;
        rbp = frame[0];
    }
}

void trap_print_regs(const struct trap_regs *r)
{
    printf("  rip %04lx:%016lx  rsp %04lx:%016lx  rflags %08lx  vcpu %u\n", r->cs & 0xffff, r->rip,
           r->ss & 0xffff, r->rsp, r->rflags, this_cpu()->id);
    printf("  rax %016lx  rbx %016lx  rcx %016lx  rdx %016lx\n", r->rax, r->rbx, r->rcx, r->rdx);
    printf("  rsi %016lx  rdi %016lx  rbp %016lx  r8  %016lx\n", r->rsi, r->rdi, r->rbp, r->r8);
    printf("  r9  %016lx  r10 %016lx  r11 %016lx  r12 %016lx\n", r->r9, r->r10, r->r11, r->r12);
    printf("  r13 %016lx  r14 %016lx  r15 %016lx\n", r->r13, r->r14, r->r15);
}

void panic(const char *fmt, ...)
{
    char text[256];
    va_list ap;

    va_start(ap, fmt);
    vsnprintf(text, sizeof(text), fmt, ap);
    va_end(ap);
    console_dying();
    printf("\nPANIC: %s\n", text);
    /* *frame is the caller's own frame pointer */
    backtrace_print((uint64_t)__builtin_return_address(0), *(uint64_t *)__builtin_frame_address(0));
    shutdown_domain(SHUTDOWN_crash);
}
