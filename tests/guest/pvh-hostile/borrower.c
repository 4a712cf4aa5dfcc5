/* SPDX-License-Identifier: MIT */
/*
 * The borrower: maps all that the lenders lend, writes its mark, waits a while, looks whether it
 * has the pages still, gives them back, and all again. From those that end it never gives back
 * what it has once. What becomes of the lenders is nothing to it, and that a page which it has
 * mapped changes, or cannot be given back, is its end.
 *
 * Each key on its console asks how far it is, and of each lender, how often it got a page and how
 * often it was refused one.
 *
 * Command line: first=ID lenders=N keeps=N: of so many, the last, it gives nothing back
 */
#include <guest/console.h>
#include <guest/grant.h>

#include "hostile.h"

#define MOST_LENDERS 16u
#define HOLD_NS      (5 * NS_PER_MS)

static struct {
    struct loan *at[LENT]; /* NULL: not mapped */
    uint32_t mark[LENT];
    grant_handle_t handle[LENT];
    unsigned int got, refused;
} lenders[MOST_LENDERS];
static unsigned int nr_lenders, keeps;
static domid_t first;
static uint32_t turns;

static void borrow(unsigned int l)
{
    for (unsigned int i = 0; i < LENT; i++) {
        void *va;

        if (lenders[l].at[i])
            continue;
        if (grant_map((domid_t)(first + l), FIRST_REF + i, false, &va, &lenders[l].handle[i])) {
            lenders[l].refused++;
            continue;
        }
        lenders[l].got++;
        lenders[l].at[i] = va;
    }
}

static void mark(unsigned int l)
{
    for (unsigned int i = 0; i < LENT; i++)
        if (lenders[l].at[i])
            lenders[l].at[i]->mark = lenders[l].mark[i] = turns;
}

static void look(unsigned int l)
{
    for (unsigned int i = 0; i < LENT; i++)
        if (lenders[l].at[i] && lenders[l].at[i]->mark != lenders[l].mark[i])
            panic("borrower: page %u of lender %u has changed: 0x%x, not 0x%x", i, l,
                  lenders[l].at[i]->mark, lenders[l].mark[i]);
}

static void give_back(unsigned int l)
{
    for (unsigned int i = 0; i < LENT; i++) {
        if (!lenders[l].at[i])
            continue;
        if (grant_unmap(lenders[l].at[i], lenders[l].handle[i]))
            panic("borrower: page %u of lender %u cannot be given back", i, l);
        lenders[l].at[i] = NULL;
    }
}

static void answer(void)
{
    static unsigned int answers;

    while (console_getc() >= 0)
        ;
    printf("borrower: answer %u: turns %u", ++answers, turns);
    for (unsigned int l = 0; l < nr_lenders; l++)
        printf(" %u/%u", lenders[l].got, lenders[l].refused);
    printf("\n");
}

static void for_all(void (*fn)(unsigned int), unsigned int n)
{
    for (unsigned int l = 0; l < n; l++)
        fn(l);
}

void borrower(void)
{
    first = (domid_t)cmdline_number("first", DOMID_INVALID);
    nr_lenders = (unsigned int)cmdline_number("lenders", 0);
    keeps = (unsigned int)cmdline_number("keeps", 0);
    BUG_ON(nr_lenders > MOST_LENDERS || keeps > nr_lenders || grant_init());
    printf("borrower: works until it is ended\n");
    for (;; turns++) {
        for_all(borrow, nr_lenders);
        for_all(mark, nr_lenders);
        time_sleep_ns(HOLD_NS);
        for_all(look, nr_lenders);
        for_all(give_back, nr_lenders - keeps);
        if (console_has_input())
            answer();
    }
}
