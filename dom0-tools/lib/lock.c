/* SPDX-License-Identifier: MIT */
/*
 * A lock between processes: see lock.h.
 */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#include "interrupt.h"
#include "limit.h"

/* Many may wait: they sleep until it is their turn, and do not look again and again. */
static int wait_for(int fd, unsigned int limit_ms)
{
    int rc;

    limit_set(limit_ms);
    do {
        rc = flock(fd, LOCK_EX) < 0 ? -errno : 0;
    } while (rc == -EINTR && !limit_passed() && !interrupt_came());
    limit_clear();
    return rc == -EINTR && limit_passed() ? -EBUSY : rc;
}

int lock_take_open(int fd, unsigned int limit_ms)
{
    int rc = flock(fd, LOCK_EX | LOCK_NB) < 0 ? -errno : 0;

    if (rc == -EWOULDBLOCK)
        rc = limit_ms ? wait_for(fd, limit_ms) : -EBUSY;
    return rc;
}

int lock_take(const char *path, unsigned int limit_ms)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), rc;

    if (fd < 0)
        return -errno;
    rc = lock_take_open(fd, limit_ms);
    if (rc) {
        close(fd);
        return rc;
    }
    return fd;
}
