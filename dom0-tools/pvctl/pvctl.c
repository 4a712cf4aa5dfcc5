/* SPDX-License-Identifier: MIT */
/*
 * pvctl: the control domain's command for domains. Parses the command line by the table of
 * verbs and runs one.
 */
#include "pvctl.h"

#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "interrupt.h"
#include "version.h"

/* Only for names of domains that others made; without an answer they have none. */
#define STORE_PATIENCE_MS 300u

int fail(const struct error *e)
{
    fprintf(stderr, "pvctl: %s\n", e->text);
    switch (-e->code) {
    case ERANGE:
        return EXIT_USAGE; /* an argument is beyond what machine or domain have */
    case ESRCH:
        return EXIT_NO_DOMAIN;
    case ENOTCONN:
    case ECONNREFUSED:
        return EXIT_NO_HOST;
    default:
        return EXIT_REFUSED;
    }
}

int need_domain(const struct call *c, struct live_domain *l)
{
    struct error e = {0};

    return lifecycle_find(c->h, c->arg, l, &e) ? fail(&e) : 0;
}

int need_whole(const struct call *c, struct live_domain *l)
{
    int rc = need_domain(c, l);

    if (rc == 0 && l->maker) {
        fprintf(stderr, "pvctl: %s: it is being created by process %d\n", l->name, (int)l->maker);
        rc = EXIT_REFUSED;
    }
    return rc;
}

int need_guest(const struct call *c, const char *what, struct live_domain *l)
{
    int rc = need_whole(c, l);

    if (rc == 0 && l->d.domid == 0) {
        fprintf(stderr, "pvctl: %s: the control domain cannot %s itself\n", c->arg, what);
        rc = EXIT_REFUSED;
    }
    return rc;
}

int chosen_domains(const struct call *c, struct live_domain **l, size_t *n)
{
    struct live_domain *one;
    struct error e = {0};
    int rc;

    c->h->store_patience_ms = STORE_PATIENCE_MS;
    if (!c->arg)
        return lifecycle_list(c->h, l, n, &e) ? fail(&e) : 0;
    one = malloc(sizeof(*one));
    if (!one) {
        error_errno(&e, -ENOMEM, "%s", c->arg);
        return fail(&e);
    }
    rc = need_domain(c, one);
    if (rc) {
        free(one);
        return rc;
    }
    *l = one;
    *n = 1;
    return 0;
}

int usage_error(const struct verb *v, const char *text, const char *what)
{
    fprintf(stderr, "pvctl%s%s: %s%s; `pvctl help%s%s` explains\n", v ? " " : "", v ? v->name : "",
            text, what, v ? " " : "", v ? v->name : "");
    return EXIT_USAGE;
}

/* The option that is so many characters of the text. */
static const struct option_name *find_option(const char *text, size_t len)
{
    for (const struct option_name *o = option_names; o->text; o++) {
        if (strlen(o->text) == len && strncmp(o->text, text, len) == 0)
            return o;
    }
    return NULL;
}

/* The one kind of value that there is: a number. */
static int take_value(const struct verb *v, const struct option_name *o, const char *text,
                      struct call *c)
{
    unsigned int *place = o->bit == OPT_TIMEOUT    ? &c->timeout
                          : o->bit == OPT_INTERVAL ? &c->interval
                          : o->bit == OPT_WEIGHT   ? &c->weight
                                                   : &c->cap;
    char wanted[80], *end;
    unsigned long n;

    if (!text)
        return usage_error(v, "missing value of ", o->text);
    n = strtoul(text, &end, 10);
    if (*text < '0' || *text > '9' || *end || n < o->least || n > o->most) {
        snprintf(wanted, sizeof(wanted), "%s wants a number from %u to %u, not ", o->text, o->least,
                 o->most);
        return usage_error(v, wanted, text);
    }
    *place = (unsigned int)n;
    return 0;
}

/* What is missing, and what says nothing with or without something else. */
static int check(const struct verb *v, const struct call *c)
{
    bool all = c->options & OPT_ALL;
    char first[16];

    if (v->arg && v->arg[0] != '[' && !c->arg) {
        snprintf(first, sizeof(first), "%.*s", (int)strcspn(v->arg, " ."), v->arg);
        return usage_error(v, "missing argument ", first);
    }
    if ((v->options & OPT_ALL) && all == (c->arg != NULL))
        return usage_error(v, "either a name or --all", "");
    if ((c->options & OPT_TIMEOUT) && !(c->options & OPT_WAIT))
        return usage_error(v, "--timeout without --wait", "");
    if ((c->options & OPT_CONSOLE) && (c->options & OPT_JSON))
        return usage_error(v, "--json with --console", "");
    if ((c->options & (OPT_WEIGHT | OPT_CAP)) && !c->arg)
        return usage_error(v, c->options & OPT_WEIGHT ? "--weight" : "--cap", " without a name");
    if ((c->options & (OPT_WEIGHT | OPT_CAP)) && (c->options & OPT_JSON))
        return usage_error(v, "--json where something is set", "");
    return 0;
}

/* The next argument; false: the verb takes no more. */
static bool take_argument(const struct verb *v, const char *text, struct call *c)
{
    size_t most = 0, have = c->nr_args;

    c->args[c->nr_args++] = text;
    if (v->arg && strstr(v->arg, "...")) {
        c->arg = c->args[0];
        return true;
    }
    for (const char *at = v->arg; at; at = strchr(at, ' ') ? strchr(at, ' ') + 1 : NULL)
        most++;
    if (have == most)
        return false;
    *(have ? &c->more[have - 1] : &c->arg) = text;
    return true;
}

/* "--cap 50" or "--cap=50", at argv[*at], which goes on to the last word of it. */
static int take_option(const struct verb *v, int argc, char **argv, int *at, struct call *c)
{
    const char *word = argv[*at], *value = NULL;
    size_t len = strcspn(word, "=");
    const struct option_name *o = find_option(word, len);

    if (!o || !(v->options & o->bit))
        return usage_error(v, "unknown option ", word);
    c->options |= o->bit;
    if (!o->value)
        return word[len] ? usage_error(v, "there is no value to ", o->text) : 0;
    if (word[len])
        value = word[len + 1] ? word + len + 1 : NULL;
    else if (*at + 1 < argc)
        value = argv[++*at];
    return take_value(v, o, value, c);
}

/* 0, or an exit status after it has been told what is wrong. */
static int parse(const struct verb *v, int argc, char **argv, struct call *c)
{
    for (int i = 0; i < argc; i++) {
        if (!argv[i][0])
            return usage_error(v, "an argument is empty", "");
        if (argv[i][0] == '-' && argv[i][1]) {
            int rc = take_option(v, argc, argv, &i, c);

            if (rc)
                return rc;
        } else if (!take_argument(v, argv[i], c)) {
            return usage_error(v, "one argument too many: ", argv[i]);
        }
    }
    return check(v, c);
}

static bool asks_for_help(int argc, char **argv)
{
    for (int i = 0; i < argc; i++) {
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0)
            return true;
    }
    return false;
}

static int run(int argc, char **argv, const char **args)
{
    const struct verb *v;
    struct call c = {.args = args};
    int rc;

    if (argc < 2) {
        verb_help(&c);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0)
        return argc > 2 ? usage_error(NULL, "one argument too many: ", argv[2])
                        : printf("pvctl %s\n", PARVIS_VERSION) < 0;
    v = find_verb(strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ? "help" : argv[1]);
    if (!v)
        return usage_error(NULL, "unknown verb ", argv[1][0] ? argv[1] : "''");
    if (asks_for_help(argc - 2, argv + 2)) {
        c.arg = v->name;
        return verb_help(&c);
    }
    rc = parse(v, argc - 2, argv + 2, &c);
    if (rc)
        return rc;
    if (!v->no_host) {
        struct error e = {0};

        if (host_open_xen(&c.h, &e)) {
            fail(&e);
            return EXIT_NO_HOST;
        }
    }
    rc = v->run(&c);
    host_close(c.h);
    return rc;
}

/* Where the caller has closed standard input, output or error, what we open next must not stand in
 * its place: a console would be typed what it prints, and a device told what we say. */
static void hold_standard_places(void)
{
    int fd;

    do {
        fd = open("/dev/null", O_RDONLY);
    } while (fd >= 0 && fd <= STDERR_FILENO);
    if (fd >= 0)
        close(fd);
}

int main(int argc, char **argv)
{
    const char **args = calloc((size_t)argc + 1, sizeof(*args));
    int rc;

    hold_standard_places();
    rc = args ? run(argc, argv, args) : EXIT_REFUSED;
    free(args);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "pvctl: standard output: %s\n", strerror(errno));
        rc = rc ? rc : EXIT_REFUSED;
    }
    interrupt_release(); /* a signal that had to wait ends us now */
    return rc;
}
