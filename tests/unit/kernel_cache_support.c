/* SPDX-License-Identifier: MIT */
/*
 * What the tests of kernels that are kept share: see kernel_cache_support.h.
 */
#define _GNU_SOURCE
#include "kernel_cache_support.h"

#include <dirent.h>
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/statfs.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzz/kernel_pack.h"
#include "kernel_cache.h"
#include "memory.h"
#include "state.h"
#include "unpack.h"

char run[] = "/tmp/parvis-test-kernels-XXXXXX", file[PATH_MAX];
unsigned int unpacked;
void (*meanwhile)(void);
time_t later = 60;
uint64_t available = 1u << 30;
/* What all files lie on, whatever this machine has there: a disk, or none and then of this type. */
static dev_t device;
static long fs_type;

int __real_unpack(const struct unpacker *u, const uint8_t *data, size_t size, const char *name,
                  uint64_t limit, uint8_t **out, size_t *out_size, struct error *e);
int __wrap_unpack(const struct unpacker *u, const uint8_t *data, size_t size, const char *name,
                  uint64_t limit, uint8_t **out, size_t *out_size, struct error *e);
int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);
uint64_t __real_memory_available(void);
uint64_t __wrap_memory_available(void);
int __real_fstat(int fd, struct stat *st);
int __wrap_fstat(int fd, struct stat *st);
int __wrap_fstatfs(int fd, struct statfs *fs);

int __wrap_unpack(const struct unpacker *u, const uint8_t *data, size_t size, const char *name,
                  uint64_t limit, uint8_t **out, size_t *out_size, struct error *e)
{
    unpacked++;
    if (meanwhile)
        meanwhile();
    return __real_unpack(u, data, size, name, limit, out, out_size, e);
}

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
    int rc = __real_clock_gettime(clock, t);

    t->tv_sec += later;
    return rc;
}

uint64_t __wrap_memory_available(void)
{
    return available;
}

int __wrap_fstat(int fd, struct stat *st)
{
    int rc = __real_fstat(fd, st);

    st->st_dev = device;
    return rc;
}

int __wrap_fstatfs(int fd, struct statfs *fs)
{
    (void)fd;
    *fs = (struct statfs){.f_type = (typeof(fs->f_type))fs_type};
    return 0;
}

void write_kernel(const char *path, uint8_t byte)
{
    static uint8_t content[SIZE], packed[SIZE];
    size_t size;
    FILE *f = fopen(path, "w");

    memset(content, byte, SIZE);
    memcpy(content, "\177ELF\2", 5);
    size = kernel_pack(PACK_GZIP, content, SIZE, packed, sizeof(packed));
    assert_true(f && size && fwrite(packed, size, 1, f) == 1 && fclose(f) == 0);
}

void opens(const char *path, uint8_t byte)
{
    struct file_image out;
    struct error e = {0};

    if (kernel_cache_open(path, LIMIT, &out, &e))
        fail_msg("%s", e.text);
    assert_int_equal(out.size, SIZE);
    assert_memory_equal(out.data, "\177ELF\2", 5);
    for (size_t i = 5; i < SIZE; i++) {
        if (out.data[i] != byte)
            fail_msg("byte %zu is %u, not %u", i, out.data[i], byte);
    }
    file_image_close(&out);
}

unsigned int files_in(const char *below)
{
    DIR *dir = opendir(state_path("%s", below));
    const struct dirent *de;
    unsigned int n = 0;

    assert_non_null(dir);
    while ((de = readdir(dir)) != NULL)
        n += de->d_name[0] != '.' && strcmp(de->d_name, "lock") != 0;
    closedir(dir);
    return n;
}

void remove_in(const char *below)
{
    DIR *dir = opendir(state_path("%s", below));
    const struct dirent *de;

    while (dir && (de = readdir(dir)) != NULL)
        unlinkat(dirfd(dir), de->d_name, 0);
    if (dir)
        closedir(dir);
}

void disk_is(const char *number)
{
    char path[PATH_MAX];

    device = makedev(8, 1);
    snprintf(path, sizeof(path), "%s/8:1", run);
    mkdir(path, 0700);
    unlink(strcat(path, "/diskseq"));
    kernel_cache_disks = run;
    assert_int_equal(number ? state_write_file(path, number) : 0, 0);
}

void file_system_is(long type)
{
    device = makedev(0, 50);
    fs_type = type;
}

int set_up(void **state)
{
    struct error e;

    (void)state;
    unpacked = 0;
    meanwhile = NULL;
    later = 60;
    available = 1u << 30;
    assert_int_equal(state_prepare(&e), 0);
    write_kernel(file, 1);
    disk_is("1\n");
    return 0;
}

int clean_up(void **state)
{
    (void)state;
    remove_in("kernels");
    remove_in("tmp");
    unlink(file);
    return 0;
}
