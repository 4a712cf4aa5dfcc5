/* SPDX-License-Identifier: MIT */
/*
 * One page, two uses: vCPUs that fight for a page, each to write to it or to make it a table.
 *
 * What a hypervisor must hold to while many ask at once: the page is never writable and a table at
 * the same time, and no TLB knows it as writable any more when it becomes a table; for who had it
 * writable drops the mapping without a flush. Each vCPU maps it at an address of its own; the
 * entries of these may all lie in one table, which all of them change then.
 */
#ifndef GUEST_PAGE_FIGHT_H
#define GUEST_PAGE_FIGHT_H

#include <stdbool.h>

/* How often the page was memory and a table at once: must stay 0. */
extern unsigned int page_fight_wrong;

/* Takes a page out of the linear map, to fight for. 0 or -XEN_E*. */
int page_fight_begin(void);
/* When nobody fights any more: gives the page back. 0 or -XEN_E*. */
int page_fight_end(void);

/* Has the page once and lets it go: mapped at va, to write to; or as a table. va is this vCPU's
 * alone, and the tables that lead to it exist. False: others had it. */
bool page_fight_as_memory(unsigned long va);
bool page_fight_as_table(unsigned long va);

#endif
