/* SPDX-License-Identifier: MIT */
/*
 * Where the keys of an xl file are, and the items of their lists: see config_xl.h.
 *
 * The format's words are few: strings between quotes of one kind, with \ before a quote that is
 * meant; comments from # to the line's end; lists between brackets, over as many lines as one
 * likes; a line's end or a ; between two keys. Whether all is right the library judges.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_xl.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define WORD    LETTERS "0123456789"

struct scan {
    const char *at;
    long line;
    unsigned int depth; /* of brackets */
    char key[48];       /* whose value it is in */
    int item;           /* the next one of its list */
    bool in_item;
    struct xl_places *out;
};

static bool add(struct scan *s, int item, bool adds)
{
    struct xl_place *more;

    more = realloc(s->out->list, (s->out->nr + 1) * sizeof(*more));
    if (!more)
        return false;
    s->out->list = more;
    more += s->out->nr++;
    snprintf(more->name, sizeof(more->name), "%s", s->key);
    more->item = item;
    more->adds = adds;
    more->line = s->line;
    return true;
}

/* Past its closing quote, or to the line's end where it lacks one. */
static void skip_string(struct scan *s)
{
    char quote = *s->at++;

    while (*s->at && *s->at != quote && *s->at != '\n')
        s->at += s->at[0] == '\\' && s->at[1] && s->at[1] != '\n' ? 2 : 1;
    s->at += *s->at == quote;
}

/* Outside of values: a word with = or += behind it is a key. */
static bool take_word(struct scan *s)
{
    size_t len = strspn(s->at, WORD);
    const char *next = s->at + len + strspn(s->at + len, " \t");
    bool more = next[0] == '+' && next[1] == '=';

    if (len >= sizeof(s->key) || (*next != '=' && !more)) {
        s->at += len;
        return true;
    }
    snprintf(s->key, sizeof(s->key), "%.*s", (int)len, s->at);
    /* += goes on with the list that there is. */
    for (s->item = 0; more && xl_line(s->out, s->key, s->item); s->item++) {
    }
    s->at = next + 1 + more;
    return add(s, -1, more);
}

/* What stands in a list, at its first level, is an item from its first character to the comma. */
static bool begin_item(struct scan *s)
{
    if (s->depth != 1 || s->in_item)
        return true;
    s->in_item = true;
    return add(s, s->item++, false);
}

static bool step(struct scan *s)
{
    bool good = true;

    switch (*s->at) {
    case '\n':
        s->line++;
        s->at++;
        break;
    case '#':
        s->at += strcspn(s->at, "\n");
        break;
    case '"':
    case '\'':
        good = begin_item(s);
        skip_string(s);
        break;
    case '[':
        good = begin_item(s);
        s->depth++;
        s->in_item = s->depth > 1;
        s->at++;
        break;
    case ']':
        s->depth -= s->depth > 0;
        s->at++;
        break;
    case ',':
        s->in_item = s->in_item && s->depth > 1;
        s->at++;
        break;
    default:
        if (s->depth == 0 && strchr(LETTERS, *s->at))
            return take_word(s);
        good = strchr(CONFIG_BLANKS, *s->at) || begin_item(s);
        s->at++;
    }
    return good;
}

int xl_scan(const char *text, struct xl_places *out)
{
    struct scan s = {.at = text, .line = 1, .out = out};

    while (*s.at) {
        if (!step(&s))
            return -ENOMEM;
    }
    return 0;
}

long xl_line(const struct xl_places *p, const char *name, int item)
{
    for (size_t i = p->nr; i-- > 0;) {
        if (p->list[i].item == item && strcmp(p->list[i].name, name) == 0)
            return p->list[i].line;
    }
    return 0;
}
