/* SPDX-License-Identifier: MIT */
/*
 * One sentence for whoever asked. The loader runs in the hypervisor and in the tools, whose printf
 * are not the same, so it brings the few lines of formatting that its messages need. Strings that
 * come from a hostile file are made printable where they are taken out of it (notes.c).
 */
#include "internal.h"

#include <stdarg.h>

struct writer {
    char *at, *end; /* end is kept for the NUL */
};

static void put(struct writer *w, char c)
{
    if (w->at < w->end) {
        *w->at++ = c;
    }
}

static void put_number(struct writer *w, uint64_t value, unsigned int base)
{
    char digits[20];
    unsigned int n = 0;

    do {
        digits[n++] = "0123456789abcdef"[value % base];
        value /= base;
    } while (value);
    while (n) {
        put(w, digits[--n]);
    }
}

static void put_format(struct writer *w, const char *format, va_list args)
{
    for (; *format; format++) {
        bool wide = false, hex = false;

        if (*format != '%') {
            put(w, *format);
            continue;
        }
        for (format++; *format == '#' || *format == 'l'; format++) {
            wide |= *format == 'l';
        }
        hex = *format == 'x';
        if (*format == 's') {
            for (const char *s = va_arg(args, const char *); *s; s++) {
                put(w, *s);
            }
        } else {
            if (hex) {
                put(w, '0');
                put(w, 'x');
            }
            put_number(w, wide ? va_arg(args, unsigned long long) : va_arg(args, unsigned int),
                       hex ? 16 : 10);
        }
    }
}

int loader_fail(struct loader_error *error, int code, const char *format, ...)
{
    struct writer w;
    va_list args;

    if (!error) {
        return code;
    }
    w.at = error->text;
    w.end = error->text + sizeof(error->text) - 1;
    va_start(args, format);
    put_format(&w, format, args);
    va_end(args);
    *w.at = '\0';
    return code;
}
