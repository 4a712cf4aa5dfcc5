/* SPDX-License-Identifier: MIT */
/*
 * A lock between processes: see lock.h.
 */
#include "lock.h"

#include <errno.h>
#include <fcntl.h>
#include <stdio.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "interrupt.h"
#include "limit.h"
#include "lock_holder.h"
#include "progress.h"

#define PATIENCE_MS 500u /* then it is said who is waited for */

/* Many may wait: they sleep until it is their turn, and do not look again and again. */
static int wait_so_long(int fd, unsigned int limit_ms)
{
    int rc;

    limit_set(limit_ms);
    do {
        rc = flock(fd, LOCK_EX) < 0 ? -errno : 0;
    } while (rc == -EINTR && !limit_passed() && !interrupt_came());
    limit_clear();
    return rc == -EINTR && limit_passed() ? -EBUSY : rc;
}

static void tell_holder(int fd)
{
    char holder[LOCK_HOLDER], text[LOCK_HOLDER + 16];
    struct stat st;

    if (fstat(fd, &st) < 0)
        return;
    lock_holder(&st, holder);
    snprintf(text, sizeof(text), "waiting for %s", holder);
    progress_line(text);
}

static int wait_for(int fd, unsigned int limit_ms)
{
    unsigned int first = limit_ms < PATIENCE_MS ? limit_ms : PATIENCE_MS;
    int rc = wait_so_long(fd, first);

    if (rc == -EBUSY && first < limit_ms) {
        tell_holder(fd);
        rc = wait_so_long(fd, limit_ms - first);
        progress_clear();
    }
    return rc;
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

int lock_refused(struct error *e, int rc, const char *path)
{
    char holder[LOCK_HOLDER];
    struct stat st;

    if (rc != -EBUSY || stat(path, &st) < 0)
        return error_errno(e, rc, "%s", path);
    lock_holder(&st, holder);
    return error_set(e, rc, "%s: %s has it still", path, holder);
}
