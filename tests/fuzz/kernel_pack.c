/* SPDX-License-Identifier: MIT */
/*
 * The packers of kernel_pack.h: the libraries that the reader unpacks with.
 */
#include "kernel_pack.h"

#include <string.h>

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#define HEADER 1024u /* of a bzImage: the boot sector and one of set-up code */

static size_t pack_gzip(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in,
                  .avail_in = (uInt)size,
                  .next_out = out,
                  .avail_out = (uInt)room};
    int rc;

    if (deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY) != Z_OK)
        return 0;
    rc = deflate(&z, Z_FINISH);
    deflateEnd(&z);
    return rc == Z_STREAM_END ? room - z.avail_out : 0;
}

static size_t pack_xz(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    size_t n = 0;

    return lzma_easy_buffer_encode(0, LZMA_CHECK_CRC32, NULL, in, size, out, &n, room) == LZMA_OK
               ? n
               : 0;
}

static size_t pack_zstd(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    size_t n = ZSTD_compress(out, room, in, size, 1);

    return ZSTD_isError(n) ? 0 : n;
}

/* The legacy format: a magic number, then blocks after their packed sizes. */
static size_t pack_lz4(const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    static const uint8_t magic[4] = {0x02, 0x21, 0x4c, 0x18};
    size_t half = size / 2, at = 4;

    if (room < 4)
        return 0;
    memcpy(out, magic, 4);
    for (unsigned int block = 0; block < 2; block++) {
        size_t from = block ? half : 0, bytes = block ? size - half : half;
        int n = room < at + 4 ? 0
                              : LZ4_compress_default((const char *)in + from, (char *)out + at + 4,
                                                     (int)bytes, (int)(room - at - 4));
        uint32_t packed = (uint32_t)n;

        if (n <= 0)
            return 0;
        memcpy(out + at, &packed, 4);
        at += 4 + packed;
    }
    return at;
}

size_t kernel_pack(unsigned int format, const uint8_t *in, size_t size, uint8_t *out, size_t room)
{
    switch (format) {
    case PACK_GZIP:
        return pack_gzip(in, size, out, room);
    case PACK_XZ:
        return pack_xz(in, size, out, room);
    case PACK_ZSTD:
        return pack_zstd(in, size, out, room);
    case PACK_LZ4:
        return pack_lz4(in, size, out, room);
    default:
        if (size > room)
            return 0;
        memcpy(out, in, size);
        return size;
    }
}

size_t kernel_wrap(const uint8_t *payload, size_t size, uint8_t *out, size_t room)
{
    uint32_t offset = 16, length = (uint32_t)size;

    if (HEADER + offset + size > room)
        return 0;
    memmove(out + HEADER + offset, payload, size);
    memset(out, 0, HEADER + offset);
    out[0x1f1] = 1;
    memcpy(out + 0x1fe, "\x55\xaa", 2);
    memcpy(out + 0x202, "HdrS\x0f\x02", 6);
    memcpy(out + 0x248, &offset, 4);
    memcpy(out + 0x24c, &length, 4);
    return HEADER + offset + size;
}
