/* SPDX-License-Identifier: MIT */
/* Memory: mapped, touched, protected. */
#define _GNU_SOURCE
#include <fcntl.h>
#include <signal.h>
#include <sys/mman.h>
#include <unistd.h>

#include "ops.h"

#define PAGE       4096ul
#define MANY       256ul
#define FILE_PAGES 64ul
#define FAR        ((void *)0x200000000000)

static char *map(unsigned long pages, int fd)
{
    void *at = mmap(NULL, pages * PAGE, fd < 0 ? PROT_READ | PROT_WRITE : PROT_READ,
                    fd < 0 ? MAP_PRIVATE | MAP_ANONYMOUS : MAP_SHARED, fd, 0);

    if (at == MAP_FAILED)
        failed("mmap");
    return at;
}

static void touch_and_unmap(unsigned int times, unsigned long pages)
{
    while (times--) {
        volatile char *at = map(pages, -1);

        for (unsigned long i = 0; i < pages; i++)
            at[i * PAGE] = 1;
        must(munmap((void *)at, pages * PAGE), "munmap");
    }
}

static void map_1(unsigned int times)
{
    touch_and_unmap(times, 1);
}

/* Far from all else: three page tables come and go with it. */
static void map_alone(unsigned int times)
{
    while (times--) {
        volatile char *at = mmap(FAR, PAGE, PROT_READ | PROT_WRITE,
                                 MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0);

        if (at != FAR)
            failed("mmap");
        *at = 1;
        must(munmap(FAR, PAGE), "munmap");
    }
}

static void map_256(unsigned int times)
{
    touch_and_unmap(times, MANY);
}

/* Faults alone: the range is given back and touched again. */
static char *range;

static void map_range(void)
{
    range = map(MANY, -1);
}

static void unmap_range(void)
{
    must(munmap(range, MANY * PAGE), "munmap");
}

static void page_faults(unsigned int times)
{
    for (unsigned int i = 0; i < times; i++) {
        if (i % MANY == 0)
            must(madvise(range, MANY * PAGE, MADV_DONTNEED), "madvise");
        ((volatile char *)range)[i % MANY * PAGE] = 1;
    }
}

static void protect_pair(unsigned int times)
{
    *range = 1;
    while (times--) {
        must(mprotect(range, PAGE, PROT_READ), "mprotect");
        must(mprotect(range, PAGE, PROT_READ | PROT_WRITE), "mprotect");
    }
}

static void open_page(int signal)
{
    (void)signal;
    must(mprotect(range, PAGE, PROT_READ | PROT_WRITE), "mprotect");
}

static void map_and_handle(void)
{
    map_range();
    must(sigaction(SIGSEGV, &(struct sigaction){.sa_handler = open_page}, NULL), "sigaction");
}

static void unmap_and_default(void)
{
    must(sigaction(SIGSEGV, &(struct sigaction){.sa_handler = SIG_DFL}, NULL), "sigaction");
    unmap_range();
}

static void protection_fault(unsigned int times)
{
    while (times--) {
        must(mprotect(range, PAGE, PROT_READ), "mprotect");
        *(volatile char *)range = 1;
    }
}

static int file;

static void make_file(void)
{
    static const char page[PAGE] = {1};

    file = (int)must(memfd_create("linux-ops", 0), "memfd_create");
    for (unsigned long i = 0; i < FILE_PAGES; i++)
        must(write(file, page, PAGE), "write");
}

static void close_file(void)
{
    close(file);
}

static void map_file(unsigned int times)
{
    while (times--) {
        volatile char *at = map(FILE_PAGES, file);

        for (unsigned long i = 0; i < FILE_PAGES; i++)
            (void)at[i * PAGE];
        must(munmap((void *)at, FILE_PAGES * PAGE), "munmap");
    }
}

const struct op memory[] = {
    {"mmap_touch_munmap", 500, map_1, NULL, NULL},
    {"mmap_touch_munmap_alone", 500, map_alone, NULL, NULL},
    {"mmap_touch_munmap_256", 20, map_256, NULL, NULL},
    {"page_fault", 2560, page_faults, map_range, unmap_range},
    {"mprotect_pair", 1000, protect_pair, map_range, unmap_range},
    {"protection_fault", 1000, protection_fault, map_and_handle, unmap_and_default},
    {"mmap_file_64", 100, map_file, make_file, close_file},
    {NULL, 0, NULL, NULL, NULL},
};
