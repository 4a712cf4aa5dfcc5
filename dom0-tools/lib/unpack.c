/* SPDX-License-Identifier: MIT */
/*
 * Decompression: see unpack.h.
 *
 * Each decoder is a loop that asks for room in a growing buffer and stops at the end of the
 * stream, a step at a time, so that it can be told how far it is. It answers NULL when all is well,
 * else what is wrong with the data, as the end of a sentence that begins with the file and the
 * format. The buffer refuses to grow as soon as it holds more than the caller has a use for, so
 * that a small file cannot fill memory: what a bomb costs is the limit and one block. lz4's legacy
 * format has no end mark: blocks of 8 MiB unpacked, each after its packed size, until nothing is
 * left, or until the 4 bytes that Linux adds are left.
 */
#include "unpack.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <lz4.h>
#include <lzma.h>
#include <zlib.h>
#include <zstd.h>
#include <zstd_errors.h>

#include "progress.h"

#define MAX_DECODER_MEMORY (256ULL << 20)
#define ZSTD_MAX_WINDOW    (128ULL << 20) /* the library's own default */
#define FIRST_BUFFER       (32ULL << 20)
#define LZ4_BLOCK          (8u << 20)
#define STEP               (1u << 20) /* so much is unpacked in one go */
#define LZ4_LEGACY_MAGIC   0x184c2102u

#define CORRUPT   "is corrupt"
#define TRUNCATED "is truncated"

static const char no_memory[] = "could not be unpacked: out of memory";
static const char too_large[] = "unpacks to more";

struct buffer {
    uint8_t *data;
    size_t used, size;
    size_t limit;     /* of what is unpacked */
    size_t packed;    /* bytes that there are to unpack */
    const char *name; /* of the file */
    char text[96];    /* for an answer with numbers in it */
};

struct unpacker {
    const char *name;
    uint8_t magic_size;
    uint8_t magic[6];
    const char *(*run)(const uint8_t *in, size_t size, struct buffer *out);
};

/* Makes sure that at least `room` bytes (at most LZ4_BLOCK) are free. */
static const char *buffer_grow(struct buffer *b, size_t room)
{
    const size_t most = b->limit + LZ4_BLOCK;
    size_t size = b->size ? b->size * 2 : FIRST_BUFFER;
    uint8_t *data;

    if (b->used > b->limit)
        return too_large;
    if (b->size - b->used >= room)
        return NULL;
    size = size < most ? size : most;
    data = realloc(b->data, size);
    if (!data)
        return no_memory;
    b->data = data;
    b->size = size;
    return NULL;
}

static void tell(const struct buffer *b, size_t left)
{
    progress(b->name, "unpacking", b->packed - left, b->packed);
}

/* How many bytes may be unpacked now; so many packed ones are left. */
static size_t next_step(const struct buffer *b, size_t left)
{
    size_t room = b->size - b->used;

    tell(b, left);
    return room < STEP ? room : STEP;
}

static const char *gzip_loop(z_stream *z, struct buffer *out)
{
    for (;;) {
        const char *fault = buffer_grow(out, 1);
        size_t room;
        int rc;

        if (fault)
            return fault;
        room = next_step(out, z->avail_in);
        z->next_out = out->data + out->used;
        z->avail_out = (uInt)room;
        rc = inflate(z, Z_NO_FLUSH);
        out->used += room - z->avail_out;
        if (rc == Z_STREAM_END)
            return NULL;
        if (rc != Z_OK && rc != Z_BUF_ERROR)
            return rc == Z_MEM_ERROR ? no_memory : CORRUPT;
        if (z->avail_in == 0 && z->avail_out != 0)
            return TRUNCATED;
    }
}

static const char *gzip_run(const uint8_t *in, size_t size, struct buffer *out)
{
    z_stream z = {.next_in = (Bytef *)(uintptr_t)in, .avail_in = (uInt)size};
    const char *fault;

    if (inflateInit2(&z, 16 + MAX_WBITS) != Z_OK)
        return no_memory;
    fault = gzip_loop(&z, out);
    inflateEnd(&z);
    return fault;
}

static const char *xz_loop(lzma_stream *x, struct buffer *out)
{
    for (;;) {
        const char *fault = buffer_grow(out, 1);
        lzma_ret rc;
        size_t room;

        if (fault)
            return fault;
        room = next_step(out, x->avail_in);
        x->next_out = out->data + out->used;
        x->avail_out = room;
        rc = lzma_code(x, LZMA_RUN);
        out->used += room - x->avail_out;
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
            snprintf(out->text, sizeof(out->text),
                     "needs %llu MiB to unpack; at most %llu are used",
                     (unsigned long long)((lzma_memusage(x) + (1 << 20) - 1) >> 20),
                     MAX_DECODER_MEMORY >> 20);
            return out->text;
        case LZMA_OPTIONS_ERROR:
        case LZMA_UNSUPPORTED_CHECK:
            return "uses an unsupported filter or checksum";
        default:
            return CORRUPT;
        }
        if (x->avail_in == 0 && x->avail_out != 0)
            return TRUNCATED;
    }
}

static const char *xz_run(const uint8_t *in, size_t size, struct buffer *out)
{
    lzma_stream x = LZMA_STREAM_INIT;
    const char *fault;

    if (lzma_stream_decoder(&x, MAX_DECODER_MEMORY, 0) != LZMA_OK)
        return no_memory;
    x.next_in = in;
    x.avail_in = size;
    fault = xz_loop(&x, out);
    lzma_end(&x);
    return fault;
}

/* A frame's header: magic number, flags, then log and eighths of the window (RFC 8878, 3.1.1.1). */
static const char *zstd_fault(const uint8_t *in, size_t size, size_t rc, struct buffer *out)
{
    uint64_t window;

    switch (ZSTD_getErrorCode(rc)) {
    case ZSTD_error_memory_allocation:
        return no_memory;
    case ZSTD_error_dictionary_wrong:
        return "needs a dictionary, which a kernel cannot bring along";
    case ZSTD_error_frameParameter_windowTooLarge:
        break;
    default:
        return CORRUPT;
    }
    if (size < 6 || in[4] & 0x20)
        return "needs a window as large as its content; at most 128 MiB are used";
    window = 1ULL << (10 + (in[5] >> 3));
    window += window / 8 * (in[5] & 7);
    snprintf(out->text, sizeof(out->text), "needs a window of %llu MiB; at most %llu are used",
             (unsigned long long)(window >> 20), ZSTD_MAX_WINDOW >> 20);
    return out->text;
}

static const char *zstd_loop(ZSTD_DCtx *d, const uint8_t *in, size_t size, struct buffer *out)
{
    ZSTD_inBuffer from = {.src = in, .size = size, .pos = 0};

    for (;;) {
        const char *fault = buffer_grow(out, 1);
        ZSTD_outBuffer to;
        size_t rc, room;

        if (fault)
            return fault;
        room = next_step(out, from.size - from.pos);
        to = (ZSTD_outBuffer){.dst = out->data, .size = out->used + room, .pos = out->used};
        rc = ZSTD_decompressStream(d, &to, &from);
        out->used = to.pos;
        if (ZSTD_isError(rc))
            return zstd_fault(in, size, rc, out);
        if (rc == 0)
            return NULL;
        if (from.pos == from.size && to.pos < to.size)
            return TRUNCATED;
    }
}

static const char *zstd_run(const uint8_t *in, size_t size, struct buffer *out)
{
    ZSTD_DCtx *d = ZSTD_createDCtx();
    const char *fault;

    if (!d)
        return no_memory;
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
        if (packed > size - at)
            return TRUNCATED;
        fault = buffer_grow(out, LZ4_BLOCK);
        if (fault)
            return fault;
        tell(out, size - at);
        n = LZ4_decompress_safe((const char *)in + at, (char *)out->data + out->used, (int)packed,
                                LZ4_BLOCK);
        if (n < 0)
            return CORRUPT;
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

        if (size >= u->magic_size && memcmp(data, u->magic, u->magic_size) == 0)
            return u;
    }
    return NULL;
}

int unpack(const struct unpacker *u, const uint8_t *data, size_t size, const char *name,
           uint64_t limit, uint8_t **out, size_t *out_size, struct error *e)
{
    struct buffer b = {
        .limit = limit < UNPACK_MAX ? limit : UNPACK_MAX, .packed = size, .name = name};
    const char *fault;

    if (!u->run)
        return error_set(e, -ENOEXEC, "%s: payload is %s-compressed, which is not supported", name,
                         u->name);
    if (size > UNPACK_MAX)
        return error_set(e, -EFBIG, "%s: its payload is larger than 1 GiB", name);
    fault = u->run(data, size, &b);
    tell(&b, 0);
    if (!fault && b.used > b.limit)
        fault = too_large;
    if (!fault) {
        *out = b.data;
        *out_size = b.used;
        return 0;
    }
    free(b.data);
    if (fault == too_large)
        return error_set(e, -EFBIG,
                         "%s: the %s payload of %zu bytes unpacks to more than %zu KiB; "
                         "no more fits",
                         name, u->name, size, b.limit >> 10);
    return error_set(e, fault == no_memory ? -ENOMEM : -ENOEXEC, "%s: the %s payload %s", name,
                     u->name, fault);
}
