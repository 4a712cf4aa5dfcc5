/* SPDX-License-Identifier: MIT */
/*
 * Fuzzes the tools' kernel reader: any bytes as a kernel file (bzImage, compressed, or ELF).
 *
 * The oracle: it either hands out an ELF file, or refuses with one line that begins with the
 * name of the file; and nothing is left allocated (the leak checker says so at the end).
 *
 * Built with clang -fsanitize=fuzzer for real fuzzing, and into unit_loader_kernel_image.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "kernel_image.h"

#define LIMIT (1u << 20) /* small: the buffer is as large */

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    struct error e = {0};
    struct file_image out = {0};
    int rc = kernel_image_unpack(data, size, "file", LIMIT, &out, &e);
    bool good = rc ? rc == e.code && rc < 0 && strncmp(e.text, "file: ", 6) == 0 && !out.data
                   : out.size > 4 && out.size <= LIMIT && memcmp(out.data, "\177ELF\2", 5) == 0 &&
                         e.code == 0;

    if (!good) {
        fprintf(stderr, "the kernel reader broke a rule: %d, \"%s\"\n", rc, e.text);
        abort();
    }
    file_image_close(&out);
    return 0;
}
