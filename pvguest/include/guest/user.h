/* SPDX-License-Identifier: MIT */
/*
 * Applications of a PV guest: code that runs in "user mode".
 *
 * On x86-64 a PV kernel and its applications both run in ring 3. What keeps them apart is the
 * page table: the vCPU has two roots, the kernel's (MMUEXT_NEW_BASEPTR) and the user's
 * (MMUEXT_NEW_USER_BASEPTR), and the hypervisor changes from one to the other at each entry to
 * and exit from the guest kernel. The kernel's table usually holds both halves; this one does
 * not bother: user_map() maps a page in the user's table alone.
 *
 * user_run() enters user mode and comes back when something happens there that no handler
 * takes (trap_set_handler): a system call, an exception.
 */
#ifndef GUEST_USER_H
#define GUEST_USER_H

#include <guest/pagetable.h>
#include <guest/traps.h>

#define USER_CODE      0x400000ul
#define USER_STACK_TOP 0x800000ul

/* Makes the user's root table, pins it and installs it. 0 or -XEN_E*. */
int user_init(void);

extern pte_t *user_root;

/* Maps a frame in the user's table: PTE_PRESENT | PTE_USER and what else is wanted. */
int user_map(unsigned long va, pte_t pte);

/* Copies code to a fresh page at USER_CODE (callable again: replaces it); maps a stack. */
int user_load(const void *code, size_t len);

/*
 * Enters user mode with these registers; cs, ss and rflags are filled in when they are 0.
 * Returns the vector that ended it (VECTOR_SYSCALL, TRAP_*), with *regs as the user left them.
 */
unsigned int user_run(struct trap_regs *regs);

/* For trap_dispatch(): true when regs now lead back into user_run(). */
bool user_leave(struct trap_regs *regs);

#endif
