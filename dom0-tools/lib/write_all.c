/* SPDX-License-Identifier: MIT */
/*
 * All of it, or an error: see write_all.h.
 */
#include "write_all.h"

#include <errno.h>
#include <stdbool.h>
#include <unistd.h>

static int write_parts(int fd, const char *data, size_t size, bool placed, uint64_t at)
{
    while (size > 0) {
        ssize_t n = placed ? pwrite(fd, data, size, (off_t)at) : write(fd, data, size);

        if (n < 0 && errno != EINTR)
            return -errno;
        if (n > 0) {
            data += n;
            at += (uint64_t)n;
            size -= (size_t)n;
        }
    }
    return 0;
}

int write_all(int fd, const void *data, size_t size)
{
    return write_parts(fd, data, size, false, 0);
}

int write_all_at(int fd, const void *data, size_t size, uint64_t at)
{
    return write_parts(fd, data, size, true, at);
}
