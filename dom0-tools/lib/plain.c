/* SPDX-License-Identifier: MIT */
/*
 * What a guest printed, as text: see plain.h.
 */
#include "plain.h"

#include <string.h>

static bool is_control(uint8_t c)
{
    return c < 0x20 || c == 0x7f;
}

static size_t put_ascii(uint8_t c, char *out)
{
    if (!is_control(c) || c == '\n' || c == '\r' || c == '\t') {
        out[0] = (char)c;
        return 1;
    }
    out[0] = '^';
    out[1] = (char)(c ^ 0x40);
    return 2;
}

/* Length of the character that this byte begins; 0: it begins none. */
static uint8_t length_of(uint8_t lead)
{
    return lead >= 0xf0 && lead <= 0xf4 ? 4
           : lead >= 0xe0               ? lead < 0xf0 ? 3 : 0
           : lead >= 0xc2               ? 2
                                        : 0;
}

/* Unicode's marks, embeddings, overrides and isolates of direction, and its ends of lines. */
static bool is_for_layout(uint32_t code)
{
    return code == 0x61c || code == 0x200e || code == 0x200f ||
           (code >= 0x2028 && code <= 0x202e) || (code >= 0x2066 && code <= 0x2069);
}

/* Is what has begun a whole character, written as short as it can be, and no control character?
 * Some terminals read the long ways to write ESC as ESC. */
static bool is_whole(const struct plain *p)
{
    static const uint32_t least[] = {[2] = 0xa0, [3] = 0x800, [4] = 0x10000};
    uint32_t code = p->begun[0] & (0x7fu >> p->want);

    if (p->have != p->want)
        return false;
    for (uint8_t i = 1; i < p->want; i++)
        code = code << 6 | (p->begun[i] & 0x3f);
    return code >= least[p->want] && code <= 0x10ffff && (code < 0xd800 || code > 0xdfff) &&
           !(p->line && is_for_layout(code));
}

static size_t put_begun(struct plain *p, char *out)
{
    size_t n = p->have;

    if (is_whole(p)) {
        memcpy(out, p->begun, n);
    } else {
        n = 1;
        out[0] = '?';
    }
    p->have = p->want = 0;
    return n;
}

size_t plain_text(struct plain *p, const char *in, size_t len, char *out)
{
    size_t n = 0;

    for (size_t i = 0; i < len; i++) {
        uint8_t c = (uint8_t)in[i];
        bool goes_on = c >= 0x80 && c < 0xc0;

        if (p->want && !goes_on)
            n += put_begun(p, out + n);
        if (c < 0x80) {
            n += put_ascii(c, out + n);
        } else if (!goes_on && length_of(c)) {
            p->want = length_of(c);
            p->begun[0] = c;
            p->have = 1;
        } else if (p->want) {
            p->begun[p->have++] = c;
            if (p->have == p->want)
                n += put_begun(p, out + n);
        } else {
            out[n++] = '?';
        }
    }
    return n;
}

void plain_line(char *s)
{
    struct plain p = {.line = true};
    size_t n;

    for (char *c = s; *c; c++)
        if (is_control((uint8_t)*c))
            *c = '?';
    n = plain_text(&p, s, strlen(s), s); /* no longer than it was, as no character grows now */
    if (p.want)
        n += put_begun(&p, s + n);
    s[n] = '\0';
}
