/* SPDX-License-Identifier: MIT */
/*
 * pvctl top: what the domains do, again and again. On a terminal a screen; else, and with --batch,
 * lines that are xentop's, so that programs which read those read these.
 */
#include "top.h"

#include <errno.h>
#include <time.h>
#include <unistd.h>

static void print_lines(const struct top_sample *s)
{
    char line[512];

    top_head(line, sizeof(line));
    puts(line);
    for (size_t i = 0; i < s->nr; i++) {
        top_line(s, &s->row[i], line, sizeof(line));
        puts(line);
    }
}

static int record(const struct call *c, FILE *file, const struct top_sample *s)
{
    struct error e = {0};

    return file && top_record(file, c->text[AT_RECORD], s, &e) ? fail(&e) : 0;
}

/* One sample: shown, and written down. */
static int print(const struct call *c, FILE *file, const struct top_sample *s)
{
    if (c->options & OPT_JSON)
        top_print_json(s);
    else
        print_lines(s);
    if (fflush(stdout) != 0)
        return EXIT_REFUSED;
    return record(c, file, s);
}

/* So often as is asked for, or until a signal ends it or nobody reads. */
static int batch(const struct call *c, FILE *file)
{
    struct top_sample before = {0}, now;
    unsigned int left = c->options & OPT_ITERATIONS ? c->number[AT_ITERATIONS] : UINT32_MAX;
    struct error e = {0};
    int rc = 0;

    for (; left > 0 && rc == 0; left--) {
        struct timespec t = {.tv_sec = top_delay(c)};

        while (before.row && nanosleep(&t, &t) < 0 && errno == EINTR)
            ;
        rc = top_take(c->h, before.row ? &before : NULL, &now, &e) ? fail(&e) : 0;
        top_forget(&before);
        if (rc)
            return rc;
        rc = print(c, file, &now);
        before = now;
    }
    top_forget(&before);
    return rc;
}

static int run(const struct call *c)
{
    bool screen =
        !(c->options & (OPT_BATCH | OPT_JSON)) && isatty(STDOUT_FILENO) && isatty(STDIN_FILENO);
    struct error e = {0};
    FILE *file = NULL;
    int rc;

    if ((c->options & OPT_RECORD) && top_record_open(c->text[AT_RECORD], &file, &e))
        return fail(&e);
    rc = screen ? top_screen(c, file) : batch(c, file);
    if (file && fclose(file) != 0 && rc == 0) {
        error_set(&e, -errno, "%s: not all of it could be written", c->text[AT_RECORD]);
        rc = fail(&e);
    }
    return rc;
}

const struct verb verb_top = {
    .name = "top",
    .options = OPT_BATCH | OPT_ITERATIONS | OPT_DELAY | OPT_RECORD | OPT_JSON,
    .run = run,
    .summary = "show what the domains do: CPU, memory, network, disks",
    .help = "On a terminal it goes on until q; h lists its keys. Else, or with --batch, it prints "
            "xentop's\n"
            "columns: NETTX is what the control domain sent to the guest, NETRX what it got from "
            "it, in KiB;\n"
            "sectors are of 512 bytes. JSON and the file of --record are as the guest sees it, in "
            "bytes,\n"
            "summed up since its start.\n",
    .examples = "pvctl top\n"
                "pvctl top --batch --iterations 2 --delay 1\n"
                "pvctl top --record /srv/today.csv\n",
};
