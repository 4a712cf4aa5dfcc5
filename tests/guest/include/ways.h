/* SPDX-License-Identifier: MIT */
/*
 * For tests of the two ways into a guest's kernel and back: a short one (pv/cpu/bounce.asm) and a
 * general one, which is taken, for one thing, when a guest has asked for an architectural IOPL. All
 * is looked at without and with that, and must look the same.
 */
#ifndef WAYS_H
#define WAYS_H

#include "test.h"

#define RFLAGS_ALWAYS 0x2ul
#define RFLAGS_DF     0x400ul
#define RFLAGS_IOPL   0x3000ul
#define RFLAGS_NT     0x4000ul
#define RFLAGS_RF     0x10000ul
#define RFLAGS_AC     0x40000ul
#define RFLAGS_ID     0x200000ul

#define LOW               0x10000000ul         /* where the kernel's table maps nothing */
#define TOP               (-PAGE_SIZE)         /* the last page of all */
#define OF_THE_HYPERVISOR 0xffff830000090000ul /* its map of all memory: it may write there */

void ways_choose(bool longer);
/* Where the kernel is entered from user mode. */
void ways_set_stack(unsigned long sp);

/* The deed that the command line asks for, by the way that it asks for (long=1): an entry onto a
 * stack that is not there, which is the program's own to make, or one of these n. Each ends the
 * domain. False: none is asked for. */
struct ways_deed {
    const char *name;
    void (*fn)(void);
};
bool ways_deed(void (*enter)(unsigned long sp), const struct ways_deed *own, unsigned int n);

#endif
