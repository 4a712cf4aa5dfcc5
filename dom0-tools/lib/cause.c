/* SPDX-License-Identifier: MIT */
/*
 * Why a domain ended: see cause.h.
 */
#include "cause.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "lifecycle.h"
#include "plain.h"

#define LOG_BYTES (64u << 10)

static const char by_itself[] = "it reported this itself; its console may tell more";

/* What the hypervisor itself says in a line, behind "(parvis) [time] "; NULL: somebody else does.
 * A guest's words stand behind its name, in brackets: "(parvis) [time] (d7) words". */
static char *own_words(char *line)
{
    char *text = strncmp(line, "(parvis) [", 10) == 0 ? strstr(line, "] ") : NULL;

    return text && text[2] != '(' ? text + 2 : NULL;
}

/* The reason of a crash, from "NAME (domain N) crashed: reason", or, if the domain crashed by its
 * own wish, "NAME (domain N) has ended: crash". The last such line is meant: numbers come again. */
static bool find_reason(char *log, uint32_t domid, char *why, size_t size)
{
    char crashed[48], ended[48], *save = NULL;
    bool found = false;

    snprintf(crashed, sizeof(crashed), " (domain %u) crashed: ", domid);
    snprintf(ended, sizeof(ended), " (domain %u) has ended: crash", domid);
    for (char *l = strtok_r(log, "\r\n", &save); l; l = strtok_r(NULL, "\r\n", &save)) {
        char *text = own_words(l), *reason = text ? strstr(text, crashed) : NULL;

        if (reason) {
            snprintf(why, size, "%s", reason + strlen(crashed));
            found = true;
        } else if (text && !found && strstr(text, ended)) {
            snprintf(why, size, "%s", by_itself);
        }
    }
    return found || why[0];
}

static bool crash_reason(struct host *h, uint32_t domid, char *why, size_t size)
{
    char *log = malloc(LOG_BYTES);
    uint32_t len = LOG_BYTES - 1, index = 0;
    bool found = false;
    char *start;

    why[0] = '\0';
    if (log && h->ops->readconsole(h, log, &len, &index, false) == 0) {
        log[len] = '\0';
        /* A full log begins within a line: of a guest's, its words alone may be left. */
        start = len == LOG_BYTES - 1 ? strchr(log, '\n') : log;
        found = start && find_reason(start, domid, why, size);
    }
    free(log);
    return found;
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
