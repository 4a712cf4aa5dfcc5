/* SPDX-License-Identifier: MIT */
/*
 * Formatted printing into a buffer. One conversion at a time: flags, width, precision, length,
 * type. Text that does not fit is counted and dropped; the buffer is always terminated.
 */
#include <guest/console.h>
#include <guest/lib.h>

struct out {
    char *buf;
    size_t size;
    size_t len; /* of the whole text, also what did not fit */
};

struct spec {
    bool left, zero, alternate;
    unsigned int width;
    int precision; /* -1: none */
    unsigned int longs;
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void put_padded(struct out *o, const char *text, size_t len, const struct spec *s)
{
    size_t pad = s->width > len ? s->width - len : 0;

    for (; pad && !s->left; pad--)
        put(o, ' ');
    while (len--)
        put(o, *text++);
    for (; pad; pad--)
        put(o, ' ');
}

static void put_number(struct out *o, unsigned long value, bool negative, unsigned int base,
                       bool upper, const struct spec *s)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[72];
    size_t i = sizeof(text), width = s->width < 64 ? s->width : 64;

    do {
        text[--i] = digits[value % base];
        value /= base;
    } while (value);
    if (s->zero && !s->left)
        while (sizeof(text) - i + negative + (s->alternate ? 2 : 0) < width)
            text[--i] = '0';
    if (s->alternate) {
        text[--i] = 'x';
        text[--i] = '0';
    }
    if (negative)
        text[--i] = '-';
    put_padded(o, text + i, sizeof(text) - i, s);
}

static const char *parse_spec(const char *f, struct spec *s, va_list *ap)
{
    *s = (struct spec){.precision = -1};
    for (;; f++) {
        if (*f == '-')
            s->left = true;
        else if (*f == '0')
            s->zero = true;
        else if (*f == '#')
            s->alternate = true;
        else
            break;
    }
    if (*f == '*') {
        s->width = (unsigned int)va_arg(*ap, int);
        f++;
    } else {
        s->width = (unsigned int)strtoul(f, &f, 10);
    }
    if (*f == '.') {
        f++;
        if (*f == '*') {
            s->precision = va_arg(*ap, int);
            f++;
        } else {
            s->precision = (int)strtoul(f, &f, 10);
        }
    }
    for (; *f == 'l' || *f == 'z'; f++)
        s->longs++;
    return f;
}

static void convert(struct out *o, char type, struct spec *s, va_list *ap)
{
    unsigned long u;
    const char *text;
    char c;

    switch (type) {
    case 'd':
    case 'i': {
        long v = s->longs ? va_arg(*ap, long) : va_arg(*ap, int);

        put_number(o, v < 0 ? 0ul - (unsigned long)v : (unsigned long)v, v < 0, 10, false, s);
        break;
    }
    case 'u':
    case 'x':
    case 'X':
        u = s->longs ? va_arg(*ap, unsigned long) : va_arg(*ap, unsigned int);
        put_number(o, u, false, type == 'u' ? 10 : 16, type == 'X', s);
        break;
    case 'p':
        s->alternate = true;
        put_number(o, (unsigned long)va_arg(*ap, void *), false, 16, false, s);
        break;
    case 's':
        text = va_arg(*ap, const char *);
        if (!text)
            text = "(null)";
        put_padded(o, text, strnlen(text, s->precision < 0 ? SIZE_MAX : (size_t)s->precision), s);
        break;
    case 'c':
        c = (char)va_arg(*ap, int);
        put_padded(o, &c, 1, s);
        break;
    default: /* including %% */
        put(o, type);
    }
}

int vsnprintf(char *buf, size_t size, const char *fmt, va_list ap)
{
    struct out o = {buf, size, 0};
    struct spec s;
    va_list args;

    va_copy(args, ap);
    while (*fmt) {
        if (*fmt != '%') {
            put(&o, *fmt++);
            continue;
        }
        fmt = parse_spec(fmt + 1, &s, &args);
        if (*fmt)
            convert(&o, *fmt++, &s, &args);
    }
    va_end(args);
    if (size)
        buf[o.len < size ? o.len : size - 1] = '\0';
    return (int)o.len;
}

int snprintf(char *buf, size_t size, const char *fmt, ...)
{
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(buf, size, fmt, ap);
    va_end(ap);
    return n;
}

int printf(const char *fmt, ...)
{
    char buf[512];
    va_list ap;
    int n;

    va_start(ap, fmt);
    n = vsnprintf(buf, sizeof(buf), fmt, ap);
    va_end(ap);
    console_write(buf, strlen(buf));
    return n;
}
