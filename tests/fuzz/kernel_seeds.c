/* SPDX-License-Identifier: MIT */
/*
 * Writes the files that fuzzing of the kernel reader starts from: kernel_seeds DIRECTORY. One in
 * each format, bare and in a bzImage; and an ELF file of the wrong width.
 */
#include <stdio.h>
#include <string.h>

#include "kernel_pack.h"

static int write_file(const char *dir, const char *name, unsigned int i, const uint8_t *data,
                      size_t size)
{
    char path[4096];
    FILE *out;
    int bad;

    snprintf(path, sizeof(path), "%s/%s%u", dir, name, i);
    out = fopen(path, "wb");
    if (!out) {
        perror(path);
        return 1;
    }
    fwrite(data, 1, size, out);
    bad = ferror(out);
    bad |= fclose(out);
    return bad != 0;
}

int main(int argc, char **argv)
{
    static uint8_t content[600], packed[4096], whole[8192];
    int bad = 0;

    if (argc != 2) {
        fprintf(stderr, "usage: kernel_seeds DIRECTORY\n");
        return 2;
    }
    for (size_t i = 0; i < sizeof(content); i++)
        content[i] = (uint8_t)(i * i >> 3);
    memcpy(content, "\177ELF\1\1\1", 8);
    bad |= write_file(argv[1], "narrow", 0, content, sizeof(content));
    content[4] = 2;
    for (unsigned int f = 0; f < PACK_FORMATS; f++) {
        size_t n = kernel_pack(f, content, sizeof(content), packed, sizeof(packed));

        bad |= !n || write_file(argv[1], "bare", f, packed, n);
        n = kernel_wrap(packed, n, whole, sizeof(whole));
        bad |= !n || write_file(argv[1], "wrapped", f, whole, n);
    }
    return bad;
}
