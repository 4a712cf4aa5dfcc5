/* SPDX-License-Identifier: MIT */
/*
 * What the tests of kernels that are kept share: a packed kernel in a file, on a disk or a file
 * system of the test's choice, and a clock and memory that are what the test says.
 */
#ifndef KERNEL_CACHE_SUPPORT_H
#define KERNEL_CACHE_SUPPORT_H

#include <limits.h>
#include <stdint.h>
#include <time.h>

#define SIZE  100000u
#define LIMIT (1u << 20)

extern char run[], file[PATH_MAX]; /* the state directory; a kernel in it */
extern unsigned int unpacked;      /* so often */
extern void (*meanwhile)(void);    /* happens while it is unpacked */
extern time_t later;               /* than now, for who asks */
extern uint64_t available;         /* bytes of memory */

int set_up(void **state);
int clean_up(void **state);
/* A kernel of this byte, at a path. */
void write_kernel(const char *path, uint8_t byte);
/* It is opened, and is that one. */
void opens(const char *path, uint8_t byte);
/* Files below the state directory, but for the lock. */
unsigned int files_in(const char *below);
void remove_in(const char *below);
/* All files are on a disk of this number (NULL: of none). */
void disk_is(const char *number);
/* They are on a file system of this type, which shows no disk. */
void file_system_is(long type);

#endif
