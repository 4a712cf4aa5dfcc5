/* SPDX-License-Identifier: MIT */
/*
 * Kernels that were unpacked: see kernel_cache.h.
 *
 * Who unpacks has the lock: another who wants the same kernel waits, and finds it then; and however
 * many domains are made at once, memory holds one that is being unpacked. Killed, it leaves a file
 * in tmp/, which parvisd sweeps (state.h).
 */
#include "kernel_cache.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <inttypes.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <time.h>
#include <unistd.h>

#include <linux/magic.h>

#include "lock.h"
#include "memory.h"
#include "state.h"

#define LOCK_NAME "lock"
#define WAIT_MS   60000u

const char *kernel_cache_disks = "/sys/dev/block";

void kernel_cache_name(const struct stat *st, uint64_t disk, char out[KERNEL_CACHE_NAME])
{
    snprintf(out, KERNEL_CACHE_NAME, "%jx.%jx.%jx.%jx.%jx.%lx.%jx.%lx", (uintmax_t)st->st_dev,
             (uintmax_t)disk, (uintmax_t)st->st_ino, (uintmax_t)st->st_size,
             (uintmax_t)st->st_mtim.tv_sec, (unsigned long)st->st_mtim.tv_nsec,
             (uintmax_t)st->st_ctim.tv_sec, (unsigned long)st->st_ctim.tv_nsec);
}

/* A disk's own, or that of the disk that a partition is of. */
static bool read_number(const struct stat *st, const char *file, uint64_t *out)
{
    char path[PATH_MAX];
    FILE *f;
    bool ok;

    snprintf(path, sizeof(path), "%s/%u:%u/%s", kernel_cache_disks, major(st->st_dev),
             minor(st->st_dev), file);
    f = fopen(path, "re");
    ok = f && fscanf(f, "%" SCNu64, out) == 1;
    if (f)
        fclose(f);
    return ok;
}

/* Which disk it is on; false: it cannot be told. What lies in memory alone is on none, and needs
 * none: nobody but this kernel gives it its times. */
static bool find_disk(int fd, const struct stat *st, uint64_t *disk)
{
    struct statfs fs;

    *disk = 0;
    if (major(st->st_dev) == 0)
        return fstatfs(fd, &fs) == 0 &&
               ((unsigned long)fs.f_type == TMPFS_MAGIC || (unsigned long)fs.f_type == RAMFS_MAGIC);
    return read_number(st, "diskseq", disk) || read_number(st, "../diskseq", disk);
}

/* Before it is read; a time in the future says nothing. */
static bool left_alone(const struct stat *st)
{
    struct timespec now;

    clock_gettime(CLOCK_REALTIME, &now);
    return st->st_mtim.tv_sec + KERNEL_CACHE_AGE_S <= now.tv_sec &&
           st->st_ctim.tv_sec + KERNEL_CACHE_AGE_S <= now.tv_sec;
}

static const char *kept_path(const char *name)
{
    return state_path("kernels/%s", name);
}

/* What is kept and in use stays with those who use it. */
static void forget(const char *name)
{
    unlink(kept_path(name));
}

/* The one of which the last use is longest ago; how many there are. */
static unsigned int oldest(char out[NAME_MAX + 1])
{
    DIR *dir = opendir(kept_path(""));
    struct timespec least = {0};
    const struct dirent *de;
    unsigned int n = 0;

    while (dir && (de = readdir(dir)) != NULL) {
        struct stat st;

        if (de->d_name[0] == '.' || strcmp(de->d_name, LOCK_NAME) == 0 ||
            fstatat(dirfd(dir), de->d_name, &st, 0) < 0)
            continue;
        if (n++ == 0 || st.st_mtim.tv_sec < least.tv_sec ||
            (st.st_mtim.tv_sec == least.tv_sec && st.st_mtim.tv_nsec < least.tv_nsec)) {
            least = st.st_mtim;
            snprintf(out, NAME_MAX + 1, "%s", de->d_name);
        }
    }
    if (dir)
        closedir(dir);
    return n;
}

static void keep_at_most(unsigned int most)
{
    char name[NAME_MAX + 1];

    for (unsigned int n = oldest(name); n > most; n--) {
        forget(name);
        if (oldest(name) >= n)
            break; /* it cannot be removed */
    }
}

static bool memory_is_short(uint64_t wanted)
{
    return memory_available() < wanted + KERNEL_CACHE_LEAVE;
}

/* 0: here it is; -ENOENT, or why it cannot be had. */
static int find(const char *name, struct file_image *out)
{
    int fd = open(kept_path(name), O_RDONLY | O_CLOEXEC);
    struct stat st;
    void *va;

    if (fd < 0)
        return -errno;
    va = fstat(fd, &st) < 0 ? MAP_FAILED
                            : mmap(NULL, (size_t)st.st_size, PROT_READ, MAP_PRIVATE, fd, 0);
    if (va != MAP_FAILED) {
        futimens(fd, NULL); /* used now */
        *out = (struct file_image){.data = va, .size = (size_t)st.st_size, .mapped = true};
    }
    close(fd);
    return va == MAP_FAILED ? -ENOMEM : 0;
}

/* What fits the caller's domain; a larger one is unpacked as far as the limit, to be refused. */
static bool find_fitting(const char *name, uint64_t limit, struct file_image *out)
{
    if (find(name, out))
        return false;
    if (out->size > limit)
        file_image_close(out);
    return out->data;
}

/* Nobody is told where this fails: the next one unpacks again. */
static void keep(const char *name, const struct file_image *image)
{
    char path[PATH_MAX];

    keep_at_most(KERNEL_CACHE_MOST - 1);
    if (memory_is_short(image->size))
        return;
    snprintf(path, sizeof(path), "%s", kept_path(name));
    if (state_write_bytes(path, image->data, image->size) == 0)
        keep_at_most(KERNEL_CACHE_MOST); /* one without the lock may have kept another */
}

static int unpack_and_keep(int fd, const char *before, uint64_t disk, const char *path,
                           uint64_t limit, bool may_keep, struct file_image *out, struct error *e)
{
    char after[KERNEL_CACHE_NAME];
    struct stat now;
    int rc = kernel_image_read(fd, path, limit, out, e);

    if (rc || !may_keep || fstat(fd, &now) < 0)
        return rc;
    kernel_cache_name(&now, disk, after);
    if (strcmp(before, after) == 0)
        keep(before, out);
    return 0;
}

static int open_packed(int fd, const struct stat *st, const char *path, uint64_t limit,
                       struct file_image *out, struct error *e)
{
    bool may_keep = left_alone(st);
    char name[KERNEL_CACHE_NAME];
    int lock, rc = 0;
    uint64_t disk;

    if (!find_disk(fd, st, &disk))
        return kernel_image_read(fd, path, limit, out, e);
    kernel_cache_name(st, disk, name);
    if (memory_is_short(0))
        keep_at_most(0);
    if (find_fitting(name, limit, out))
        return 0;
    lock = lock_take(kept_path(LOCK_NAME), WAIT_MS);
    if (lock < 0 || !find_fitting(name, limit, out))
        rc = unpack_and_keep(fd, name, disk, path, limit, may_keep && lock >= 0, out, e);
    if (lock >= 0)
        close(lock);
    return rc;
}

int kernel_cache_open(const char *path, uint64_t limit, struct file_image *out, struct error *e)
{
    int fd = kernel_image_file(path, e), rc;
    char magic[4] = "";
    struct stat st;

    if (fd < 0)
        return fd;
    if (fstat(fd, &st) < 0 || pread(fd, magic, 4, 0) != 4 || memcmp(magic, "\177ELF", 4) == 0)
        rc = kernel_image_read(fd, path, limit, out, e); /* not packed, or to be refused */
    else
        rc = open_packed(fd, &st, path, limit, out, e);
    close(fd);
    return rc;
}
