/* SPDX-License-Identifier: MIT */
/*
 * Writes the files that fuzzing of the loader starts from: loader_seeds DIRECTORY.
 *
 * A fuzzer that starts from nothing spends its time on finding out what an ELF file is. These are
 * small good kernels of each shape, with the byte of configuration that fuzz_loader.c wants first.
 */
#include <stdio.h>
#include <stdlib.h>

#include "../unit/loader_support.h"

static const struct simple_kernel shapes[] = {
    {.paddr = 0x10000, .size = 0x1000, .hypercall_page = 0x10000},
    {.virt_base = 0xffffffff80000000ULL,
     .paddr = 0x100000,
     .size = 0x400,
     .init_p2m = 0x8000000000ULL,
     .mod_start_pfn = true},
    {.virt_base = 0x7fc00000, .paddr = 0x1000, .size = 0x200, .init_p2m = 0x80000000},
    {.paddr = 0x100000, .size = 0x400, .pvh_entry = 0x100010},
};

static int write_seed(const char *dir, unsigned int i)
{
    char path[4096];
    size_t size;
    uint8_t *file = make_simple_kernel(&shapes[i], &size);
    FILE *out;
    int bad;

    snprintf(path, sizeof(path), "%s/shape%u", dir, i);
    out = fopen(path, "wb");
    if (!out) {
        perror(path);
        free(file);
        return 1;
    }
    fputc(shapes[i].pvh_entry ? 32 + 5 : 5, out);
    fwrite(file, 1, size, out);
    bad = ferror(out);
    bad |= fclose(out);
    free(file);
    return bad != 0;
}

int main(int argc, char **argv)
{
    if (argc != 2) {
        fprintf(stderr, "usage: loader_seeds DIRECTORY\n");
        return 2;
    }
    for (unsigned int i = 0; i < sizeof(shapes) / sizeof(shapes[0]); i++) {
        if (write_seed(argv[1], i))
            return 1;
    }
    return 0;
}
