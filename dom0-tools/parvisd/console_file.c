/* SPDX-License-Identifier: MIT */
/*
 * Consoles' files: see console_file.h.
 */
#include "console_file.h"

#include <errno.h>
#include <stdio.h>
#include <string.h>

#include "console.h"
#include "state_file.h"

void console_save(const struct console *c)
{
    FILE *f = fopen(state_path("console/%s.log", c->name), "we");
    int bad = !f;

    if (f) {
        history_save(&c->history, f);
        if (c->ended && !c->restarting)
            fprintf(f, "\n[%s: %s]\n", c->name, c->how);
        bad = ferror(f);
        bad |= fclose(f);
    }
    if (bad)
        fprintf(stderr, "parvisd: %s: keeping its console in %s: %s\n", c->name,
                state_path("console"), strerror(errno));
}

/* 0: there is one, into *out; or a negative errno. */
static int read_file(const struct console *c, struct history *out)
{
    FILE *f = fopen(state_path("console/%s.log", c->name), "re");
    char buf[4096];
    size_t n;
    int rc = f ? history_init(out) : -errno;

    if (rc == 0) {
        while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
            history_add(out, buf, n);
        rc = ferror(f) ? -errno : 0;
    }
    if (rc && f)
        history_free(out);
    if (f)
        fclose(f);
    return rc;
}

void console_resume(struct console *c)
{
    static const char lost[] = "\r\n[parvisd was started again; what came before is not kept]\r\n";
    struct history old, fresh = c->history;
    char buf[4096];
    uint64_t pos = 0;
    size_t n;
    int rc = read_file(c, &old);

    if (rc) {
        if (rc != -ENOENT) /* it was killed, and could not write one */
            fprintf(stderr, "parvisd: %s: reading its console from %s: %s\n", c->name,
                    state_path("console"), strerror(-rc));
        history_add(&c->history, lost, sizeof(lost) - 1);
        return;
    }
    /* What came since this daemon runs stands behind it. */
    while ((n = history_read(&fresh, &pos, buf, sizeof(buf))) > 0)
        history_add(&old, buf, n);
    history_free(&fresh);
    c->history = old;
}
