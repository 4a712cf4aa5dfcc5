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
 *
 * Limits: the control domain's memory holds the files while a domain is made, so nothing is read or
 * unpacked that could not be used. The caller says how many bytes fit, which for a domain is its
 * memory. An ELF file that is not packed may be larger, for symbols are not loaded.
 */
#ifndef PARVIS_TOOLS_KERNEL_IMAGE_H
#define PARVIS_TOOLS_KERNEL_IMAGE_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#include "error.h"

/* Bytes on the heap, or a mapping of memory, or of a file that never changes. */
struct file_image {
    uint8_t *data;
    size_t size;
    bool mapped;
};

/* A kernel's file, packed or not. */
#define KERNEL_MAX_FILE (512ULL << 20)

/* Reads a kernel and unpacks it to at most `limit` bytes. 0 or a negative errno with a cause that
 * begins with the path; -EFBIG: larger than the limit. */
int __must_check kernel_image_open(const char *path, uint64_t limit, struct file_image *out,
                                   struct error *e);
/* In two steps: the file's descriptor, or a negative errno; and what is in it. */
int __must_check kernel_image_file(const char *path, struct error *e);
int __must_check kernel_image_read(int fd, const char *path, uint64_t limit, struct file_image *out,
                                   struct error *e);
/* The same from bytes in memory, which are not changed; `name` stands for the file in messages. */
int __must_check kernel_image_unpack(const uint8_t *data, size_t size, const char *name,
                                     uint64_t limit, struct file_image *out, struct error *e);
/* Reads a file of at most `limit` bytes that may hold anything but nothing: a ramdisk. */
int __must_check ramdisk_open(const char *path, uint64_t limit, struct file_image *out,
                              struct error *e);
void file_image_close(struct file_image *image);

#endif
