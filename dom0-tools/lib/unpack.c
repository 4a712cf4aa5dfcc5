/* SPDX-License-Identifier: MIT */
/*
 * Decompression: see unpack.h.
 *
 * Each decoder is a loop that asks for room in a growing buffer and stops at the end of the
 * stream. It answers NULL when all is well, else what is wrong with the data, as the end of a
 * sentence that begins with the file and the format. lz4's legacy format has no end mark: blocks of
 * 8 MiB unpacked, each after its packed size, until nothing is left, or until the 4 bytes that
 * Linux adds are left.
 */
#include "unpack.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>

#define MAX_UNPACKED       (1ULL << 30)
#define MAX_DECODER_MEMORY (256ULL << 20)
#define FIRST_BUFFER       (32ULL << 20)
#define LZ4_BLOCK          (8u << 20)
#define LZ4_LEGACY_MAGIC   0x184c2102u

#define CORRUPT   "is corrupt"
#define TRUNCATED "is truncated"
#define TOO_LARGE "unpacks to more than 1 GiB"

static const char no_memory[] = "could not be unpacked: out of memory";

struct buffer {
    uint8_t *data;
    size_t used, size;
};

struct unpacker {
    const char *name;
    uint8_t magic_size;
    uint8_t magic[6];
    const char *(*run)(const uint8_t *in, size_t size, struct buffer *out);
};

/* Makes sure that at least `room` bytes (at most FIRST_BUFFER) are free. */
static const char *buffer_grow(struct buffer *b, size_t room)
{
    size_t size = b->size ? b->size * 2 : FIRST_BUFFER;
    uint8_t *data;

    if (b->size - b->used >= room) {
        return NULL;
    }
    if (size > MAX_UNPACKED + FIRST_BUFFER) {
        size = MAX_UNPACKED + FIRST_BUFFER;
    }
    if (b->used > MAX_UNPACKED || size - b->used < room) {
        return TOO_LARGE;
    }
    data = realloc(b->data, size);
    if (!data) {
        return no_memory;
    }
    b->data = data;
    b->size = size;
    return NULL;
}

static const char *gzip_loop(z_stream *z, struct buffer *out)
{
    for (;;) {
        const char *fault = buffer_grow(out, 1);
        int rc;

        if (fault) {
            return fault;
        }
        z->next_out = out->data + out->used;
        z->avail_out = (uInt)(out->size - out->used);
        rc = inflate(z, Z_NO_FLUSH);
        out->used = out->size - z->avail_out;
        if (rc == Z_STREAM_END) {
            return NULL;
        }
        if (rc != Z_OK && rc != Z_BUF_ERROR) {
            return rc == Z_MEM_ERROR ? no_memory : CORRUPT;
        }
        if (z->avail_in == 0 && z->avail_out != 0) {
            return TRUNCATED;
        }
    }
}

static const char *gzip_run(const uint8_t *in, size_t size, struct buffer *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)size};
    const char *fault;

    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK) {
        return no_memory;
    }
    fault = gzip_loop(&z, out);
    inflateEnd(&z);
    return fault;
}

static const char *xz_loop(lzma_stream *x, struct buffer *out)
{
    for (;;) {
        const char *fault = buffer_grow(out, 1);
        lzma_ret rc;

        if (fault) {
            return fault;
        }
        x->next_out = out->data + out->used;
        x->avail_out = out->size - out->used;
        rc = lzma_code(x, LZMA_RUN);
        out->used = out->size - x->avail_out;
        switch (rc) {
        case LZMA_STREAM_END:
            return NULL;
        case LZMA_OK:
            break;
        case LZMA_BUF_ERROR:
            return TRUNCATED;
        case LZMA_MEM_ERROR:
            return no_memory;
        case LZMA_MEMLIMIT_ERROR:
            return "needs more than 256 MiB to unpack";
        case LZMA_OPTIONS_ERROR:
        case LZMA_UNSUPPORTED_CHECK:
            return "uses an unsupported filter or checksum";
        default:
            return CORRUPT;
        }
        if (x->avail_in == 0 && x->avail_out != 0) {
            return TRUNCATED;
        }
    }
}

static const char *xz_run(const uint8_t *in, size_t size, struct buffer *out)
{
    lzma_stream x = LZMA_STREAM_INIT;
    const char *fault;

    if (lzma_stream_decoder(&x, MAX_DECODER_MEMORY, 0) != LZMA_OK) {
        return no_memory;
    }
    x.next_in = in;
    x.avail_in = size;
    fault = xz_loop(&x, out);
    lzma_end(&x);
    return fault;
}

static const char *zstd_loop(ZSTD_DCtx *d, const uint8_t *in, size_t size, struct buffer *out)
{
    ZSTD_inBuffer from = {.src = in, .size = size, .pos = 0};

    for (;;) {
        const char *fault = buffer_grow(out, 1);
        ZSTD_outBuffer to;
        size_t rc;

        if (fault) {
            return fault;
        }
        to = (ZSTD_outBuffer){.dst = out->data, .size = out->size, .pos = out->used};
        rc = ZSTD_decompressStream(d, &to, &from);
        out->used = to.pos;
        if (ZSTD_isError(rc)) {
            return CORRUPT;
        }
        if (rc == 0) {
            return NULL;
        }
        if (from.pos == from.size && to.pos < to.size) {
            return TRUNCATED;
        }
    }
}

static const char *zstd_run(const uint8_t *in, size_t size, struct buffer *out)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    const char *fault;

    if (!d) {
        return no_memory;
    }
    fault = zstd_loop(d, in, size, out);
    ZSTD_freeDCtx(d);
    return fault;
}

static const char *lz4_run(const uint8_t *in, size_t size, struct buffer *out)
{
    size_t at = 4; /* behind the magic number */

    while (size - at > 4) {
        uint32_t packed = in[at] | in[at + 1] << 8 | in[at + 2] << 16 | (uint32_t)in[at + 3] << 24;
        const char *fault;
        int n;

        at += 4;
        if (packed == LZ4_LEGACY_MAGIC) {
            continue; /* streams may be joined */
        }
        if (packed > size - at) {
            return TRUNCATED;
        }
        fault = buffer_grow(out, LZ4_BLOCK);
        if (fault) {
            return fault;
        }
        n = LZ4_decompress_safe((const char *)in + at, (char *)out->data + out->used, (int)packed,
                                LZ4_BLOCK);
        if (n < 0) {
            return CORRUPT;
        }
        out->used += (size_t)n;
        at += packed;
    }
    return NULL;
}

/* clang-format off */
static const struct unpacker unpackers[] = {
    /* name      magic number                              decoder */
    {"gzip",  2, {0x1f, 0x8b},                             gzip_run},
    {"xz",    6, {0xfd, '7', 'z', 'X', 'Z', 0x00},         xz_run},
    {"zstd",  4, {0x28, 0xb5, 0x2f, 0xfd},                 zstd_run},
    {"lz4",   4, {0x02, 0x21, 0x4c, 0x18},                 lz4_run},
    {"lz4 (frame format)", 4, {0x04, 0x22, 0x4d, 0x18},    NULL},
    {"bzip2", 3, {'B', 'Z', 'h'},                          NULL},
    {"lzma",  3, {0x5d, 0x00, 0x00},                       NULL},
    {"lzo",   4, {0x89, 'L', 'Z', 'O'},                    NULL},
};
/* clang-format on */

const struct unpacker *unpack_recognise(const uint8_t *data, size_t size)
{
    for (size_t i = 0; i < sizeof(unpackers) / sizeof(unpackers[0]); i++) {
        const struct unpacker *u = &unpackers[i];

        if (size >= u->magic_size && memcmp(data, u->magic, u->magic_size) == 0) {
            return u;
        }
    }
    return NULL;
}

int unpack(const struct unpacker *u, const uint8_t *data, size_t size, const char *name,
           uint8_t **out, size_t *out_size, struct error *e)
{
    struct buffer b = {0};
    const char *fault;

    if (!u->run) {
        return error_set(e, -ENOEXEC, "%s: payload is %s-compressed, which is not supported", name,
                         u->name);
    }
    if (size > UINT32_MAX / 2) {
        return error_set(e, -EFBIG, "%s: payload is larger than 2 GiB", name);
    }
    fault = u->run(data, size, &b);
    if (fault) {
        free(b.data);
        return error_set(e, fault == no_memory ? -ENOMEM : -ENOEXEC, "%s: the %s payload %s", name,
                         u->name, fault);
    }
    *out = b.data;
    *out_size = b.used;
    return 0;
}
