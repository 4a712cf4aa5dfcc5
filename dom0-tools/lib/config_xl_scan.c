/* SPDX-License-Identifier: MIT */
/*
 * Where the keys of an xl file are, and the items of their lists: see config_xl_internal.h.
 *
 * The format's words are few: strings between quotes of one kind, with \ before a quote that is
 * meant; comments from # to the line's end; lists between brackets, over as many lines as one
 * likes; a line's end or a ; between two keys. Whether all is right the library judges.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_xl_internal.h"

#define LETTERS "ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz_"
#define WORD    LETTERS "0123456789"

struct scan {
    const char *at;
    long line;
    unsigned int depth; /* of brackets */
    char key[48];       /* whose value it is in */
    size_t key_at;      /* its place */
    bool in_item;
    struct xl_places *out;
};

static int add(struct scan *s, struct xl_place place)
{
    struct xl_place *more;

    if (s->out->nr == XL_MAX_PLACES)
        return -E2BIG;
    more = realloc(s->out->list, (s->out->nr + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    s->out->list = more;
    place.line = s->line;
    snprintf(place.name, sizeof(place.name), "%s", s->key);
    more[s->out->nr++] = place;
    return 0;
}

/* Of the last that has this name; NULL: there is none. */
static const struct xl_place *find(const struct xl_places *p, const char *name, int item)
{
    for (size_t i = p->nr; i-- > 0;) {
        if (p->list[i].item == item && strcmp(p->list[i].name, name) == 0)
            return &p->list[i];
    }
    return NULL;
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
static int take_word(struct scan *s)
{
    const struct xl_place *former;
    size_t len = strspn(s->at, WORD);
    const char *next = s->at + len + strspn(s->at + len, " \t");
    bool more = next[0] == '+' && next[1] == '=';

    if (len >= sizeof(s->key) || (*next != '=' && !more)) {
        s->at += len;
        return 0;
    }
    snprintf(s->key, sizeof(s->key), "%.*s", (int)len, s->at);
    former = more ? find(s->out, s->key, -1) : NULL; /* += goes on with the list that there is */
    s->at = next + 1 + more;
    s->key_at = s->out->nr;
    return add(s, (struct xl_place){.item = -1, .adds = more, .next = former ? former->next : 0});
}

/* What stands in a list, at its first level, is an item from its first character to the comma. */
static int begin_item(struct scan *s)
{
    if (s->depth != 1 || s->in_item || s->key_at >= s->out->nr)
        return 0;
    s->in_item = true;
    return add(s, (struct xl_place){.item = s->out->list[s->key_at].next++});
}

static int step(struct scan *s)
{
    int rc = 0;

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
        rc = begin_item(s);
        skip_string(s);
        break;
    case '[':
        rc = begin_item(s);
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
        rc = strchr(CONFIG_BLANKS, *s->at) ? 0 : begin_item(s);
        s->at++;
    }
    return rc;
}

int xl_scan(const char *text, struct xl_places *out)
{
    struct scan s = {.at = text, .line = 1, .out = out};

    int rc = 0;

    while (*s.at && rc == 0)
        rc = step(&s);
    return rc;
}

long xl_line(const struct xl_places *p, const char *name, int item)
{
    const struct xl_place *found = find(p, name, item);

    return found ? found->line : 0;
}
