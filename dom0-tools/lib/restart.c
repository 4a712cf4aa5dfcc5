/* SPDX-License-Identifier: MIT */
/*
 * Domains that are to live again: see restart.h.
 */
#include "restart.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "folder.h"
#include "state_file.h"

const char *restart_path(const char *name)
{
    return state_path("restart/%s", name);
}

const char *restart_carried_path(const char *name)
{
    return state_path("carried/%s", name);
}

int restart_intend(const char *name, uint32_t domid)
{
    char kept[PATH_MAX];

    snprintf(kept, sizeof(kept), "%s", state_path("domains/%u.xml", domid));
    if (rename(kept, restart_path(name)) == 0) {
        unlink(kept); /* two names of one file are both left (restart_keeps()) */
        return 0;
    }
    return errno == ENOENT && restart_intended(name) ? 0 : -errno;
}

bool restart_intended(const char *name)
{
    return access(restart_path(name), F_OK) == 0;
}

bool restart_keeps(const char *name, uint32_t domid, const char *xml)
{
    char former[PATH_MAX], *text;
    bool same;

    snprintf(former, sizeof(former), "%s", restart_path(name));
    if (state_read_file(former, &text) < 0)
        return false;
    same = strcmp(text, xml) == 0;
    free(text);
    return same && link(former, state_path("domains/%u.xml", domid)) == 0;
}

void restart_forget(const char *name)
{
    unlink(restart_path(name));
    unlink(restart_carried_path(name));
}

int restart_each(void (*fn)(void *ctx, const char *name), void *ctx)
{
    int rc;
    DIR *dir = folder_open(state_path("restart"), &rc);
    const char *name;

    while ((name = folder_next(dir, &rc)) != NULL) {
        if (domain_name_ok(name))
            fn(ctx, name);
    }
    folder_close(dir);
    return rc;
}
