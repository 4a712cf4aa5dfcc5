/* SPDX-License-Identifier: MIT */
/* The fully virtualized domains of pages.c: vm_pages.c. */
#ifndef TESTS_TORTURE_VM_PAGES_H
#define TESTS_TORTURE_VM_PAGES_H

#include "torture.h"

#define FIRST_VM 3 /* those below are paravirtual */

extern const struct vm_program torture_vm_pages;

void vm_pages_born(domid_t id);
uint64_t vm_pages_any(struct guest *g); /* a frame that such a domain may have */

#endif
