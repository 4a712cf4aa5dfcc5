/* SPDX-License-Identifier: MIT */
/*
 * parvis-unpack IN OUT [MIB]: writes the ELF file that is inside a kernel.
 *
 * The hypervisor starts ELF files only, so that it holds no decompressor. Whoever makes an image
 * with a control domain or boot-time guests unpacks their kernels with this program, once. MIB is
 * the memory of the domain that the kernel is for: more is not unpacked.
 *
 * OUT appears whole or not at all: it is written beside its place and renamed. Exit status: 0 done,
 * 1 not done (one line on standard error says why), 2 wrong usage.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "error.h"
#include "kernel_image.h"
#include "write_all.h"
#include "unpack.h"

static int write_file(const char *path, const struct file_image *image, struct error *e)
{
    char beside[4096];
    int fd, rc;

    if ((size_t)snprintf(beside, sizeof(beside), "%s.part", path) >= sizeof(beside))
        return error_set(e, -ENAMETOOLONG, "%s: name too long", path);
    fd = open(beside, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644);
    if (fd < 0)
        return error_errno(e, -errno, "%s", beside);
    rc = write_all(fd, image->data, image->size);
    if (close(fd) && !rc)
        rc = -errno;
    if (!rc && rename(beside, path))
        rc = -errno;
    if (rc) {
        unlink(beside);
        return error_errno(e, rc, "%s", path);
    }
    return 0;
}

static int usage(FILE *f, int rc)
{
    fputs("usage: parvis-unpack IN OUT [MIB]\n"
          "Writes the ELF file that is inside kernel IN (ELF or bzImage) to OUT, if it has at most "
          "MIB MiB.\n",
          f);
    return rc;
}

static bool read_mib(const char *text, unsigned long long *mib)
{
    *mib = strtoull(text, NULL, 10);
    return *text && strlen(text) <= 8 && strspn(text, "0123456789") == strlen(text);
}

int main(int argc, char **argv)
{
    struct error e = {0};
    struct file_image image;
    unsigned long long mib = UNPACK_MAX >> 20;
    int rc;

    if (argc == 2 && strcmp(argv[1], "--help") == 0)
        return usage(stdout, 0);
    if (argc < 3 || argc > 4 || (argc == 4 && !read_mib(argv[3], &mib)))
        return usage(stderr, 2);
    rc = kernel_image_open(argv[1], mib << 20, &image, &e);
    if (!rc) {
        rc = write_file(argv[2], &image, &e);
        file_image_close(&image);
    }
    if (rc) {
        fprintf(stderr, "parvis-unpack: %s\n", e.text);
        return 1;
    }
    return 0;
}
