/* SPDX-License-Identifier: MIT */
/*
 * Verbs and options of other programs' that there are not here: who types one from habit is told in
 * a line what to do instead.
 */
#include "hint.h"

#include <fnmatch.h>
#include <stdbool.h>
#include <stdio.h>
#include <string.h>

static const struct hint {
    const char *names, *text;
} hints[] = {
#define HINT(xl, virsh, text) {xl, text}, {virsh, text},
#define WORD(words, text)     {words, text},
#include "hint_rows.h"
#undef WORD
#undef HINT
    {NULL, NULL},
};

static const struct option_hint {
    const char *verbs, *options, *text;
} option_hints[] = {
#define OPTION_HINT(verbs, options, text) {verbs, options, text},
#include "option_hint_rows.h"
#undef OPTION_HINT
    {NULL, NULL, NULL},
};

/* Is the word one of the patterns, which have blanks between them? */
static bool among(const char *word, const char *patterns)
{
    char one[64];

    for (const char *at = patterns; *at; at += strspn(at, " ")) {
        int len = (int)strcspn(at, " ");

        snprintf(one, sizeof(one), "%.*s", len, at);
        if (fnmatch(one, word, 0) == 0)
            return true;
        at += len;
    }
    return false;
}

const char *verb_hint(const char *typed)
{
    for (const struct hint *h = hints; h->names; h++) {
        if (among(typed, h->names))
            return h->text;
    }
    return NULL;
}

const char *option_hint(const char *verb, const char *option)
{
    for (const struct option_hint *h = option_hints; h->verbs; h++) {
        if (among(verb, h->verbs) && among(option, h->options))
            return h->text;
    }
    return NULL;
}
