/* SPDX-License-Identifier: MIT */
/*
 * Names of files in a folder that may lie on a FAT disk, as definitions do. FAT opens, replaces and
 * removes what has the name in any case of letters, and leaves out a dot at the name's end: with
 * web.xml there, Web.xml is web.xml. So what has not exactly the name is not there, and nothing is
 * written that FAT would put in another's place. This holds on each file system, as folders are
 * copied from one to another.
 */
#ifndef PARVIS_TOOLS_FAT_NAME_H
#define PARVIS_TOOLS_FAT_NAME_H

#include <limits.h>

#include "error.h"

/* 1: the folder has an entry of exactly this name; 0: it has none; -errno: that cannot be told.
 * *alike: one that differs from it in the case of its letters, "": there is none. */
int __must_check fat_finds(const char *folder, const char *file, char alike[NAME_MAX + 1]);
/* 0: the file may be written, for the domain of this name. -EEXIST: another is there; -EINVAL: the
 * name ends in a dot; another: that cannot be told. */
int __must_check fat_refuses(const char *folder, const char *file, const char *name,
                             struct error *e);

#endif
