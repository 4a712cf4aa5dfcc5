/* SPDX-License-Identifier: MIT */
/*
 * What lies in a folder. One that is not there has nothing in it. One that cannot be looked into
 * (no descriptor or memory left, a disk that fails) may have anything in it: that is an error, and
 * not taken for nothing.
 *
 *     DIR *dir = folder_open(path, &rc);
 *
 *     while ((name = folder_next(dir, &rc)) != NULL)
 *         ...
 *     folder_close(dir);
 */
#ifndef PARVIS_TOOLS_FOLDER_H
#define PARVIS_TOOLS_FOLDER_H

#include <dirent.h>
#include <errno.h>
#include <stddef.h>

/* NULL: *rc is why, or 0: it is not there. */
static inline DIR *folder_open(const char *path, int *rc)
{
    DIR *dir = opendir(path);

    *rc = dir || errno == ENOENT ? 0 : -errno;
    return dir;
}

/* The next entry's name. NULL: that was all, or *rc is why the rest is not known. */
static inline const char *folder_next(DIR *dir, int *rc)
{
    const struct dirent *de;

    errno = 0;
    de = dir ? readdir(dir) : NULL;
    if (!de && errno)
        *rc = -errno;
    return de ? de->d_name : NULL;
}

static inline void folder_close(DIR *dir)
{
    if (dir)
        closedir(dir);
}

#endif
