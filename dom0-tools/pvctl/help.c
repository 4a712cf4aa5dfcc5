/* SPDX-License-Identifier: MIT */
/*
 * pvctl help: printed from the tables of verbs, so it cannot disagree with them.
 */
#include <errno.h>
#include <string.h>

#include "hint.h"
#include "pvctl.h"

#define COLUMN      28 /* where the meaning of an option begins */
#define VERB_COLUMN 36 /* and that of a verb; behind a longer form it has a line of its own */

static void synopsis(const struct verb *v)
{
    printf("pvctl %s", v->name);
    for (const struct option_row *o = option_rows; o->name; o++) {
        if (v->options >> (o - option_rows) & 1)
            printf(" [--%s%s%s]", o->name, o->value ? " " : "", o->value ? o->value : "");
    }
    printf("%s%s\n", v->arg ? " " : "", v->arg ? v->arg : "");
}

static void print_option(const struct option_row *o)
{
    char letter[8] = "    ";
    int len;

    if (o->letter)
        snprintf(letter, sizeof(letter), "-%c, ", o->letter);
    len = printf("    %s--%s%s%s", letter, o->name, o->value ? " " : "", o->value ? o->value : "");
    printf("%*s%s\n", len < COLUMN ? COLUMN - len : 1, "", o->meaning);
}

/* "also virsh suspend". */
static void print_aliases(const struct verb *v)
{
    const char *before = "Other names: ";

    for (const struct alias *a = aliases; a->name; a++) {
        if (strcmp(a->verb, v->name) == 0) {
            printf("%s%s (%s)", before, a->name, a->whose);
            before = ", ";
        }
    }
    if (before[0] == ',')
        putchar('\n');
}

static void print_examples(const char *line)
{
    if (line)
        puts("Examples:");
    while (line && *line) {
        int len = (int)strcspn(line, "\n");

        printf("    %.*s\n", len, line);
        line += len + (line[len] == '\n');
    }
}

static int help_verb(const struct verb *v)
{
    synopsis(v);
    printf("    %s\n", v->summary);
    for (const struct option_row *o = option_rows; o->name; o++) {
        if (v->options >> (o - option_rows) & 1)
            print_option(o);
    }
    if (v->help)
        fputs(v->help, stdout);
    print_aliases(v);
    print_examples(v->examples);
    return EXIT_OK;
}

static int help_unknown(const char *typed)
{
    const char *hint = verb_hint(typed), *near = near_verb(typed);
    struct error said = {0};

    error_set(&said, -EINVAL, "%s", typed);
    if (hint) {
        fprintf(stderr, "pvctl help: there is no verb %s here: %s\n", said.text, hint);
        return EXIT_USAGE;
    }
    fprintf(stderr, "pvctl help: unknown verb %s%s%s%s `pvctl help` lists them\n", said.text,
            near ? ": did you mean " : ";", near ? near : "", near ? "?" : "");
    return EXIT_USAGE;
}

static void print_verb(const struct verb *v)
{
    int len = printf("  %s%s%s", v->name, v->arg ? " " : "", v->arg ? v->arg : "");

    if (len >= VERB_COLUMN) {
        putchar('\n');
        len = 0;
    }
    printf("%*s%s\n", VERB_COLUMN - len, "", v->summary);
}

static int run(const struct call *c)
{
    if (c->arg) {
        const struct verb *v = find_verb(c->arg);

        return v ? help_verb(v) : help_unknown(c->arg);
    }
    puts("usage: pvctl VERB [OPTION] [ARGUMENT]\n");
    for (const struct verb *const *v = verbs; *v; v++)
        print_verb(*v);
    puts("\nA domain is named by its name or its number. `pvctl help VERB` and `man "
         "pvctl-VERB` tell\nmore; xl's and virsh's names of verbs are understood.\n\nExit status:");
    for (const struct exit_code *x = exit_codes; x->meaning; x++)
        printf("  %d  %s\n", x->code, x->meaning);
    return EXIT_OK;
}

const struct verb verb_help = {
    .name = "help",
    .arg = "[VERB]",
    .no_host = true,
    .run = run,
    .summary = "explain a verb, or list them all",
    .examples = "pvctl help shutdown\npvctl shutdown -h\n",
};
