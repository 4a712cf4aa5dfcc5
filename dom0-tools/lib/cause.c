/* SPDX-License-Identifier: MIT */
/*
 * Why a domain ended: see cause.h.
 */
#define _GNU_SOURCE
#include "cause.h"

#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "lifecycle.h"

#define LOG_BYTES (64u << 10)

/* Is "domain N" or "dN" in the line, with no digit behind? */
static bool speaks_of(const char *line, const char *word, uint32_t domid)
{
    char id[32];
    size_t len = (size_t)snprintf(id, sizeof(id), "%s%u", word, domid);

    for (const char *p = line; (p = strcasestr(p, id)) != NULL; p++) {
        if (!strchr("0123456789", p[len]) || p[len] == '\0') {
            return true;
        }
    }
    return false;
}

static bool is_cause(const char *line, uint32_t domid)
{
    return strcasestr(line, "crash") &&
           (speaks_of(line, "domain ", domid) || speaks_of(line, "d", domid));
}

void end_cause(struct host *h, const struct host_domain *d, char *how, size_t size)
{
    char *log, *save = NULL, *line;
    const char *cause = NULL;
    uint32_t len = LOG_BYTES - 1, index = 0;

    snprintf(how, size, "%s", shutdown_reason_text(d->shutdown_reason));
    if (d->shutdown_reason != SHUTDOWN_crash) {
        return;
    }
    log = malloc(LOG_BYTES);
    if (log && h->ops->readconsole(h, log, &len, &index, false) == 0) {
        log[len] = '\0';
        for (line = strtok_r(log, "\r\n", &save); line; line = strtok_r(NULL, "\r\n", &save)) {
            if (is_cause(line, d->domid)) {
                cause = line;
            }
        }
    }
    if (cause) {
        const char *why = strstr(cause, "crashed: ");
        size_t n = strlen(how);

        snprintf(how + n, size - n, ": %s", why ? why + 9 : cause);
    }
    free(log);
}
