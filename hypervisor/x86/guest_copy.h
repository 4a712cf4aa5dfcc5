/* SPDX-License-Identifier: MIT */
/*
 * guest_copy.asm: 0, or -XEN_EFAULT when the memory could not be reached. Ranges are checked
 * before.
 */
#ifndef X86_GUEST_COPY_H
#define X86_GUEST_COPY_H

#include <hv/types.h>

int guest_copy(uint64_t to, uint64_t from, size_t n);
int guest_clear(uint64_t to, size_t n);

#endif
