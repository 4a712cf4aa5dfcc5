/* SPDX-License-Identifier: MIT */
/*
 * One sentence for whoever asked. Strings that come from a hostile file are made printable where
 * they are taken out of it (notes.c).
 */
#include "internal.h"

#include <parvis/string.h>

int loader_fail(struct loader_error *error, int code, const char *format, ...)
{
    va_list args;

    if (!error)
        return code;
    va_start(args, format);
    vsnprintf(error->text, sizeof(error->text), format, args);
    va_end(args);
    return code;
}
