/* SPDX-License-Identifier: MIT */
/*
 * Shows that kernels are read whatever they are packed in, and that each file that is no kernel is
 * refused with a line that names the file and the cause.
 *
 * The compressed files are made here with the same libraries, so that no binary lies in the tree:
 * a bzImage is a header of the boot protocol around one of them. Damaged files go through the
 * fuzzer's entry point, a fixed corpus of them.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>
#include <cmocka.h>

#include <errno.h>
#include <lz4.h>
#include <lzma.h>
#include <sys/stat.h>
#include <zlib.h>
#include <zstd.h>

#include "kernel_image.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

#define ELF_SIZE 300000u
#define ROOM     (2 * ELF_SIZE)
#define LIMIT    ELF_SIZE /* what is unpacked just fits */
#define HEADER   1024u    /* of the bzImage: one sector and the boot sector */

static uint8_t elf[ELF_SIZE]; /* looks like one, as far as the reader looks */
static uint8_t packed[ROOM];

static size_t pack_gzip(void)
{
    z_stream z = {.next_in = elf, .avail_in = ELF_SIZE, .next_out = packed, .avail_out = ROOM};

    assert_int_equal(deflateInit2(&z, 6, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    assert_int_equal(deflate(&z, Z_FINISH), Z_STREAM_END);
    deflateEnd(&z);
    return ROOM - z.avail_out;
}

static size_t pack_xz(void)
{
    size_t size = 0;

    assert_int_equal(
        lzma_easy_buffer_encode(1, LZMA_CHECK_CRC32, NULL, elf, ELF_SIZE, packed, &size, ROOM),
        LZMA_OK);
    return size;
}

static size_t pack_zstd(void)
{
    size_t size = ZSTD_compress(packed, ROOM, elf, ELF_SIZE, 3);

    assert_false(ZSTD_isError(size));
    return size;
}

/* The legacy format, in two blocks. */
static size_t pack_lz4(void)
{
    static const uint8_t magic[4] = {0x02, 0x21, 0x4c, 0x18};
    size_t at = 4, from = 0;

    memcpy(packed, magic, 4);
    for (unsigned int block = 0; block < 2; block++) {
        int n = LZ4_compress_default((const char *)elf + from, (char *)packed + at + 4,
                                     ELF_SIZE / 2, (int)(ROOM - at - 4));
        uint32_t size = (uint32_t)n;

        assert_true(n > 0);
        memcpy(packed + at, &size, 4);
        at += 4 + size;
        from += ELF_SIZE / 2;
    }
    return at;
}

/* Puts a payload into a bzImage on the heap, with the unpacked size behind it if asked. */
static uint8_t *make_bzimage(const uint8_t *payload, size_t size, bool size_behind, size_t *total)
{
    uint32_t offset = 100, length = (uint32_t)size + (size_behind ? 4 : 0), unpacked = ELF_SIZE;
    uint8_t *file = calloc(1, HEADER + offset + length);

    file[0x1f1] = 1;
    file[0x1fe] = 0x55;
    file[0x1ff] = 0xaa;
    memcpy(file + 0x202, "HdrS", 4);
    file[0x206] = 0x0f;
    file[0x207] = 0x02;
    memcpy(file + 0x248, &offset, 4);
    memcpy(file + 0x24c, &length, 4);
    memcpy(file + HEADER + offset, payload, size);
    if (size_behind)
        memcpy(file + HEADER + offset + size, &unpacked, 4);
    *total = HEADER + offset + length;
    return file;
}

static void assert_unpacks(const uint8_t *file, size_t size)
{
    struct error e = {0};
    struct file_image out;

    if (kernel_image_unpack(file, size, "k", LIMIT, &out, &e))
        fail_msg("%s", e.text);
    assert_int_equal(out.size, ELF_SIZE);
    assert_memory_equal(out.data, elf, ELF_SIZE);
    file_image_close(&out);
}

static void assert_fails(const uint8_t *file, size_t size, uint64_t limit, int code,
                         const char *text)
{
    struct error e = {0};
    struct file_image out = {0};
    int rc = kernel_image_unpack(file, size, "k", limit, &out, &e);

    assert_int_equal(rc, code);
    assert_int_equal(e.code, code);
    assert_string_equal(e.text, text);
    assert_null(out.data);
}

static void assert_refused(const uint8_t *file, size_t size, const char *text)
{
    assert_fails(file, size, LIMIT, -ENOEXEC, text);
}

static size_t (*const packers[])(void) = {pack_gzip, pack_xz, pack_zstd, pack_lz4};
static const char *const names[] = {"gzip", "xz", "zstd", "lz4"};

static void good_kernels(void **state)
{
    (void)state;
    assert_unpacks(elf, ELF_SIZE);
    for (unsigned int i = 0; i < 4; i++) {
        size_t size = packers[i](), total;
        uint8_t *file = make_bzimage(packed, size, i > 0, &total); /* gzip holds its size itself */

        assert_unpacks(packed, size);
        assert_unpacks(file, total);
        free(file);
    }
}

static void truncated_kernels(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        size_t size = packers[i](), total;
        uint8_t *file = make_bzimage(packed, size, true, &total);
        char text[100];

        snprintf(text, sizeof(text), "k: the %s payload is truncated", names[i]);
        assert_refused(packed, size - 100, text);
        snprintf(text, sizeof(text), "k: truncated: the kernel ends at byte %zu, the file at %zu",
                 total, total - 1);
        assert_refused(file, total - 1, text);
        free(file);
    }
}

static void corrupt_kernels(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        size_t size = packers[i]();
        char text[100];

        memset(packed + size / 2, 0xee, size / 4);
        memset(packed + 14, 0xee, 30);
        snprintf(text, sizeof(text), "k: the %s payload is corrupt", names[i]);
        assert_refused(packed, size, text);
    }
}

static void other_files(void **state)
{
    static const struct {
        const char *bytes;
        size_t size;
        const char *text;
    } files[] = {
        {"", 0, "k: not a kernel: neither ELF nor bzImage"},
        {"MZ", 2, "k: not a kernel: neither ELF nor bzImage"},
        {"#!/bin/sh\n", 10, "k: not a kernel: neither ELF nor bzImage"},
        {"\177ELF", 4, "k: a 32-bit kernel; only 64-bit kernels are supported"},
        {"\177ELF\1\1\1", 7, "k: a 32-bit kernel; only 64-bit kernels are supported"},
        {"BZh91AY", 7, "k: payload is bzip2-compressed, which is not supported"},
        {"\x5d\0\0\0\x04", 5, "k: payload is lzma-compressed, which is not supported"},
        {"\x89LZO", 4, "k: payload is lzo-compressed, which is not supported"},
        {"\x04\x22\x4d\x18", 4,
         "k: payload is lz4 (frame format)-compressed, which is not supported"},
    };
    size_t total;
    uint8_t *file;

    (void)state;
    for (unsigned int i = 0; i < sizeof(files) / sizeof(files[0]); i++)
        assert_refused((const uint8_t *)files[i].bytes, files[i].size, files[i].text);
    file = make_bzimage((const uint8_t *)"BZh9", 4, false, &total);
    assert_refused(file, total, files[5].text);
    memset(file + total - 4, 'x', 4);
    assert_refused(file, total, "k: not a kernel: its payload is of no known format");
    memset(file + 0x24c, 0, 4);
    assert_refused(file, total, "k: the boot header says that there is no payload");
    file[0x206] = 7;
    assert_refused(file, total, "k: boot protocol 2.07 is older than 2.08");
    free(file);
}

static void packed_nonsense(void **state)
{
    size_t size;

    (void)state;
    elf[0] = 'x';
    size = pack_zstd();
    elf[0] = 0x7f;
    assert_refused(packed, size, "k: not a kernel: what was compressed is not ELF");
    elf[4] = 1;
    size = pack_zstd();
    elf[4] = 2;
    assert_refused(packed, size, "k: a 32-bit kernel; only 64-bit kernels are supported");
}

/* One byte more than fits is refused, whatever it is packed in. */
static void one_byte_too_many(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        size_t size = packers[i]();
        char text[100];

        snprintf(text, sizeof(text),
                 "k: the %s payload of %zu bytes unpacks to more than 292 KiB; no more fits",
                 names[i], size);
        assert_fails(packed, size, ELF_SIZE - 1, -EFBIG, text);
    }
}

/* Zeros pack into a thousandth; no more is unpacked than the domain could hold. */
static void a_bomb(void **state)
{
    static const uint8_t zeros[1 << 20];
    z_stream z = {0};
    size_t room = 4 << 20;
    uint8_t *bomb = malloc(room);
    char text[100];

    (void)state;
    assert_int_equal(deflateInit2(&z, 1, Z_DEFLATED, 31, 8, Z_DEFAULT_STRATEGY), Z_OK);
    z.next_out = bomb;
    z.avail_out = (uInt)room;
    for (unsigned int i = 0; i < 64; i++) {
        z.next_in = (Bytef *)(uintptr_t)zeros;
        z.avail_in = sizeof(zeros);
        assert_int_equal(deflate(&z, i == 63 ? Z_FINISH : Z_NO_FLUSH),
                         i == 63 ? Z_STREAM_END : Z_OK);
    }
    deflateEnd(&z);
    snprintf(text, sizeof(text),
             "k: the gzip payload of %zu bytes unpacks to more than 16384 KiB; no more fits",
             room - z.avail_out);
    assert_fails(bomb, room - z.avail_out, 16 << 20, -EFBIG, text);
    free(bomb);
}

/* What a decoder cannot do is named, and is not called damage. */
static void too_much_for_the_decoder(void **state)
{
    /* magic number, flags, window, an empty last block */
    static const uint8_t window_2g[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 21 << 3, 1, 0, 0};
    static const uint8_t window_144m[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3 | 1, 1, 0, 0};
    static const uint8_t window_128m[] = {0x28, 0xb5, 0x2f, 0xfd, 0, 17 << 3, 1, 0, 0};
    static const uint8_t dictionary[] = {0x28, 0xb5, 0x2f, 0xfd, 1, 0, 77, 1, 0, 0};
    lzma_options_lzma big;
    const lzma_filter filters[] = {{LZMA_FILTER_LZMA2, &big}, {LZMA_VLI_UNKNOWN, NULL}};
    lzma_stream_flags flags = {.check = LZMA_CHECK_NONE};
    lzma_block block = {.check = LZMA_CHECK_NONE, .filters = (lzma_filter *)(uintptr_t)filters};

    (void)state;
    assert_refused(window_2g, sizeof(window_2g),
                   "k: the zstd payload needs a window of 2048 MiB; at most 128 are used");
    assert_refused(window_144m, sizeof(window_144m),
                   "k: the zstd payload needs a window of 144 MiB; at most 128 are used");
    assert_refused(window_128m, sizeof(window_128m),
                   "k: not a kernel: what was compressed is not ELF");
    assert_refused(dictionary, sizeof(dictionary),
                   "k: the zstd payload needs a dictionary, which a kernel cannot bring along");

    /* xz: only the headers, written by hand, as an encoder of this dictionary would need 16 GB */
    lzma_lzma_preset(&big, 0);
    big.dict_size = 1u << 30;
    assert_int_equal(lzma_stream_header_encode(&flags, packed), LZMA_OK);
    block.compressed_size = block.uncompressed_size = LZMA_VLI_UNKNOWN;
    assert_int_equal(lzma_block_header_size(&block), LZMA_OK);
    assert_int_equal(lzma_block_header_encode(&block, packed + LZMA_STREAM_HEADER_SIZE), LZMA_OK);
    assert_refused(packed, LZMA_STREAM_HEADER_SIZE + block.header_size + 100,
                   "k: the xz payload needs 1025 MiB to unpack; at most 256 are used");
}

static void write_file(const char *path, const void *data, size_t size)
{
    FILE *f = fopen(path, "wb");

    assert_non_null(f);
    assert_int_equal(fwrite(data, 1, size, f), size);
    fclose(f);
}

static void assert_not_opened(const char *path, bool ramdisk, const char *why)
{
    struct error e = {0};
    struct file_image out;
    char text[300];

    snprintf(text, sizeof(text), "%s: %s", path, why);
    assert_int_not_equal(
        ramdisk ? ramdisk_open(path, ROOM, &out, &e) : kernel_image_open(path, LIMIT, &out, &e), 0);
    assert_string_equal(e.text, text);
}

static void files(void **state)
{
    char dir[] = "/tmp/kernel-image-XXXXXX", path[100], text[300];
    size_t size;
    struct error e = {0};
    struct file_image out;

    (void)state;
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/file", dir);
    assert_not_opened(path, false, "No such file or directory");
    assert_not_opened(dir, true, "not a regular file");
    assert_int_equal(mkfifo(path, 0600), 0);
    assert_not_opened(path, false, "not a regular file");
    unlink(path);
    write_file(path, "", 0);
    assert_not_opened(path, false, "empty file");
    assert_not_opened(path, true, "empty file");
    write_file(path, "\177ELF\1", 5);
    assert_not_opened(path, false, "a 32-bit kernel; only 64-bit kernels are supported");
    write_file(path, elf, ELF_SIZE);
    assert_int_equal(kernel_image_open(path, LIMIT, &out, &e), 0);
    assert_int_equal(out.size, ELF_SIZE);
    file_image_close(&out);
    write_file(path, packed, pack_xz());
    assert_int_equal(kernel_image_open(path, LIMIT, &out, &e), 0);
    assert_memory_equal(out.data, elf, ELF_SIZE);
    file_image_close(&out);
    assert_int_equal(ramdisk_open(path, ROOM, &out, &e), 0); /* as it is, packed or not */
    assert_memory_equal(out.data, packed, out.size);
    size = out.size;
    file_image_close(&out);
    assert_int_equal(ramdisk_open(path, size, &out, &e), 0); /* just fits */
    file_image_close(&out);
    assert_int_equal(ramdisk_open(path, size - 1, &out, &e), -EFBIG);
    snprintf(text, sizeof(text), "%s: a file of %zu bytes; no more than %zu KiB fit", path, size,
             (size - 1) >> 10);
    assert_string_equal(e.text, text);
    assert_int_equal(truncate(path, 1ll << 40), 0);
    snprintf(text, sizeof(text), "a file of 1099511627776 bytes; no more than 524288 KiB fit");
    assert_not_opened(path, false, text);
    unlink(path);
    rmdir(dir);
}

static void damaged_at_random(void **state)
{
    uint32_t seed = 4711;

    (void)state;
    for (unsigned int i = 0; i < 4; i++) {
        size_t size = packers[i](), total;
        uint8_t *file = make_bzimage(packed, size, true, &total);

        for (unsigned int round = 0; round < 60; round++) {
            uint8_t *copy = malloc(total);
            size_t length = round & 1 ? total : (seed >> 8) % total;

            memcpy(copy, file, total);
            for (unsigned int n = 0; n < 3; n++) {
                seed = seed * 1664525u + 1013904223u;
                copy[(seed >> 8) % (round & 2 ? total : HEADER + 140)] = (uint8_t)(seed >> 4);
            }
            assert_int_equal(LLVMFuzzerTestOneInput(copy, length), 0);
            free(copy);
        }
        free(file);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(good_kernels),
        cmocka_unit_test(truncated_kernels),
        cmocka_unit_test(corrupt_kernels),
        cmocka_unit_test(other_files),
        cmocka_unit_test(packed_nonsense),
        cmocka_unit_test(a_bomb),
        cmocka_unit_test(one_byte_too_many),
        cmocka_unit_test(too_much_for_the_decoder),
        cmocka_unit_test(files),
        cmocka_unit_test(damaged_at_random),
    };

    for (uint32_t i = 0, noise = 1; i < ELF_SIZE; i++) {
        noise = noise * 1664525u + 1013904223u;
        elf[i] = i % 64 < 40 ? (uint8_t)(i / 64) : (uint8_t)(noise >> 16);
    }
    memcpy(elf, "\177ELF\2\1\1", 7);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
