/* SPDX-License-Identifier: MIT */
/*
 * Why a domain ended: see cause.h.
 *
 * The hypervisor's log tells, which is a ring, and guests' words stand in it, too, behind their
 * names. It is read in pieces until there is no more, line by line. What comes first of a log that
 * has lost something, and behind a gap, may be the rest of a line, and that a guest's words, which
 * look like what the guest likes: it is no line.
 */
#include "cause.h"

#include <stdbool.h>
#include <stdio.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "lifecycle.h"
#include "plain.h"

#define LOG_BYTES  (64u << 10) /* that the hypervisor keeps */
#define LINE_BYTES 512u        /* of one line, at most */
#define PIECE      4096u

static const char by_itself[] = "it reported this itself; its console may tell more";

struct search {
    char crashed[48], ended[48]; /* what the lines have that are looked for */
    char line[LINE_BYTES + 1];
    size_t len;
    bool whole;                 /* is the line, as far as it has come */
    char first[LINE_BYTES + 1]; /* the first one of all, which may not be whole */
    char *why;
    size_t size;
    bool found;
};

/* What the hypervisor itself says in a line, behind "(parvis) [time] "; NULL: somebody else does.
 * A guest's words stand behind its name, in brackets: "(parvis) [time] (d7) words". */
static const char *own_words(const char *line)
{
    const char *text = strncmp(line, "(parvis) [", 10) == 0 ? strstr(line, "] ") : NULL;

    return text && text[2] != '(' ? text + 2 : NULL;
}

/* Where this stands in a line of the hypervisor's, behind a name and no other words; or NULL. */
static const char *behind_name(const char *line, const char *wanted)
{
    const char *text = own_words(line), *at = text ? strchr(text, ' ') : NULL;
    size_t len = strlen(wanted);

    return at && strncmp(at, wanted, len) == 0 ? at + len : NULL;
}

/* The reason of a crash, from "NAME (domain N) crashed: reason", or, if the domain crashed by its
 * own wish, "NAME (domain N) has ended: crash". The last such line is meant: numbers come again. */
static void look_at(struct search *s, const char *line)
{
    const char *reason = behind_name(line, s->crashed);

    if (reason) {
        snprintf(s->why, s->size, "%s", reason);
        s->found = true;
    } else if (!s->found && behind_name(line, s->ended)) {
        snprintf(s->why, s->size, "%s", by_itself);
    }
}

static void take(struct search *s, const char *bytes, size_t n)
{
    for (size_t i = 0; i < n; i++) {
        if (bytes[i] != '\n') {
            if (s->len < LINE_BYTES)
                s->line[s->len++] = bytes[i];
            continue;
        }
        s->line[s->len] = '\0';
        if (s->whole)
            look_at(s, s->line);
        else if (!s->first[0])
            memcpy(s->first, s->line, s->len + 1);
        s->len = 0;
        s->whole = true;
    }
}

/* Race: while it is read it may grow, and lose what was to be read next. */
static void search_log(struct host *h, struct search *s)
{
    char piece[PIECE];
    uint32_t index = 0, first, len = 1;
    bool lost = false;

    /* The first byte alone, which says where the log begins. */
    if (h->ops->readconsole(h, piece, &len, &index, false) || len == 0)
        return;
    first = index - len;
    s->whole = first == 0;
    take(s, piece, len);
    while (index - first < 2 * LOG_BYTES) {
        uint32_t from = index;

        len = sizeof(piece);
        if (h->ops->readconsole(h, piece, &len, &index, false)) {
            lost = true;
            break;
        }
        if (len == 0)
            break;
        if (index - len != from) { /* the gap is anywhere in it */
            lost = true;
            s->len = 0;
            s->whole = false;
            continue;
        }
        take(s, piece, len);
    }
    /* Of a log that was cleared, and has lost nothing since, it is whole. */
    if (!lost && index - first < LOG_BYTES && !s->why[0])
        look_at(s, s->first);
}

static bool crash_reason(struct host *h, uint32_t domid, char *why, size_t size)
{
    struct search s = {.why = why, .size = size};

    why[0] = '\0';
    snprintf(s.crashed, sizeof(s.crashed), " (domain %u) crashed: ", domid);
    snprintf(s.ended, sizeof(s.ended), " (domain %u) has ended: crash", domid);
    search_log(h, &s);
    return why[0];
}

void end_cause(struct host *h, const struct host_domain *d, char *how, size_t size)
{
    char why[200];

    snprintf(how, size, "%s", shutdown_reason_text(d->shutdown_reason));
    if (d->shutdown_reason == SHUTDOWN_crash && crash_reason(h, d->domid, why, sizeof(why))) {
        size_t n = strlen(how);

        snprintf(how + n, size - n, ": %s", why);
    }
    plain_line(how);
}

bool has_ended(struct host *h, uint32_t domid, char *how, size_t size)
{
    struct host_domain d;
    unsigned int n = 0;

    if (h->ops->domain_list(h, domid, &d, 1, &n))
        return false;
    if (n == 0 || d.domid != domid || (d.dying && !d.shutdown))
        snprintf(how, size, "destroyed");
    else if (d.shutdown)
        end_cause(h, &d, how, size);
    else
        return false;
    return true;
}
