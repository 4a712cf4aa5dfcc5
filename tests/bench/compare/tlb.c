/* SPDX-License-Identifier: MIT */
/*
 * A TLB, simulated: which accesses to memory have to walk page tables.
 *
 * It has 1536 entries in 12 ways, the least recently used goes first: as many as a second level has
 * from Skylake on, and fewer than from Zen 2 on; one for instructions and data. What is touched
 * between two flushes here is seldom a tenth of that, so that other sizes find nearly the same. The
 * first level and what a CPU keeps of upper tables are not in it, nor are PCIDs, which the emulated
 * CPU has not; nor INVLPG, whose one walk afterwards is missing.
 *
 * A write of CR3 keeps what is global. Linux maps its kernel so. For a paravirtual guest, whose CR3
 * the hypervisor writes, it is user mode and the hypervisor that are global, and the guest's kernel
 * that has to be found again, in Parvis and in Xen. Where all goes, the hypervisor writes CR4 too.
 *
 * Of what size a page is cannot be seen in an address. So there are two TLBs side by side: one has
 * 2 MiB where Linux, not paravirtual, and hypervisors map text and all of memory, as they do; one
 * has 4 KiB everywhere, as where nested tables have only these. A real one is between both.
 */
#include <stdbool.h>
#include <stddef.h>
#include <string.h>

#include "tlb.h"

#define PAGE_SHIFT  12
#define LARGE_SHIFT 21
#define WAYS        12
#define SETS        128
#define RECENT      256

#define USER_END         0x0000800000000000ull
#define HYPERVISOR_BEGIN 0xffff800000000000ull
#define HYPERVISOR_END   0xffff880000000000ull
#define MEMORY_BEGIN     0xffff888000000000ull /* Linux: all memory, not paravirtual */
#define MEMORY_END       0xffffc88000000000ull
#define TEXT_BEGIN       0xffffffff80000000ull
#define TEXT_END         0xffffffffc0000000ull

struct entry {
    uint64_t page; /* an address in it; 0: none */
    uint64_t used; /* when */
};

static struct entry tlbs[TLB_SIZES][SETS][WAYS];
static uint64_t now = 1;
static bool paravirtual; /* the last who wrote CR3 was a hypervisor */
uint64_t tlb_walks[TLB_SIZES];

/* Pages that both have, for sure: looked at first, as nearly all accesses are to these. */
static uint64_t recent[RECENT];

static bool in(uint64_t address, uint64_t begin, uint64_t end)
{
    return address >= begin && address < end;
}

static bool of_hypervisor(uint64_t address)
{
    return in(address, HYPERVISOR_BEGIN, HYPERVISOR_END);
}

static unsigned int shift_of(uint64_t address, unsigned int size)
{
    bool large = of_hypervisor(address);

    if (size == TLB_SMALL)
        return PAGE_SHIFT;
    if (!paravirtual)
        large |= in(address, MEMORY_BEGIN, MEMORY_END) || in(address, TEXT_BEGIN, TEXT_END);
    return large ? LARGE_SHIFT : PAGE_SHIFT;
}

static void forget_recent(void)
{
    memset(recent, 0, sizeof(recent));
}

static void look(uint64_t address, unsigned int size)
{
    unsigned int shift = shift_of(address, size);
    uint64_t page = (address >> shift << shift) | 1; /* never 0 */
    struct entry *set = tlbs[size][(address >> shift) % SETS], *oldest = set;

    for (struct entry *e = set; e < set + WAYS; e++) {
        if (e->page == page) {
            e->used = now;
            return;
        }
        if (e->used < oldest->used)
            oldest = e;
    }
    tlb_walks[size]++;
    if (oldest->page)
        forget_recent();
    *oldest = (struct entry){page, now};
}

void tlb_access(uint64_t address)
{
    uint64_t page = address >> PAGE_SHIFT, *slot = &recent[page % RECENT];

    if (*slot == page + 1)
        return;
    now++;
    for (unsigned int size = 0; size < TLB_SIZES; size++)
        look(address, size);
    *slot = page + 1;
}

static bool is_kept(uint64_t page)
{
    bool user = page < USER_END;

    return paravirtual ? user || of_hypervisor(page) : !user;
}

static void drop(bool all)
{
    struct entry *e = &tlbs[0][0][0];

    for (size_t i = 0; i < sizeof(tlbs) / sizeof(*e); i++)
        if (all || !is_kept(e[i].page))
            e[i] = (struct entry){0, 0};
    forget_recent();
}

void tlb_load_cr3(uint64_t by)
{
    paravirtual = of_hypervisor(by);
    drop(false);
}

void tlb_flush(void)
{
    drop(true);
}
