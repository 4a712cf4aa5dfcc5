/* SPDX-License-Identifier: MIT */
/*
 * Who has a pseudo terminal open: see pts.h.
 */
#include "pts.h"

#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <unistd.h>

#include "folder.h"

static bool is_number(const char *name)
{
    return name[0] >= '0' && name[0] <= '9';
}

/* By the link alone: to look at the file itself may take as long as another machine's disk. */
static void look_at(int dir, const char *descriptor, void (*fn)(unsigned int number))
{
    char target[64];
    ssize_t n = readlinkat(dir, descriptor, target, sizeof(target) - 1);
    unsigned int number;

    target[n > 0 ? n : 0] = '\0';
    if (sscanf(target, "/dev/pts/%u", &number) == 1)
        fn(number);
}

/* One that has ended meanwhile has none. */
static int look_at_process(const char *pid, void (*fn)(unsigned int number))
{
    char path[64];
    const char *name;
    DIR *dir;
    int rc;

    snprintf(path, sizeof(path), "/proc/%.20s/fd", pid);
    dir = folder_open(path, &rc);
    while ((name = folder_next(dir, &rc)) != NULL) {
        if (is_number(name))
            look_at(dirfd(dir), name, fn);
    }
    folder_close(dir);
    return rc == -ESRCH || rc == -ENOENT ? 0 : rc;
}

int pts_each(void (*fn)(unsigned int number))
{
    int rc, last = 0;
    DIR *dir = folder_open("/proc", &rc);
    const char *name;

    while ((name = folder_next(dir, &rc)) != NULL) {
        int one = is_number(name) ? look_at_process(name, fn) : 0;

        last = one ? one : last;
    }
    folder_close(dir);
    return rc ? rc : last;
}
