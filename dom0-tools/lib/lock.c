/* SPDX-License-Identifier: MIT */
/*
 * A lock between processes: see lock.h.
 */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <sys/file.h>
#include <unistd.h>

#define STEP_MS 10u

int lock_take(const char *path, unsigned int limit_ms)
{
    int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600), rc = 0;

    if (fd < 0) {
        return -errno;
    }
    for (unsigned int ms = 0; flock(fd, LOCK_EX | LOCK_NB) < 0; ms += STEP_MS) {
        rc = errno == EINTR ? 0 : errno != EWOULDBLOCK ? -errno : ms >= limit_ms ? -EBUSY : 0;
        if (rc) {
            close(fd);
            return rc;
        }
        usleep(STEP_MS * 1000);
    }
    return fd;
}
