/* SPDX-License-Identifier: MIT */
/*
 * Files of the state directory: see state_file.h. Each is written beside its place and renamed.
 */
#include "state_file.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdarg.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "write_all.h"

#define MAX_KEPT (4u << 20)

const char *state_path(const char *fmt, ...)
{
    static _Thread_local char path[PATH_MAX];
    const char *dir = getenv("PARVIS_RUN");
    size_t n = (size_t)snprintf(path, sizeof(path), "%s/", dir && *dir ? dir : "/run/parvis");
    va_list ap;

    if (n < sizeof(path)) {
        va_start(ap, fmt);
        vsnprintf(path + n, sizeof(path) - n, fmt, ap);
        va_end(ap);
    }
    return path;
}

/* This process's name for what is to be renamed; one at a time. */
static void temporary(char tmp[PATH_MAX])
{
    snprintf(tmp, PATH_MAX, "%s", state_path("tmp/%d", (int)getpid()));
}

static int put_in_place(const char *tmp, const char *path)
{
    int rc = rename(tmp, path) < 0 ? -errno : 0;

    if (rc)
        unlink(tmp);
    return rc;
}

int state_write_file(const char *path, const char *text)
{
    return state_write_bytes(path, text, strlen(text));
}

int state_write_bytes(const char *path, const void *bytes, size_t len)
{
    char tmp[PATH_MAX], final[PATH_MAX];
    int fd, rc;

    snprintf(final, sizeof(final), "%s", path); /* it may be state_path()'s, which is used next */
    temporary(tmp);
    unlink(tmp); /* of a process that was killed and had this number it may be a link */
    fd = open(tmp, O_WRONLY | O_CREAT | O_EXCL | O_CLOEXEC, 0600);
    if (fd < 0)
        return -errno;
    rc = write_all(fd, bytes, len);
    if (close(fd) < 0 && rc == 0)
        rc = -errno;
    if (rc) {
        unlink(tmp);
        return rc;
    }
    return put_in_place(tmp, final);
}

int state_read_file(const char *path, char **out)
{
    FILE *f = fopen(path, "re");
    char *buf, *less;
    size_t n;
    int rc;

    if (!f)
        return -errno;
    buf = malloc(MAX_KEPT + 1);
    if (!buf) {
        fclose(f);
        return -ENOMEM;
    }
    n = fread(buf, 1, MAX_KEPT + 1, f);
    rc = ferror(f) ? -EIO : n > MAX_KEPT ? -EFBIG : 0;
    fclose(f);
    if (rc) {
        free(buf);
        return rc;
    }
    buf[n] = '\0';
    less = realloc(buf, n + 1);
    *out = less ? less : buf;
    return 0;
}

int state_write_link(const char *path, const char *target)
{
    char tmp[PATH_MAX], final[PATH_MAX];

    snprintf(final, sizeof(final), "%s", path); /* as above */
    temporary(tmp);
    unlink(tmp); /* as above */
    return symlink(target, tmp) < 0 ? -errno : put_in_place(tmp, final);
}
