/* SPDX-License-Identifier: MIT */
/*
 * Decompression behind one interface: bytes in, bytes on the heap out.
 *
 * One row a format. A format that is recognised but has no decoder is a row too, so that the
 * message can name it. Input is hostile: output is bounded, and so is a decoder's own memory.
 */
#ifndef PARVIS_TOOLS_UNPACK_H
#define PARVIS_TOOLS_UNPACK_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

struct unpacker;

/* The format that the first bytes say, or NULL. */
const struct unpacker *unpack_recognise(const uint8_t *data, size_t size);
/* No output may be larger, whatever the limit; nor may a payload. */
#define UNPACK_MAX (1ULL << 30)
/* Unpacks one stream to at most `limit` bytes (else -EFBIG); what follows its end is ignored. *out
 * is malloc'ed. */
int __must_check unpack(const struct unpacker *u, const uint8_t *data, size_t size,
                        const char *name, uint64_t limit, uint8_t **out, size_t *out_size,
                        struct error *e);

#endif
