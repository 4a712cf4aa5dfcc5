/* SPDX-License-Identifier: MIT */
/*
 * Kernel files made to order for the fuzzer of the kernel reader: any content in each format, bare
 * or in a bzImage.
 */
#ifndef TESTS_FUZZ_KERNEL_PACK_H
#define TESTS_FUZZ_KERNEL_PACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

enum { PACK_NONE, PACK_GZIP, PACK_XZ, PACK_ZSTD, PACK_LZ4, PACK_FORMATS };

/* How many bytes of out it is; 0: it does not fit. */
size_t kernel_pack(unsigned int format, const uint8_t *in, size_t size, uint8_t *out, size_t room);
size_t kernel_wrap(const uint8_t *payload, size_t size, uint8_t *out, size_t room);

#endif
