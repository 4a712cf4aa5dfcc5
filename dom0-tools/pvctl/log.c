/* SPDX-License-Identifier: MIT */
/*
 * pvctl log: what a domain's console said. Who reads it so does not have the console: somebody else
 * may, and the domain does not wait for us.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "daemon.h"
#include "pvctl.h"

/* What was there before, until all of it has come: only then it is known which lines are the last.
 */
struct past {
    char *text;
    size_t len;
};

static int gather(struct past *p, const char *data, size_t len)
{
    char *more = realloc(p->text, p->len + len);

    if (!more)
        return -ENOMEM;
    memcpy(more + p->len, data, len);
    p->text = more;
    p->len += len;
    return 0;
}

/* Where the last so many lines begin. */
static size_t last_lines(const struct past *p, unsigned int lines)
{
    size_t at = p->len;

    if (at && p->text[at - 1] == '\n')
        at--; /* it ends the last line, and begins none */
    while (at > 0) {
        if (p->text[at - 1] == '\n' && --lines == 0)
            break;
        at--;
    }
    return at;
}

static int print_past(const struct call *c, const struct past *p)
{
    size_t from = 0;

    if (c->options & OPT_LINES)
        from = c->number[AT_LINES] ? last_lines(p, c->number[AT_LINES]) : p->len;
    return p->len ? console_write(p->text + from, p->len - from) : 0;
}

/* -1: go on. Else what hinders that has been told. */
static int goes_on(int rc, const char *whom)
{
    if (rc == 0)
        return -1;
    fprintf(stderr, "pvctl: %s: %s\n", whom, strerror(-rc));
    return EXIT_REFUSED;
}

static int take(const struct call *c, int fd, struct past *p)
{
    char buf[DAEMON_MAX_MESSAGE + 1];
    size_t len;
    int type = daemon_receive(fd, buf, &len);

    switch (type) {
    case D_HISTORY:
        return goes_on(gather(p, buf, len), c->arg);
    case D_NEXT:
        return goes_on(print_past(c, p), "standard output");
    case D_DATA:
        return goes_on(console_write(buf, len), "standard output");
    case D_END:
        if (len)
            fprintf(stderr, "\n[%s: %s]\n", c->arg, buf);
        return len && end_is_crash(buf) ? EXIT_CRASHED : EXIT_OK;
    default:
        fprintf(stderr, "pvctl: %s: parvisd ended the connection\n", c->arg);
        return EXIT_NO_HOST;
    }
}

static int run(const struct call *c)
{
    struct error e = {0};
    struct past p = {0};
    int rc = -1, fd = daemon_ask(c->options & OPT_FOLLOW ? D_FOLLOW : D_LOG, c->arg, &e);

    if (fd < 0)
        return fail_to_find(c->arg, &e);
    while (rc < 0)
        rc = take(c, fd, &p);
    close(fd);
    free(p.text);
    return rc;
}

const struct verb verb_log = {
    .name = "log",
    .arg = "NAME...",
    .options = OPT_LINES | OPT_FOLLOW,
    .each = true,
    .run = run,
    .summary = "print what a console said, without attaching to it",
    .help = "Somebody may be attached meanwhile. Of a domain that has ended, too, until its name "
            "is used\n"
            "again. With --follow until the domain ends; status 6 if it crashed.\n",
    .examples = "pvctl log web\n"
                "pvctl log -n 20 web\n"
                "pvctl log --lines 0 --follow web\n",
};
