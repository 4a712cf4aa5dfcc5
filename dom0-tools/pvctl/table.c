/* SPDX-License-Identifier: MIT */
/*
 * The tables of pvctl, from their rows: verbs, their other names, options, exit status.
 */
#include <string.h>

#include "near.h"
#include "pvctl.h"

/* clang-format off */
const struct option_row option_rows[NR_OPTIONS + 1] = {
#define OPTION(id, name, letter, value, meaning, least, most) {name, letter, value, meaning, least, most},
#include "option_rows.h"
#undef OPTION
    {NULL, 0, NULL, NULL, 0, 0},
};

const struct exit_code exit_codes[] = {
    {EXIT_OK,        "done; a domain whose end was watched ended without a crash, or the reader detached"},
    {EXIT_REFUSED,   "refused, failed, or not done within the time; one line on standard error says why"},
    {EXIT_USAGE,     "wrong command line, or one that asks for a CPU, a vCPU or a cap that there cannot be here"},
    {EXIT_NO_DOMAIN, "no such domain"},
    {EXIT_CONFIG,    "the domain's configuration is not accepted, or its file cannot be read"},
    {EXIT_NO_HOST,   "not the control domain, or a daemon (xenstored, parvisd) has ended or does not answer in time"},
    {EXIT_CRASHED,   "the domain whose end was watched (console, log --follow, --console, --wait) crashed"},
    {0, NULL},
};

const struct verb *const verbs[] = {
#define VERB(name) &verb_##name,
#include "verb_rows.h"
#undef VERB
    NULL,
};

const struct alias aliases[] = {
#define ALIAS(whose, name, verb) {whose, name, verb},
#include "alias_rows.h"
#undef ALIAS
    {NULL, NULL, NULL},
};
/* clang-format on */

const struct verb *find_verb(const char *name)
{
    for (const struct alias *a = aliases; a->name; a++) {
        if (strcmp(a->name, name) == 0)
            name = a->verb;
    }
    for (const struct verb *const *v = verbs; *v; v++) {
        if (strcmp((*v)->name, name) == 0)
            return *v;
    }
    return NULL;
}

const char *near_verb(const char *typed)
{
    struct near n = {0};

    for (const struct verb *const *v = verbs; *v; v++)
        near_try(&n, typed, (*v)->name);
    for (const struct alias *a = aliases; a->name; a++)
        near_try(&n, typed, a->name);
    return n.word;
}
