/* SPDX-License-Identifier: MIT */
/*
 * Files that a domain is built from: see kernel_image.h.
 *
 * The bzImage header (Linux boot protocol 2.08 and later) says where the compressed kernel lies:
 * payload_offset and payload_length, counted from the end of the real-mode part. For all formats
 * but gzip Linux puts the unpacked size behind the compressed data, as 4 bytes that belong to the
 * payload; the decoders here stop at the end of their stream and leave them alone.
 *
 * The files are read, not mapped: one that shrinks meanwhile must not kill the process.
 */
#include "kernel_image.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <unistd.h>

#include "unpack.h"

/* Fields of the boot protocol's header, as offsets into the file. */
#define BOOT_SETUP_SECTS    0x1f1u
#define BOOT_FLAG           0x1feu
#define BOOT_MAGIC          0x202u
#define BOOT_VERSION        0x206u
#define BOOT_PAYLOAD_OFFSET 0x248u
#define BOOT_PAYLOAD_LENGTH 0x24cu
#define BOOT_HEADER_END     0x250u

static uint32_t read_le(const uint8_t *p, unsigned int bytes)
{
    uint32_t value = 0;

    for (unsigned int i = 0; i < bytes; i++)
        value |= (uint32_t)p[i] << (8 * i);
    return value;
}

static bool is_bzimage(const uint8_t *data, size_t size)
{
    return size >= BOOT_HEADER_END && read_le(data + BOOT_FLAG, 2) == 0xaa55 &&
           memcmp(data + BOOT_MAGIC, "HdrS", 4) == 0;
}

/* Finds the compressed kernel in a bzImage. */
static int find_payload(const uint8_t *data, size_t size, const char *name, const uint8_t **payload,
                        size_t *length, struct error *e)
{
    uint32_t version = read_le(data + BOOT_VERSION, 2);
    uint64_t sectors = data[BOOT_SETUP_SECTS] ? data[BOOT_SETUP_SECTS] : 4;
    uint64_t start = (sectors + 1) * 512 + read_le(data + BOOT_PAYLOAD_OFFSET, 4);
    uint64_t bytes = read_le(data + BOOT_PAYLOAD_LENGTH, 4);

    if (version < 0x208)
        return error_set(e, -ENOEXEC, "%s: boot protocol %u.%02u is older than 2.08", name,
                         version >> 8, version & 0xff);
    if (bytes == 0)
        return error_set(e, -ENOEXEC, "%s: the boot header says that there is no payload", name);
    if (start + bytes > size)
        return error_set(e, -ENOEXEC,
                         "%s: truncated: the kernel ends at byte %llu, the file at %zu", name,
                         (unsigned long long)(start + bytes), size);
    *payload = data + start;
    *length = bytes;
    return 0;
}

static int check_elf(const uint8_t *data, size_t size, const char *name, const char *what,
                     struct error *e)
{
    if (size < 4 || memcmp(data, "\177ELF", 4) != 0)
        return error_set(e, -ENOEXEC, "%s: not a kernel: %s", name, what);
    if (size < 5 || data[4] != 2)
        return error_set(e, -ENOEXEC, "%s: a 32-bit kernel; only 64-bit kernels are supported",
                         name);
    return 0;
}

int kernel_image_unpack(const uint8_t *data, size_t size, const char *name, uint64_t limit,
                        struct file_image *out, struct error *e)
{
    const uint8_t *packed = data;
    size_t length = size;
    const struct unpacker *u;
    int rc;

    if (is_bzimage(data, size)) {
        rc = find_payload(data, size, name, &packed, &length, e);
        if (rc)
            return rc;
    }
    u = unpack_recognise(packed, length);
    if (!u) {
        rc = check_elf(
            packed, length, name,
            packed == data ? "neither ELF nor bzImage" : "its payload is of no known format", e);
        if (rc)
            return rc;
        out->mapped = false;
        out->data = malloc(length);
        if (!out->data)
            return error_set(e, -ENOMEM, "%s: no memory for %zu bytes", name, length);
        memcpy(out->data, packed, length);
        out->size = length;
        return 0;
    }
    out->mapped = false;
    rc = unpack(u, packed, length, name, limit, &out->data, &out->size, e);
    if (rc)
        return rc;
    rc = check_elf(out->data, out->size, name, "what was compressed is not ELF", e);
    if (rc)
        file_image_close(out);
    return rc;
}

/* Reads all of an open file whose size is known, up to its end if it has shrunk. */
static int read_all(int fd, const char *path, struct file_image *out, struct error *e)
{
    size_t have = 0;

    while (have < out->size) {
        ssize_t n = read(fd, out->data + have, out->size - have);

        if (n < 0 && errno == EINTR)
            continue;
        if (n < 0)
            return error_errno(e, -errno, "%s", path);
        if (n == 0)
            return error_set(e, -EIO, "%s: shrank while it was read", path);
        have += (size_t)n;
    }
    return 0;
}

static int read_fd(int fd, const char *path, uint64_t limit, struct file_image *out,
                   struct error *e)
{
    struct stat st;
    int rc;

    if (fstat(fd, &st))
        return error_errno(e, -errno, "%s", path);
    if (!S_ISREG(st.st_mode))
        return error_set(e, -EINVAL, "%s: not a regular file", path);
    if (st.st_size == 0)
        return error_set(e, -EINVAL, "%s: empty file", path);
    if ((uint64_t)st.st_size > limit)
        return error_set(e, -EFBIG, "%s: a file of %llu bytes; no more than %llu KiB fit", path,
                         (unsigned long long)st.st_size, (unsigned long long)limit >> 10);
    out->size = (size_t)st.st_size;
    /* All of it is written at once: without a page fault for each page. */
    out->data = mmap(NULL, out->size, PROT_READ | PROT_WRITE,
                     MAP_PRIVATE | MAP_ANONYMOUS | MAP_POPULATE, -1, 0);
    if (out->data == MAP_FAILED)
        return error_set(e, -ENOMEM, "%s: no memory for %zu bytes", path, out->size);
    out->mapped = true;
    rc = read_all(fd, path, out, e);
    if (rc)
        file_image_close(out);
    return rc;
}

int kernel_image_file(const char *path, struct error *e)
{
    int fd = open(path, O_RDONLY | O_CLOEXEC | O_NONBLOCK); /* a FIFO must not make us wait */

    return fd < 0 ? error_errno(e, -errno, "%s", path) : fd;
}

int kernel_image_read(int fd, const char *path, uint64_t limit, struct file_image *out,
                      struct error *e)
{
    struct file_image file = {0};
    int rc = read_fd(fd, path, KERNEL_MAX_FILE, &file, e);

    if (rc)
        return rc;
    if (file.size >= 4 && memcmp(file.data, "\177ELF", 4) == 0) {
        rc = check_elf(file.data, file.size, path, "", e);
        if (rc == 0) {
            *out = file; /* as it is: no second copy */
            return 0;
        }
    } else {
        rc = kernel_image_unpack(file.data, file.size, path, limit, out, e);
    }
    file_image_close(&file);
    return rc;
}

int kernel_image_open(const char *path, uint64_t limit, struct file_image *out, struct error *e)
{
    int fd = kernel_image_file(path, e), rc;

    if (fd < 0)
        return fd;
    rc = kernel_image_read(fd, path, limit, out, e);
    close(fd);
    return rc;
}

int ramdisk_open(const char *path, uint64_t limit, struct file_image *out, struct error *e)
{
    int fd = kernel_image_file(path, e), rc;

    if (fd < 0)
        return fd;
    rc = read_fd(fd, path, limit, out, e);
    close(fd);
    return rc;
}

void file_image_close(struct file_image *image)
{
    if (image->mapped)
        munmap(image->data, image->size);
    else
        free(image->data);
    *image = (struct file_image){0};
}
