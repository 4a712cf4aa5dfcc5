/* SPDX-License-Identifier: MIT */
/*
 * pvctl's command line: options by the rows that the verb has, then its arguments. getopt_long
 * reads them; what is wrong is said in our words, in one line.
 */
#include "command_line.h"

#include <errno.h>
#include <getopt.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "hint.h"
#include "near.h"
#include "plain.h"

#define HELP       'h'
#define OPTION_VAL 256 /* the option of this row, by its name: above all letters */

int usage_error(const struct verb *v, const char *text, const char *what)
{
    struct error said = {0}; /* what is quoted may be any file's name */

    error_set(&said, -EINVAL, "%s%s", text, what);
    fprintf(stderr, "pvctl%s%s: %s; `pvctl help%s%s` explains\n", v ? " " : "", v ? v->name : "",
            said.text, v ? " " : "", v ? v->name : "");
    return EXIT_USAGE;
}

/* The verb's rows, in the two forms that getopt_long wants. */
struct forms {
    struct option by_name[NR_OPTIONS + 2];
    char by_letter[2 * NR_OPTIONS + 8];
};

static void fill_forms(const struct verb *v, struct forms *f)
{
    size_t names = 0, letters = 0;

    f->by_letter[letters++] = ':'; /* a missing value is told from an unknown option */
    f->by_letter[letters++] = HELP;
    f->by_name[names++] = (struct option){"help", no_argument, NULL, HELP};
    for (int i = 0; i < NR_OPTIONS; i++) {
        const struct option_row *o = &option_rows[i];

        if (!(v->options >> i & 1))
            continue;
        f->by_name[names++] = (struct option){o->name, o->value ? required_argument : no_argument,
                                              NULL, OPTION_VAL + i};
        if (o->letter) {
            f->by_letter[letters++] = o->letter;
            if (o->value)
                f->by_letter[letters++] = ':';
        }
    }
    f->by_name[names] = (struct option){0};
    f->by_letter[letters] = '\0';
}

/* The row that getopt's answer means: by name, or by a letter of the verb's. */
static int row_of(const struct verb *v, int val)
{
    if (val >= OPTION_VAL)
        return val - OPTION_VAL;
    for (int i = 0; i < NR_OPTIONS; i++) {
        if ((v->options >> i & 1) && option_rows[i].letter == val)
            return i;
    }
    return -1;
}

static int unknown_option(const struct verb *v, const char *word, char letter)
{
    struct near n = {0};
    bool by_name = !letter && strncmp(word, "--", 2) == 0;
    char name[64] = {letter, '\0'}, text[80], shown[128];
    const char *dashes = by_name ? "--" : "-", *hint;

    if (by_name)
        snprintf(name, sizeof(name), "%.*s", (int)strcspn(word + 2, "="), word + 2);
    hint = option_hint(v->name, name);
    if (hint) {
        plain_line(name);
        fprintf(stderr, "pvctl %s: there is no option %s%s here: %s\n", v->name, dashes, name,
                hint);
        return EXIT_USAGE;
    }
    if (!by_name && letter) {
        snprintf(shown, sizeof(shown), "-%c", letter);
        return usage_error(v, "unknown option ", shown);
    }
    if (!by_name)
        return usage_error(v, "unknown option ", word);
    near_try(&n, name, "help");
    for (int i = 0; i < NR_OPTIONS; i++) {
        if (v->options >> i & 1)
            near_try(&n, name, option_rows[i].name);
    }
    if (!n.word)
        return usage_error(v, "unknown option ", word);
    snprintf(text, sizeof(text), " (did you mean --%s?)", n.word);
    snprintf(shown, sizeof(shown), "unknown option %.40s", word);
    return usage_error(v, shown, text);
}

/* getopt_long's '?': an option that there is not, or a value where there is none. */
static int refuse_option(const struct verb *v, char **argv)
{
    const char *word = argv[optind - 1];
    int row = optopt ? row_of(v, optopt) : -1;

    if (optopt == HELP || row >= 0)
        return usage_error(v, "there is no value to --",
                           optopt == HELP ? "help" : option_rows[row].name);
    return unknown_option(v, word, optopt < OPTION_VAL ? (char)optopt : 0);
}

static int take_value(const struct verb *v, int row, const char *text, struct call *c)
{
    const struct option_row *o = &option_rows[row];
    char wanted[80], *end;
    unsigned long n;

    if (!*text)
        return usage_error(v, "missing value of --", o->name);
    c->text[row] = text;
    if (!o->most)
        return 0;
    n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n < o->least || n > o->most) {
        snprintf(wanted, sizeof(wanted), "--%s wants a number from %u to %u, not ", o->name,
                 o->least, o->most);
        return usage_error(v, wanted, text);
    }
    c->number[row] = (unsigned int)n;
    return 0;
}

static int take_options(const struct verb *v, int argc, char **argv, struct call *c)
{
    struct forms f;
    int got, row, rc = 0;

    fill_forms(v, &f);
    opterr = 0;
    optind = 0; /* glibc: begin anew */
    while (rc == 0 && (got = getopt_long(argc, argv, f.by_letter, f.by_name, NULL)) != -1) {
        if (got == HELP)
            return ASKS_FOR_HELP;
        if (got == '?')
            return refuse_option(v, argv);
        row = row_of(v, got == ':' ? optopt : got);
        if (got == ':')
            return usage_error(v, "missing value of --", option_rows[row].name);
        c->options |= UINT64_C(1) << row;
        rc = option_rows[row].value ? take_value(v, row, optarg, c) : 0;
    }
    return rc;
}

/* How many arguments the verb takes: words of v->arg; without a limit where it says "...". */
static size_t most_arguments(const struct verb *v)
{
    size_t most = 0;

    if (v->arg && strstr(v->arg, "..."))
        return SIZE_MAX;
    for (const char *at = v->arg; at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL)
        most++;
    return most;
}

static int take_arguments(const struct verb *v, int argc, char **argv, struct call *c)
{
    for (int i = optind; i < argc; i++) {
        if (!argv[i][0])
            return usage_error(v, "an argument is empty", "");
        if (c->nr_args == most_arguments(v))
            return usage_error(v, v->one_more ? v->one_more : "one argument too many: ", argv[i]);
        c->args[c->nr_args++] = argv[i];
    }
    c->arg = c->nr_args ? c->args[0] : NULL;
    for (size_t i = 0; i < NR_MORE && i + 1 < c->nr_args; i++)
        c->more[i] = c->args[i + 1];
    return 0;
}

/* The first argument that has to be there and is not. */
static int missing_argument(const struct verb *v, size_t have)
{
    const char *at = v->arg;
    char name[24];

    for (; at && have; have--)
        at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL;
    if (!at || *at == '[')
        return 0;
    snprintf(name, sizeof(name), "%.*s", (int)strcspn(at, " ."), at);
    return usage_error(v, "missing argument ", name);
}

/* xl takes keys behind its file: create web.cfg memory=512. Here that would be a second file, and
 * the first one's domain be there by then, without it. */
static const char *key_behind_file(const struct verb *v, const struct call *c)
{
    for (size_t i = 1; v->arg && strcmp(v->arg, "FILE...") == 0 && i < c->nr_args; i++) {
        if (strchr(c->args[i], '=') && access(c->args[i], F_OK) < 0)
            return c->args[i];
    }
    return NULL;
}

/* What is missing, and what says nothing with or without something else. */
static int check(const struct verb *v, struct call *c)
{
    bool all = c->options & OPT_ALL;

    if ((v->options & OPT_ALL) && all == (c->nr_args > v->behind))
        return usage_error(v, "either a name or --all", "");
    if (!all && missing_argument(v, c->nr_args))
        return EXIT_USAGE;
    if (key_behind_file(v, c))
        return usage_error(v, "a key is set in its file, not behind it: ", key_behind_file(v, c));
    if (c->options & OPT_TIMEOUT)
        c->options |= OPT_WAIT;
    if ((c->options & OPT_CONSOLE) && (c->options & OPT_JSON))
        return usage_error(v, "--json with --console", "");
    if ((c->options & (OPT_CONSOLE | OPT_NAME)) && c->nr_args > 1)
        return usage_error(v, c->options & OPT_CONSOLE ? "--console" : "--name",
                           " with more than one file");
    if ((c->options & OPT_UNIT) && (c->options & OPT_JSON))
        return usage_error(v, "--unit with --json, which is in KiB", "");
    if ((c->options & OPT_FOLLOW) && (c->options & OPT_CLEAR))
        return usage_error(v, "--follow with --clear", "");
    if ((c->options & (OPT_WEIGHT | OPT_CAP)) && !c->arg)
        return usage_error(v, c->options & OPT_WEIGHT ? "--weight" : "--cap", " without a name");
    if ((c->options & (OPT_WEIGHT | OPT_CAP)) && (c->options & OPT_JSON))
        return usage_error(v, "--json where something is set", "");
    return 0;
}

int command_line(const struct verb *v, int argc, char **argv, struct call *c)
{
    int rc = take_options(v, argc, argv, c);

    rc = rc ? rc : take_arguments(v, argc, argv, c);
    return rc ? rc : check(v, c);
}
