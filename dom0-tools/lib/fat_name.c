/* SPDX-License-Identifier: MIT */
/*
 * Names of files on FAT: see fat_name.h.
 */
#include "fat_name.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

#include "folder.h"

int fat_finds(const char *folder, const char *file, char alike[NAME_MAX + 1])
{
    int rc, found = 0;
    DIR *dir = folder_open(folder, &rc);
    const char *name;

    alike[0] = '\0';
    while ((name = folder_next(dir, &rc)) != NULL) {
        if (strcmp(name, file) == 0)
            found = 1;
        else if (strcasecmp(name, file) == 0)
            snprintf(alike, NAME_MAX + 1, "%s", name);
    }
    folder_close(dir);
    return rc ? rc : found;
}

int fat_refuses(const char *folder, const char *file, const char *name, struct error *e)
{
    char alike[NAME_MAX + 1];
    size_t len = strlen(name);
    int rc;

    if (len > 0 && name[len - 1] == '.')
        return error_set(e, -EINVAL,
                         "%s: FAT disks leave out a dot at a name's end: choose another", name);
    rc = fat_finds(folder, file, alike);
    if (rc < 0)
        return error_set(e, rc, "%s: %s: %s", name, folder, strerror(-rc));
    if (rc || !*alike)
        return 0;
    return error_set(e, -EEXIST,
                     "%s: %s/%s is there, which differs in the case of letters only: a FAT disk "
                     "takes both for one",
                     name, folder, alike);
}
