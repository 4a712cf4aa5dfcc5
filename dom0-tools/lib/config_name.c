/* SPDX-License-Identifier: MIT */
/*
 * What a domain may be called: nothing that could be taken for a number, an option or a path.
 */
#include <string.h>

#include "config.h"

bool domain_name_ok(const char *name)
{
    size_t len = strlen(name);

    return len >= 1 && len <= 64 && name[0] != '.' && name[0] != '-' &&
           strspn(name, "0123456789") != len &&
           strspn(name, "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789_.+-") ==
               len;
}
