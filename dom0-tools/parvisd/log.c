/* SPDX-License-Identifier: MIT */
/*
 * Where the daemon's messages go: see log.h.
 */
#define _GNU_SOURCE /* fallocate */
#include "log.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

/* Room that the log has even when the disk is full: that is when it must say something. */
#define RESERVE (64 << 10)

static char name[PATH_MAX]; /* "": messages go to what was standard error before */
static off_t turn_at = LOG_BYTES;

bool log_open(const char *path)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_APPEND | O_CLOEXEC, 0600);

    if (fd < 0 || dup2(fd, STDERR_FILENO) < 0) {
        fprintf(stderr, "parvisd: %s: %s\n", path, strerror(errno));
        return false;
    }
    fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, RESERVE);
    close(fd);
    setvbuf(stderr, NULL, _IOLBF, 0);
    if (path != name)
        snprintf(name, sizeof(name), "%s", path);
    return true;
}

void log_turn(void)
{
    char old[PATH_MAX + 4];
    struct stat st;

    if (!name[0] || fstat(STDERR_FILENO, &st) < 0 || !S_ISREG(st.st_mode) || st.st_size < turn_at)
        return;
    turn_at = LOG_BYTES;
    snprintf(old, sizeof(old), "%s.old", name);
    if ((rename(name, old) < 0 && errno != ENOENT) || !log_open(name))
        turn_at += st.st_size; /* it goes on where it is, and is not tried with each line */
}
