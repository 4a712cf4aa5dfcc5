/* SPDX-License-Identifier: MIT */
/*
 * The parts of the test `bounded`, to each other: main.c, grants.c.
 */
#ifndef BOUNDED_H
#define BOUNDED_H

#include <guest/memory.h>

#define NR_SINGLES 2048u

/* --- main.c --- */
extern domid_t self;
extern xen_pfn_t list[NR_SINGLES]; /* frames, or their places, that reserve() is about */
/* XENMEM_decrease_reservation and the like, of the first n in the list: how many were done. */
long reserve(unsigned int cmd, unsigned long n, unsigned int order);
/* Takes pages out of the linear map; list says their frames, pfns their places. */
bool take_pages(void *pages, unsigned int n);

/* --- grants.c --- */
void whole_table(void);
void grants(bool hold);
/* Borrows from the domains self + 1 to self + n, which lend(). */
void foreign_grants(unsigned int n);
void __attribute__((noreturn)) lend(domid_t to);

#endif
