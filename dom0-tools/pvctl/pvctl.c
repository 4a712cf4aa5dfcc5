/* SPDX-License-Identifier: MIT */
/*
 * pvctl: the control domain's command for domains. Parses the command line by the table of
 * verbs and runs one, or that one for each that is named.
 */
#include "pvctl.h"

#include <errno.h>
#include <fcntl.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "command_line.h"
#include "hint.h"
#include "interrupt.h"
#include "progress.h"
#include "version.h"

int fail(const struct error *e)
{
    progress_clear();
    fprintf(stderr, "pvctl: %s\n", e->text);
    switch (-e->code) {
    case ERANGE:
        return EXIT_USAGE; /* an argument is beyond what machine or domain have */
    case ESRCH:
        return EXIT_NO_DOMAIN;
    case ENOTCONN:
    case ETIME:
    case ECONNREFUSED:
        return EXIT_NO_HOST;
    default:
        return EXIT_REFUSED;
    }
}

int worse(int a, int b)
{
    return a > b ? a : b;
}

static int unknown_verb(const char *typed)
{
    const char *hint = verb_hint(typed), *near = near_verb(typed);
    struct error said = {0};

    error_set(&said, -EINVAL, "%s", typed);
    if (hint) {
        fprintf(stderr, "pvctl: there is no verb %s here: %s\n", said.text, hint);
        return EXIT_USAGE;
    }
    if (!near)
        return usage_error(NULL, "unknown verb ", typed[0] ? typed : "''");
    fprintf(stderr, "pvctl: unknown verb %s: did you mean %s? `pvctl help` lists all\n", said.text,
            near);
    return EXIT_USAGE;
}

static int run_one(const struct verb *v, const struct call *c, const char *name)
{
    struct call one = *c;

    one.arg = name;
    for (size_t i = 0; i < v->behind; i++)
        one.more[i] = c->args[c->nr_args - v->behind + i];
    return v->run(&one);
}

/* Each guest by its number, as two may have one name. One that is gone by then is none. */
static int run_all(const struct verb *v, const struct call *c)
{
    struct live_domain *l;
    struct error e = {0};
    size_t n;
    int rc = EXIT_OK;

    if (lifecycle_list(c->h, &l, &n, &e))
        return fail(&e);
    for (size_t i = 0; i < n; i++) {
        char number[16];

        snprintf(number, sizeof(number), "%u", l[i].d.domid);
        if (l[i].d.domid != 0 && !l[i].d.dying)
            rc = worse(rc, run_one(v, c, number));
    }
    free(l);
    return rc;
}

static int run_for_each(const struct verb *v, const struct call *c)
{
    size_t n = c->nr_args - v->behind;
    bool list = (c->options & OPT_JSON) && ((c->options & OPT_ALL) || n > 1);
    int rc = EXIT_OK;

    if (list)
        json_open('[');
    if (c->options & OPT_ALL)
        rc = run_all(v, c);
    for (size_t i = 0; i < n; i++)
        rc = worse(rc, run_one(v, c, c->args[i]));
    if (list)
        json_close(']');
    return rc;
}

static int run_verb(const struct verb *v, struct call *c)
{
    struct error e = {0};
    int rc;

    if (!v->no_host && host_open_xen(&c->h, &e)) {
        fail(&e);
        return EXIT_NO_HOST;
    }
    rc = v->each ? run_for_each(v, c) : v->run(c);
    host_close(c->h);
    return rc;
}

static int run(int argc, char **argv, const char **args)
{
    const struct verb *v;
    struct call c = {.args = args};
    int rc;

    if (argc < 2) {
        verb_help.run(&c);
        return EXIT_USAGE;
    }
    if (strcmp(argv[1], "--version") == 0)
        return argc > 2 ? usage_error(NULL, "one argument too many: ", argv[2])
                        : printf("pvctl %s\n", PARVIS_VERSION) < 0;
    v = find_verb(strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0 ? "help" : argv[1]);
    if (!v)
        return unknown_verb(argv[1]);
    c.called = argv[1];
    rc = command_line(v, argc - 1, argv + 1, &c);
    if (rc == ASKS_FOR_HELP) {
        c.arg = v->name;
        return verb_help.run(&c);
    }
    return rc ? rc : run_verb(v, &c);
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
    signal(SIGCHLD, SIG_DFL); /* who started us may have ignored how children end */
    rc = args ? run(argc, argv, args) : EXIT_REFUSED;
    free(args);
    if (fflush(stdout) != 0 || ferror(stdout)) {
        fprintf(stderr, "pvctl: standard output: %s\n", strerror(errno));
        rc = rc ? rc : EXIT_REFUSED;
    }
    progress_clear();
    interrupt_release(); /* a signal that had to wait ends us now */
    return rc;
}
