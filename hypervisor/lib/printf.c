/* SPDX-License-Identifier: MIT */
/*
 * Formatted output into a buffer.
 *
 * What it knows: %d %i %u %x %X %o %c %s %p %%, width and precision (also as *), the flags 0 - # +
 * and space, the lengths hh h l ll z. What it does not know, it copies as it stands, so that a
 * mistake shows in the output and harms nothing. The buffer is never overrun and, unless its size
 * is 0, always ends with 0; the result is the length that an endless buffer would have got.
 *
 * It is used before memory, locks or anything else works, so it uses none of them. A null %s prints
 * (null).
 */
#include <parvis/string.h>

struct out {
    char *buf;
    size_t size, len; /* len counts on behind the end */
};

struct spec {
    bool left, zero, alternate, plus, space;
    int width, precision; /* precision -1: none */
    int length;           /* -2 hh, -1 h, 0, 1 l, 2 ll or z */
};

static void put(struct out *o, char c)
{
    if (o->len + 1 < o->size)
        o->buf[o->len] = c;
    o->len++;
}

static void pad(struct out *o, char c, int n)
{
    while (n-- > 0)
        put(o, c);
}

static void put_string(struct out *o, const struct spec *s, const char *text)
{
    size_t n;

    if (!text)
        text = "(null)";
    n = s->precision >= 0 ? strnlen(text, (size_t)s->precision) : strlen(text);
    if (!s->left)
        pad(o, ' ', s->width - (int)n);
    for (size_t i = 0; i < n; i++)
        put(o, text[i]);
    if (s->left)
        pad(o, ' ', s->width - (int)n);
}

/* prefix: sign or 0x. Digits are made backwards; precision is the least number of them. */
static void put_number(struct out *o, const struct spec *s, uint64_t value, unsigned int base,
                       bool upper, const char *prefix)
{
    const char *digits = upper ? "0123456789ABCDEF" : "0123456789abcdef";
    char text[24];
    int n = 0, zeros, len;

    for (uint64_t v = value; v; v /= base)
        text[n++] = digits[v % base];
    if (!n && s->precision != 0)
        text[n++] = '0';
    zeros = s->precision > n ? s->precision - n : 0;
    len = n + zeros + (int)strlen(prefix);
    if (s->zero && !s->left && s->precision < 0 && s->width > len) {
        zeros += s->width - len;
        len = s->width;
    }
    if (!s->left)
        pad(o, ' ', s->width - len);
    while (*prefix)
        put(o, *prefix++);
    pad(o, '0', zeros);
    while (n)
        put(o, text[--n]);
    if (s->left)
        pad(o, ' ', s->width - len);
}

static const char *parse_flags(const char *f, struct spec *s)
{
    for (;; f++) {
        if (*f == '-')
            s->left = true;
        else if (*f == '0')
            s->zero = true;
        else if (*f == '#')
            s->alternate = true;
        else if (*f == '+')
            s->plus = true;
        else if (*f == ' ')
            s->space = true;
        else
            return f;
    }
}

/* At most 4 digits: no width can overflow. */
static const char *parse_width(const char *f, int *n)
{
    *n = 0;
    for (; *f >= '0' && *f <= '9'; f++)
        if (*n < 1000)
            *n = *n * 10 + (*f - '0');
    return f;
}

static const char *parse_length(const char *f, struct spec *s)
{
    if (f[0] == 'l')
        s->length = f[1] == 'l' ? 2 : 1;
    else if (f[0] == 'z')
        return s->length = 2, f + 1;
    else if (f[0] == 'h')
        s->length = f[1] == 'h' ? -2 : -1;
    else
        return f;
    return f + (f[0] == f[1] ? 2 : 1);
}

static uint64_t fit_unsigned(const struct spec *s, uint64_t v)
{
    if (s->length > 0)
        return v;
    return s->length == 0 ? (uint32_t)v : s->length == -1 ? (uint16_t)v : (uint8_t)v;
}

static int64_t fit_signed(const struct spec *s, uint64_t v)
{
    if (s->length > 0)
        return (int64_t)v;
    return s->length == 0 ? (int32_t)v : s->length == -1 ? (int16_t)v : (int8_t)v;
}

static void put_signed(struct out *o, const struct spec *s, uint64_t raw)
{
    int64_t v = fit_signed(s, raw);
    const char *sign = v < 0 ? "-" : s->plus ? "+" : s->space ? " " : "";

    put_number(o, s, v < 0 ? 0 - (uint64_t)v : (uint64_t)v, 10, false, sign);
}

static void put_hex(struct out *o, const struct spec *s, uint64_t raw, bool upper)
{
    uint64_t v = fit_unsigned(s, raw);

    put_number(o, s, v, 16, upper, !s->alternate || !v ? "" : upper ? "0X" : "0x");
}

/* A va_list that functions can share: as a parameter it may be an array, whose address is something
 * else. */
struct args {
    va_list ap;
};

static const char *parse_spec(const char *f, struct spec *s, struct args *a)
{
    f = parse_flags(f, s);
    if (*f == '*') {
        int width = va_arg(a->ap, int);
        s->left |= width < 0;
        s->width = width < -1000 || width > 1000 ? 1000 : width < 0 ? -width : width;
        f++;
    } else {
        f = parse_width(f, &s->width);
    }
    if (f[0] == '.' && f[1] == '*') {
        s->precision = va_arg(a->ap, int);
        if (s->precision > 1000)
            s->precision = 1000;
        f += 2;
    } else if (f[0] == '.') {
        f = parse_width(f + 1, &s->precision);
    }
    return parse_length(f, s);
}

static void put_char(struct out *o, const struct spec *s, char c)
{
    pad(o, ' ', s->left ? 0 : s->width - 1);
    put(o, c);
    pad(o, ' ', s->left ? s->width - 1 : 0);
}

/* False: the conversion is unknown. */
static bool convert(struct out *o, const struct spec *s, char conversion, struct args *a)
{
    uint64_t v = 0;

    if (strchr("diuoxX", conversion))
        v = s->length > 0 ? va_arg(a->ap, uint64_t) : va_arg(a->ap, unsigned int);
    switch (conversion) {
    case 'd':
    case 'i':
        put_signed(o, s, v);
        return true;
    case 'u':
        put_number(o, s, fit_unsigned(s, v), 10, false, "");
        return true;
    case 'o':
        put_number(o, s, fit_unsigned(s, v), 8, false, "");
        return true;
    case 'x':
    case 'X':
        put_hex(o, s, v, conversion == 'X');
        return true;
    case 'p':
        put_number(o, s, (uintptr_t)va_arg(a->ap, void *), 16, false, "0x");
        return true;
    case 's':
        put_string(o, s, va_arg(a->ap, const char *));
        return true;
    case 'c':
        put_char(o, s, (char)va_arg(a->ap, int));
        return true;
    case '%':
        put(o, '%');
        return true;
    }
    return false;
}

int vsnprintf(char *buf, size_t n, const char *fmt, va_list ap)
{
    struct out o = {buf, n, 0};
    struct args a;

    va_copy(a.ap, ap);
    for (; *fmt; fmt++) {
        struct spec s = {.precision = -1};
        const char *end;

        if (*fmt != '%') {
            put(&o, *fmt);
            continue;
        }
        end = parse_spec(fmt + 1, &s, &a);
        if (*end && convert(&o, &s, *end, &a))
            fmt = end;
        else
            put(&o, '%'); /* unknown: the rest follows as it stands */
    }
    va_end(a.ap);
    if (n)
        buf[o.len < n ? o.len : n - 1] = 0;
    return o.len < INT32_MAX ? (int)o.len : INT32_MAX;
}

int snprintf(char *buf, size_t n, const char *fmt, ...)
{
    va_list ap;
    int len;

    va_start(ap, fmt);
    len = vsnprintf(buf, n, fmt, ap);
    va_end(ap);
    return len;
}
