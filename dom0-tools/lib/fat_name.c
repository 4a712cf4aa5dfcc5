/* SPDX-License-Identifier: MIT */
/*
 * Names of files on FAT: see fat_name.h.
 */
#include "fat_name.h"

#include <dirent.h>
#include <errno.h>
#include <stdio.h>
#include <string.h>
#include <strings.h>

bool fat_finds(const char *folder, const char *file, char alike[NAME_MAX + 1])
{
    DIR *dir = opendir(folder);
    const struct dirent *de;
    bool found = false;

    alike[0] = '\0';
    while (dir && (de = readdir(dir)) != NULL) {
        if (strcmp(de->d_name, file) == 0)
            found = true;
        else if (strcasecmp(de->d_name, file) == 0)
            snprintf(alike, NAME_MAX + 1, "%s", de->d_name);
    }
    if (dir)
        closedir(dir);
    return found;
}

int fat_refuses(const char *folder, const char *file, const char *name, struct error *e)
{
    char alike[NAME_MAX + 1];
    size_t len = strlen(name);

    if (len > 0 && name[len - 1] == '.')
        return error_set(e, -EINVAL,
                         "%s: FAT disks leave out a dot at a name's end: choose another", name);
    if (fat_finds(folder, file, alike) || !*alike)
        return 0;
    return error_set(e, -EEXIST,
                     "%s: %s/%s is there, which differs in the case of letters only: a FAT disk "
                     "takes both for one",
                     name, folder, alike);
}
