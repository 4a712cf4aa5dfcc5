/* SPDX-License-Identifier: MIT */
/*
 * pvctl plot: reads what `pvctl top --record` wrote, and draws it. What is not such a file is
 * refused with its line; a last line without an end is one that was being written, and is left out.
 */
#include "plot.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>

#include "interrupt.h"
#include "new_file.h"
#include "top.h"

/* The fields of TOP_RECORD_HEAD. */
enum {
    TIME,
    NAME,
    ID,
    STATE,
    CPU_SECONDS,
    CPU_PERCENT,
    MEMORY,
    VCPUS,
    RECEIVED,
    SENT,
    READ,
    WRITTEN,
    NR_FIELDS
};

/* Fields end at commas; one in quotation marks may have some, and has each mark of its own twice.
 */
static bool split(char *line, char *field[NR_FIELDS])
{
    char *at = line;

    for (int i = 0; i < NR_FIELDS; i++) {
        char *to = at;
        bool quoted = *at == '"';

        field[i] = at;
        at += quoted;
        while (*at && (quoted || (*at != ',' && *at != '\n'))) {
            if (quoted && *at == '"' && *++at != '"')
                break;
            *to++ = *at++;
        }
        if (*at != (i + 1 < NR_FIELDS ? ',' : '\n'))
            return false;
        at++;
        *to = '\0';
    }
    return *at == '\0';
}

/* A time is one that a calendar has, an id one of a domain's; a counter may be large. */
static bool number(const char *text, int field, double *out)
{
    double most = field == TIME ? 1e11 : field == ID ? UINT32_MAX : 1e18;
    char *end;

    *out = strtod(text, &end);
    return end != text && *end == '\0' && *out >= 0 && *out <= most;
}

static struct plot_line *find_line(struct plot *p, const char *name, unsigned int id)
{
    struct plot_line *more;

    for (size_t i = 0; i < p->nr; i++)
        if (p->line[i].id == id && strcmp(p->line[i].name, name) == 0)
            return &p->line[i];
    more = realloc(p->line, (p->nr + 1) * sizeof(*more));
    if (!more)
        return NULL;
    p->line = more;
    more = &p->line[p->nr++];
    *more = (struct plot_line){.id = id};
    snprintf(more->name, sizeof(more->name), "%s", name);
    return more;
}

/* How much a second since the point before; a counter that went back began anew. */
static double rate(const struct plot_line *l, double now, double before, double time)
{
    double passed = l->nr ? time - l->point[l->nr - 1].time : 0;

    return passed > 0 && now > before ? (now - before) / passed / 1024 : 0;
}

static int add_point(struct plot *p, char *const field[NR_FIELDS])
{
    double n[NR_FIELDS];
    struct plot_line *l;
    struct plot_point *more;

    for (int i = 0; i < NR_FIELDS; i++)
        if (i != NAME && i != STATE && !number(field[i], i, &n[i]))
            return -EINVAL;
    l = find_line(p, field[NAME], (unsigned int)n[ID]);
    if (!l)
        return -ENOMEM;
    if (l->nr && n[TIME] < l->point[l->nr - 1].time)
        return -EINVAL;
    more = realloc(l->point, (l->nr + 1) * sizeof(*more));
    if (!more)
        return -ENOMEM;
    l->point = more;
    l->point[l->nr] = (struct plot_point){
        .time = n[TIME],
        .value = {[PLOT_CPU] = n[CPU_PERCENT],
                  [PLOT_MEMORY] = n[MEMORY] / 1024,
                  [PLOT_NETWORK] = rate(l, n[RECEIVED] + n[SENT], l->bytes[PLOT_NETWORK], n[TIME]),
                  [PLOT_DISK] = rate(l, n[READ] + n[WRITTEN], l->bytes[PLOT_DISK], n[TIME])}};
    l->bytes[PLOT_NETWORK] = n[RECEIVED] + n[SENT];
    l->bytes[PLOT_DISK] = n[READ] + n[WRITTEN];
    l->nr++;
    return 0;
}

static int read_lines(FILE *file, const char *path, struct plot *p, struct error *e)
{
    char *text = NULL, *field[NR_FIELDS];
    unsigned int at = 0;
    size_t room = 0;
    ssize_t len;
    int rc = 0;

    while (rc == 0 && (len = getline(&text, &room, file)) > 0) {
        at++;
        if (text[len - 1] != '\n')
            break; /* it was being written */
        if (at == 1)
            rc = strcmp(text, TOP_RECORD_HEAD) == 0 ? 0 : -EINVAL;
        else
            rc = split(text, field) ? add_point(p, field) : -EINVAL;
        if (rc == -EINVAL)
            error_set(e, rc, "%s:%u: not as `pvctl top --record` writes it", path, at);
        else if (rc)
            error_errno(e, rc, "%s", path);
    }
    if (rc == 0 && ferror(file))
        rc = error_set(e, -EIO, "%s: %s", path, strerror(errno));
    if (rc == 0 && p->nr == 0)
        rc = error_set(e, -EINVAL, "%s: there is nothing in it to draw", path);
    free(text);
    return rc;
}

static void forget(struct plot *p)
{
    for (size_t i = 0; i < p->nr; i++)
        free(p->line[i].point);
    free(p->line);
}

/* A picture in the place of its numbers would be the end of these. */
static int check_other(const char *from, const char *picture, struct error *e)
{
    struct stat a, b;

    if (stat(from, &a) < 0 || stat(picture, &b) < 0 || a.st_dev != b.st_dev || a.st_ino != b.st_ino)
        return 0;
    return error_set(e, -EEXIST, "%s: this is the file that is to be drawn", picture);
}

static int write_picture(const struct plot *p, const char *title, const char *path, struct error *e)
{
    struct new_file f;
    char *text = NULL;
    size_t size = 0;
    FILE *out = open_memstream(&text, &size);
    int rc;

    if (!out)
        return error_errno(e, -ENOMEM, "%s", path);
    plot_draw(p, title, out);
    if (fclose(out) != 0) {
        free(text);
        return error_errno(e, -ENOMEM, "%s", path);
    }
    interrupt_catch();
    rc = new_file_open(&f, path, e);
    if (rc == 0) {
        const mode_t mask = umask(0);

        umask(mask);
        (void)fchmod(f.fd, 0666 & ~mask); /* a picture is no core; a FAT disk has no modes */
        rc = new_file_write(&f, text, size, 0, e);
        if (rc)
            new_file_drop(&f);
        else
            rc = new_file_keep(&f, size, e);
    }
    free(text);
    return rc;
}

static int run(const struct call *c)
{
    struct plot p = {0};
    struct error e = {0};
    FILE *file = fopen(c->arg, "re");

    if (!file) {
        error_set(&e, -EIO, "%s: %s", c->arg, strerror(errno));
        return fail(&e);
    }
    if (check_other(c->arg, c->more[0], &e) == 0 && read_lines(file, c->arg, &p, &e) == 0)
        (void)write_picture(&p, c->arg, c->more[0], &e);
    fclose(file);
    forget(&p);
    return e.code ? fail(&e) : EXIT_OK;
}

const struct verb verb_plot = {
    .name = "plot",
    .arg = "FILE PICTURE",
    .no_host = true,
    .run = run,
    .summary = "draw what `pvctl top --record` wrote",
    .help = "PICTURE becomes an SVG file, which any browser shows: CPU time, memory, network and "
            "disks of\n"
            "each domain. It needs no hypervisor.\n",
    .examples = "pvctl plot /srv/today.csv /srv/today.svg\n",
};
