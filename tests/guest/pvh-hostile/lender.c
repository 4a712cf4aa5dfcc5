/* SPDX-License-Identifier: MIT */
/*
 * The lenders, each with one deed. Those that go on do theirs each time that the borrower has all
 * of the pages, and make up for it as far as they must to be lent from again; done three times, or
 * once what cannot be done again, they say so.
 *
 * Command line: do=NAME peer=ID
 */
#include <xen/io/console.h>

#include <guest/grant.h>
#include <guest/hvm.h>
#include <guest/machine.h>

#include "hostile.h"

#define WINDOW 0x400000000000ul
#define HOLE   0xd0000ul /* frames where no memory is */

static void *lent[LENT], *other[LENT];
static char name[32];

static void has_done_it(void)
{
    static unsigned int turns;

    if (++turns == 3)
        printf("hostile: %s has done it\n", name);
}

static void must(bool ok)
{
    if (!ok)
        panic("hostile: %s could not be done", name);
}

static bool all_in_use(bool yes)
{
    for (unsigned int i = 0; i < LENT; i++)
        if (grant_in_use(FIRST_REF + i) != yes)
            return false;
    return true;
}

static void until_all_are(bool in_use)
{
    while (!all_in_use(in_use))
        rest();
}

static void write_code(void)
{
    static const struct loan code = {{0x90, 0x90, 0x90, 0xb8}, 0, {0xc3}};

    for (unsigned int i = 0; i < LENT; i++) {
        struct loan *l = lent[i];

        memcpy(l->before, code.before, sizeof(code.before));
        memcpy(l->after, code.after, sizeof(code.after));
    }
}

/* How many were. */
static long reserve_frames(unsigned int cmd, xen_pfn_t *list, unsigned int n)
{
    struct xen_memory_reservation r = {.nr_extents = n, .domid = DOMID_SELF};

    set_xen_guest_handle(r.extent_start, list);
    return HYPERVISOR_memory_op(cmd, &r);
}

static long reserve(unsigned int cmd, void *const *pages, unsigned int n)
{
    xen_pfn_t list[LENT];

    for (unsigned int i = 0; i < n; i++)
        list[i] = virt_to_pfn(pages[i]);
    return reserve_frames(cmd, list, n);
}

static void take_out(void *const *pages, unsigned int n)
{
    must(reserve(XENMEM_decrease_reservation, pages, n) == n);
}

/* What the borrower has counts as this guest's, until the hypervisor has it back. */
static void fill(void *const *pages, unsigned int n)
{
    for (long done; n; pages += done, n -= (unsigned int)done) {
        done = reserve(XENMEM_populate_physmap, pages, n);
        must(done >= 0);
        if (!done)
            rest();
    }
}

static bool put(unsigned int space, unsigned long idx, const void *place)
{
    struct xen_add_to_physmap a = {
        .domid = DOMID_SELF, .space = space, .idx = idx, .gpfn = virt_to_pfn(place)};

    return !HYPERVISOR_memory_op(XENMEM_add_to_physmap, &a);
}

/* ---- those that go on ---- */

/* Other frames come where the lent ones were, while the borrower has those. */
static void gives_back(void)
{
    take_out(other, LENT);
    until_all_are(true);
    take_out(lent, LENT);
    fill(lent, LENT);
    until_all_are(false);
    fill(other, LENT);
    write_code();
}

static void moves(void)
{
    until_all_are(true);
    for (unsigned int i = 0; i < LENT; i++) {
        must(put(XENMAPSPACE_gmfn, virt_to_pfn(lent[i]), other[i]));
        must(!put(XENMAPSPACE_gmfn, virt_to_pfn(lent[i]), other[i]));
    }
    must(put(XENMAPSPACE_grant_table, GRANT_FRAMES - 1, lent[0]));
    must(put(XENMAPSPACE_gmfn, virt_to_pfn(other[0]), lent[0]));
    until_all_are(false);
    fill(&lent[1], LENT - 1);
    take_out(&other[1], LENT - 1);
    fill(other, LENT);
    write_code();
}

/* The entries are another's, name what is not there, are free; then as they were. */
static void ends_access(void)
{
    until_all_are(true);
    for (unsigned int i = 0; i < LENT; i++) {
        grant_entry_v1_t *e = grant_entry(FIRST_REF + i), before = *e;

        *e = (grant_entry_v1_t){.flags = 0xffff, .domid = DOMID_SELF, .frame = ~0u};
        rest();
        *e = (grant_entry_v1_t){0};
        rest();
        e->domid = before.domid;
        e->frame = before.frame;
        e->flags = GTF_permit_access;
    }
}

/* Code that the borrower writes. */
static void runs(void)
{
    uint32_t before = ((uint32_t(*)(void))lent[0])(), now[LENT] = {0};

    until_all_are(true);
    for (unsigned int i = 0; i < LENT; i++)
        while ((now[i] = ((uint32_t(*)(void))lent[i])()) <= before)
            cpu_relax();
}

static void holes(void)
{
    static bool are;

    if (!are)
        take_out(lent, LENT);
    are = true;
    for (unsigned int i = LENT / 2; i < LENT; i++)
        grant_entry(FIRST_REF + i)->frame = i & 1 ? 0xfee00 : i & 2 ? HOLE : ~0u - i;
    rest();
}

/* Each is there, and not, and there again, whoever wants it meanwhile. */
static void flaps(void)
{
    static bool has_room;

    if (!has_room)
        take_out(other, LENT);
    has_room = true;
    for (unsigned int i = 0; i < LENT; i++) {
        take_out(&lent[i], 1);
        fill(&lent[i], 1);
        if (i % 2)
            rest();
    }
}

/* Code that the control domain writes, as it is typed: push imm32, pop rax, ret. Then the control
 * domain has pages alone which it shared with this guest. */
static void console(void)
{
    static const uint8_t code[] = {'h', 0, 0, 0, 0, 'X', 0xc3};
    struct xencons_interface *ring = shared_page(start_info->console.domU.mfn);
    xen_pfn_t shared[] = {start_info->console.domU.mfn, start_info->store_mfn};
    uint64_t got = 0;

    cli(); /* nobody else takes what is typed */
    memcpy(ring->in, code, sizeof(code));
    must(!pt_map(WINDOW, pte_make(start_info->console.domU.mfn, PTE_KERNEL_RO)));
    while (got != 0x54534554)
        got = ((uint64_t(*)(void))WINDOW)();
    printf("hostile: %s has done it\n", name);
    must(reserve_frames(XENMEM_decrease_reservation, shared, 2) == 2);
    for (;;)
        cpu_relax();
}

/* ---- those that end while the borrower has what they lent ---- */

static void waits(void)
{
    until_all_are(true);
    rest();
}

static void triple_fault(void)
{
    static const struct __attribute__((packed)) {
        uint16_t limit;
        uint64_t base;
    } none;

    until_all_are(true);
    __asm__ volatile("lidt %0; ud2" : : "m"(none));
}

static void jump_to_hole(void)
{
    until_all_are(true);
    must(!pt_map(WINDOW, pte_make(HOLE, PTE_KERNEL_RO)));
    ((void (*)(void))WINDOW)();
}

static void powers_off(void)
{
    until_all_are(true);
    take_out(lent, LENT / 2);
    shutdown_domain(SHUTDOWN_poweroff);
}

static const struct {
    const char *name;
    void (*fn)(void);
} deeds[] = {
    {"gives-back", gives_back},
    {"moves", moves},
    {"ends-access", ends_access},
    {"runs", runs},
    {"holes", holes},
    {"flaps", flaps},
    {"console", console},
    {"waits", waits},
    {"triple-fault", triple_fault},
    {"jump-to-hole", jump_to_hole},
    {"powers-off", powers_off},
};

static void lend(domid_t peer)
{
    for (unsigned int i = 0; i < LENT; i++) {
        lent[i] = test_page();
        other[i] = test_page();
        must(!pt_protect(lent[i], PTE_KERNEL_RW)); /* and executable */
    }
    write_code();
    must(!grant_init());
    for (unsigned int i = 0; i < LENT; i++)
        must(grant_access(peer, virt_to_mfn(lent[i]), false) == (int)(FIRST_REF + i));
}

void lender(void)
{
    (void)cmdline_get("do", name, sizeof(name));
    lend((domid_t)cmdline_number("peer", DOMID_INVALID));
    printf("hostile: %s begins\n", name);
    for (unsigned int i = 0; i < ARRAY_SIZE(deeds); i++)
        while (!strcmp(name, deeds[i].name)) {
            deeds[i].fn();
            has_done_it();
        }
    test_error("do=%s is no deed", name);
}
