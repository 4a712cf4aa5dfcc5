/* SPDX-License-Identifier: MIT */
/*
 * What daemons before this one left: see former.h.
 */
#include "former.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "console.h"
#include "folder.h"
#include "restart.h"
#include "state.h"

struct file {
    char name[NAME_MAX + 1];
    struct timespec written;
};

/* The name that a file is of, which is called so and this; false: it is none of ours. */
static bool name_of(const char *file, const char *end, char name[65])
{
    size_t len = strlen(file), behind = strlen(end);

    if (len <= behind || len - behind > 64 || strcmp(file + len - behind, end) != 0)
        return false;
    snprintf(name, 65, "%.*s", (int)(len - behind), file);
    return domain_name_ok(name);
}

/* Nobody has the name, nor is to have it. */
static bool has_ended(const char *name)
{
    struct state_entry s;

    return state_get(name, &s) == -ENOENT && !restart_intended(name);
}

static int newest_first(const void *a, const void *b)
{
    const struct timespec *x = &((const struct file *)a)->written;
    const struct timespec *y = &((const struct file *)b)->written;

    if (x->tv_sec != y->tv_sec)
        return x->tv_sec > y->tv_sec ? -1 : 1;
    return x->tv_nsec > y->tv_nsec ? -1 : x->tv_nsec < y->tv_nsec;
}

/* The files there of domains that have ended. One free(). */
static int list(DIR *dir, const char *end, struct file **out, size_t *nr)
{
    struct file *all = NULL, *more;
    const char *file;
    char name[65];
    struct stat st;
    size_t n = 0;
    int rc = 0;

    while (rc == 0 && (file = folder_next(dir, &rc)) != NULL) {
        if (!name_of(file, end, name) || !has_ended(name) ||
            fstatat(dirfd(dir), file, &st, AT_SYMLINK_NOFOLLOW) < 0)
            continue;
        more = realloc(all, (n + 1) * sizeof(*all));
        rc = more ? 0 : -ENOMEM;
        all = more ? more : all;
        if (rc == 0) {
            snprintf(all[n].name, sizeof(all[n].name), "%s", file);
            all[n++].written = st.st_mtim;
        }
    }
    *out = all;
    *nr = n;
    return rc;
}

static void sweep(const char *folder, const char *end, size_t most)
{
    int rc, listed;
    DIR *dir = folder_open(state_path("%s", folder), &rc);
    struct file *all;
    size_t n;

    listed = list(dir, end, &all, &n);
    rc = rc ? rc : listed;
    if (rc)
        fprintf(stderr, "parvisd: %s: %s\n", state_path("%s", folder), strerror(-rc));
    if (n)
        qsort(all, n, sizeof(*all), newest_first);
    for (size_t i = most; rc == 0 && i < n; i++)
        unlinkat(dirfd(dir), all[i].name, 0);
    free(all);
    folder_close(dir);
}

void former_sweep(void)
{
    sweep("console", ".log", CONSOLES_ENDED);
    sweep("ended", "", CONSOLES_ENDED);
    sweep("carried", "", 0);
}
