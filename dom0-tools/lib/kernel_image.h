/* SPDX-License-Identifier: MIT */
/*
 * Files that a domain is built from, in memory: the kernel as ELF, and the ramdisk as it is.
 *
 * A kernel comes as an ELF file, as a compressed ELF file, or as a Linux bzImage, which is a
 * real-mode loader around a compressed ELF file. Here all three become the ELF file. Compression
 * is known by its first bytes: gzip, xz, zstd and lz4 (the legacy format, Linux's) are undone by
 * their own libraries; what else is recognised is refused by name.
 *
 * What is inside the ELF file is not looked at beyond "64-bit": that is the loader's part.
 * Limits: a file of 2 GiB, a kernel of 1 GiB unpacked, so that a small file cannot fill memory.
 */
#ifndef PARVIS_TOOLS_KERNEL_IMAGE_H
#define PARVIS_TOOLS_KERNEL_IMAGE_H

#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* Bytes on the heap. */
struct file_image {
    uint8_t *data;
    size_t size;
};

/* Reads and unpacks a kernel. 0 or a negative errno with a cause that begins with the path. */
int kernel_image_open(const char *path, struct file_image *out, struct error *e);
/* The same from bytes in memory, which are not changed; `name` stands for the file in messages. */
int kernel_image_unpack(const uint8_t *data, size_t size, const char *name, struct file_image *out,
                        struct error *e);
/* Reads a file that may hold anything but nothing: a ramdisk. */
int ramdisk_open(const char *path, struct file_image *out, struct error *e);
void file_image_close(struct file_image *image);

#endif
