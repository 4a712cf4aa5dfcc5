/* SPDX-License-Identifier: MIT */
/*
 * A disk: past all caches of Linux's (O_DIRECT), 1 MiB in order, eight requests of 128 KiB, one
 * after another; and 4 KiB anywhere, the same places everywhere. What is on the disk is lost.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <stdlib.h>
#include <sys/ioctl.h>
#include <sys/mount.h>
#include <unistd.h>

#include "ops.h"

#define DISK    "/dev/xvda"
#define REQUEST (128 * 1024)
#define BLOCK   4096
#define MIB     (1024 * 1024)

static int fd;
static unsigned long long size, next; /* of the disk; where a run in order goes on */
static unsigned int place;            /* the last number of a sequence that looks random */
static char *buffer;

static void open_disk(void)
{
    fd = (int)must(open(DISK, O_RDWR | O_DIRECT), DISK);
    must(ioctl(fd, BLKGETSIZE64, &size), DISK ": BLKGETSIZE64");
    buffer = aligned_alloc(BLOCK, REQUEST);
    if (!buffer)
        failed("aligned_alloc");
    next = 0;
    place = 1;
}

static void close_disk(void)
{
    close(fd);
    free(buffer);
}

static void request(long result, size_t length)
{
    if (must(result, DISK) != (long)length)
        failed(DISK ": shorter than asked for");
}

static unsigned long long in_order(void)
{
    unsigned long long at = next;

    next = next + 2 * REQUEST > size ? 0 : next + REQUEST;
    return at;
}

static unsigned long long anywhere(void)
{
    place = place * 1664525 + 1013904223;
    return (place >> 8) % (size / BLOCK) * BLOCK;
}

static void read_in_order(unsigned int times)
{
    for (unsigned int i = 0; i < times * (MIB / REQUEST); i++)
        request(pread(fd, buffer, REQUEST, (off_t)in_order()), REQUEST);
}

static void write_in_order(unsigned int times)
{
    for (unsigned int i = 0; i < times * (MIB / REQUEST); i++)
        request(pwrite(fd, buffer, REQUEST, (off_t)in_order()), REQUEST);
}

static void read_anywhere(unsigned int times)
{
    while (times--)
        request(pread(fd, buffer, BLOCK, (off_t)anywhere()), BLOCK);
}

static void write_anywhere(unsigned int times)
{
    while (times--)
        request(pwrite(fd, buffer, BLOCK, (off_t)anywhere()), BLOCK);
}

const struct op disk[] = {
    {"disk_read_1m", 16, read_in_order, open_disk, close_disk},
    {"disk_write_1m", 16, write_in_order, open_disk, close_disk},
    {"disk_read_4k", 400, read_anywhere, open_disk, close_disk},
    {"disk_write_4k", 400, write_anywhere, open_disk, close_disk},
    {NULL, 0, NULL, NULL, NULL},
};
