/* SPDX-License-Identifier: MIT */
/*
 * pvctl events: what happens to domains, a line each, as parvisd tells it (parvisd/events.h).
 */
#include <errno.h>
#include <poll.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "clock.h"
#include "daemon.h"
#include "pvctl.h"

enum { TIME, EVENT, ID, UUID, NAME, REASON, FORMER, NR_FIELDS };

static bool split(char *text, char *field[NR_FIELDS])
{
    for (int i = 0; i < NR_FIELDS; i++) {
        field[i] = text;
        text = strchr(text, '\t');
        if (text)
            *text++ = '\0';
        else if (i + 1 < NR_FIELDS)
            return false;
    }
    return text == NULL;
}

/* Of a domain that was asked for, by its name, the one it had, or its number; of all by no name. */
static bool is_meant(const struct call *c, char *const field[NR_FIELDS])
{
    for (size_t i = 0; i < c->nr_args; i++)
        if (strcmp(c->args[i], field[NAME]) == 0 || strcmp(c->args[i], field[ID]) == 0 ||
            strcmp(c->args[i], field[FORMER]) == 0)
            return true;
    return c->nr_args == 0;
}

/* "2026-11-28T16:20:01.123Z" */
static const char *when(const char *seconds)
{
    static char text[40];
    const char *part = strchr(seconds, '.');
    time_t t = (time_t)strtoll(seconds, NULL, 10);
    struct tm tm;
    size_t n = strftime(text, sizeof(text), "%Y-%m-%dT%H:%M:%S", gmtime_r(&t, &tm));

    snprintf(text + n, sizeof(text) - n, "%.4sZ", part ? part : ".000");
    return text;
}

static void print_json(char *const field[NR_FIELDS])
{
    json_one_line();
    json_open('{');
    json_string("time", when(field[TIME]));
    json_string("event", field[EVENT]);
    json_string("name", field[NAME]);
    json_number("id", strtoul(field[ID], NULL, 10));
    json_string("uuid", field[UUID]);
    if (*field[REASON])
        json_string("reason", field[REASON]);
    if (*field[FORMER])
        json_string("former_name", field[FORMER]);
    json_close('}');
}

static void print(const struct call *c, char *const field[NR_FIELDS])
{
    if (c->options & OPT_JSON)
        print_json(field);
    else
        printf("%s %s (%s) %s%s%s%s%s\n", when(field[TIME]), field[NAME], field[ID], field[EVENT],
               *field[REASON] ? ": " : "", field[REASON], *field[FORMER] ? " from " : "",
               field[FORMER]);
}

/* One message of the daemon's; a negative errno, 0, or 1: an event that was asked for. */
static int take(const struct call *c, int fd, struct error *e)
{
    char text[DAEMON_MAX_MESSAGE + 1], *field[NR_FIELDS];
    size_t len;
    int type = daemon_receive(fd, text, &len);

    if (type == D_END)
        return error_set(e, -EBUSY, "%s", text);
    if (type <= 0)
        return error_set(e, -ECONNREFUSED, "parvisd has ended: events are not told any more");
    if (type != D_EVENT || !split(text, field) || !is_meant(c, field))
        return 0;
    print(c, field);
    return 1;
}

static int follow(const struct call *c, int fd)
{
    const unsigned int count = c->number[AT_COUNT], seconds = c->number[AT_FOR];
    const uint64_t start = now_ms();
    unsigned int got = 0;
    struct error e = {0};

    while (count == 0 || got < count) {
        struct pollfd p[2] = {{.fd = fd, .events = POLLIN}, {.fd = STDOUT_FILENO}};
        int64_t left = (int64_t)(start + seconds * UINT64_C(1000) - now_ms());
        int rc;

        if (seconds && left <= 0)
            break;
        if (poll(p, 2, seconds ? (int)(left < 1000000 ? left : 1000000) : -1) <= 0)
            continue;
        if (p[1].revents & (POLLERR | POLLHUP | POLLNVAL))
            return EXIT_OK; /* nobody reads any more */
        rc = take(c, fd, &e);
        if (rc < 0)
            return fail(&e);
        got += (unsigned int)rc;
        if (fflush(stdout) != 0)
            return EXIT_REFUSED;
    }
    if (got < count) {
        error_set(&e, -ETIMEDOUT, "%u of %u events within %u s", got, count, seconds);
        return fail(&e);
    }
    return EXIT_OK;
}

static int run(const struct call *c)
{
    struct error e = {0};
    int fd = daemon_ask(D_EVENTS, "", &e), rc;

    if (fd < 0)
        return fail(&e);
    rc = follow(c, fd);
    close(fd);
    return rc;
}

const struct verb verb_events = {
    .name = "events",
    .arg = "[NAME...]",
    .options = OPT_JSON | OPT_COUNT | OPT_FOR,
    .run = run,
    .summary = "tell what happens to domains, a line each",
    .help = "created, started, paused, unpaused, renamed, shutdown with its reason, crashed, "
            "destroyed; with\n"
            "--json an object a line. Of domains that pvctl makes all of it, of others what lasts "
            "a fifth of\n"
            "a second. A domain need not be there yet. It goes on until it is stopped, or by "
            "--count and\n"
            "--timeout: status 1 when there were fewer by then.\n",
    .examples = "pvctl events --json\n"
                "pvctl events --timeout 60 web\n"
                "pvctl events -n 1 web >/dev/null && echo something happened\n",
};
