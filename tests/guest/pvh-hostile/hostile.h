/* SPDX-License-Identifier: MIT */
/*
 * What lenders and their borrower know of each other: each lender grants LENT pages, by references
 * from 8 on, and each page holds code that returns the borrower's mark, a word of it.
 */
#ifndef HOSTILE_H
#define HOSTILE_H

#include <xen/grant_table.h>

#include "test.h"

#define LENT      8u
#define FIRST_REF GNTTAB_NR_RESERVED_ENTRIES
#define NS_PER_MS 1000000ul

struct loan {
    uint8_t before[4];      /* nop, nop, nop, mov eax, */
    volatile uint32_t mark; /* the borrower's alone while it has the page */
    uint8_t after[4];       /* ret */
};

static inline void rest(void)
{
    time_sleep_ns(NS_PER_MS);
}

/* Neither returns. */
void borrower(void);
void lender(void);

#endif
