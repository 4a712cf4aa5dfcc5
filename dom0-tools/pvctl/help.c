/* SPDX-License-Identifier: MIT */
/*
 * pvctl help: printed from the table of verbs, so it cannot disagree with it.
 */
#include <string.h>

#include "pvctl.h"

static void synopsis(const struct verb *v)
{
    printf("pvctl %s", v->name);
    for (const struct option_name *o = option_names; o->text; o++) {
        if (v->options & o->bit)
            printf(" [%s%s%s]", o->text, o->value ? " " : "", o->value ? o->value : "");
    }
    printf("%s%s\n", v->arg ? " " : "", v->arg ? v->arg : "");
}

static int help_verb(const struct verb *v)
{
    synopsis(v);
    printf("    %s\n", v->summary);
    for (const struct option_name *o = option_names; o->text; o++) {
        if (v->options & o->bit)
            printf("    %s%s%-*s %s\n", o->text, o->value ? " " : "",
                   (int)(18 - strlen(o->text) - (o->value != NULL)), o->value ? o->value : "",
                   o->meaning);
    }
    fputs(v->help, stdout);
    return EXIT_OK;
}

int verb_help(const struct call *c)
{
    if (c->arg) {
        const struct verb *v = find_verb(c->arg);

        if (!v) {
            fprintf(stderr, "pvctl help: unknown verb %s; `pvctl help` lists them\n", c->arg);
            return EXIT_USAGE;
        }
        return help_verb(v);
    }
    puts("usage: pvctl VERB [OPTION] [ARGUMENT]\n");
    for (const struct verb *v = verbs; v->name; v++)
        printf("  %-9s %-18s %s\n", v->name, v->arg ? v->arg : "", v->summary);
    puts("\nA domain is named by its name or its number. `pvctl help VERB` tells more.\n\nExit "
         "status:");
    for (const struct exit_code *x = exit_codes; x->meaning; x++)
        printf("  %d  %s\n", x->code, x->meaning);
    return EXIT_OK;
}
