/* SPDX-License-Identifier: MIT */
/*
 * Between guest_copy.asm and guest_access.c. 0, or -XEN_EFAULT when the memory could not be
 * reached.
 */
#ifndef X86_GUEST_COPY_H
#define X86_GUEST_COPY_H

#include <hv/types.h>

/* Ranges were checked before. */
int guest_copy(uint64_t to, uint64_t from, size_t n);
int guest_clear(uint64_t to, size_t n);

/* Where those of port/guest_access.h go on for what is not at the top. */
int copy_from_elsewhere(void *to, gva_t from, size_t n);
int64_t read_u32_elsewhere(gva_t from);
int write_elsewhere(gva_t to, const void *from, size_t n);
int write_word_elsewhere(gva_t to, uint64_t word);
int try_elsewhere(gva_t at, const void *was, size_t n);

#endif
