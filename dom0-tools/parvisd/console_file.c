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

void console_resume(struct console *c)
{
    static const char lost[] = "\r\n[parvisd was started again; what came before is not kept]\r\n";
    struct history old;
    char buf[4096];
    size_t n;
    FILE *f = fopen(state_path("console/%s.log", c->name), "re");

    if (!f) { /* it was killed, and could not write one */
        history_add(&c->history, lost, sizeof(lost) - 1);
        return;
    }
    if (history_init(&old) == 0) {
        struct history fresh = c->history;
        uint64_t pos = 0;

        while ((n = fread(buf, 1, sizeof(buf), f)) > 0)
            history_add(&old, buf, n);
        /* What came since this daemon runs stands behind it. */
        while ((n = history_read(&fresh, &pos, buf, sizeof(buf))) > 0)
            history_add(&old, buf, n);
        history_free(&fresh);
        c->history = old;
    }
    fclose(f);
}
