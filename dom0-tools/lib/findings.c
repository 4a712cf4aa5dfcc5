/* SPDX-License-Identifier: MIT */
/*
 * What is found in a configuration: see findings.h.
 */
#include "findings.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "plain.h"

/* A file of nothing but faults fills no screen after screen. */
#define MAX_FINDINGS 200u

static bool is_there(const struct findings *f, long line, const char *text)
{
    for (size_t i = 0; i < f->nr; i++) {
        if (f->list[i].line == line && strcmp(f->list[i].text, text) == 0)
            return true;
    }
    return false;
}

/* One line of UTF-8, whatever it quotes, and wherever that was cut off. */
static char *line_of_text(const char *fmt, va_list ap)
{
    char shown[PLAIN_GROWS * sizeof(((struct error *)NULL)->text) + 5];
    struct error said = {0};
    struct plain p = {.have = 0};

    error_setv(&said, 0, fmt, ap);
    shown[plain_text(&p, said.text, strlen(said.text), shown)] = '\0';
    return strdup(shown);
}

static void add(struct findings *f, int code, long line, const char *fmt, va_list ap)
{
    char *text = line_of_text(fmt, ap);
    struct finding *more = NULL;

    f->code = f->code ? f->code : code;
    if (text && is_there(f, line, text)) {
        free(text);
        return;
    }
    if (text && f->nr < MAX_FINDINGS)
        more = realloc(f->list, (f->nr + 1) * sizeof(*more));
    if (!more) {
        free(text);
        f->too_many = true;
        return;
    }
    f->list = more;
    more[f->nr++] = (struct finding){line, code, text};
}

void findings_error(struct findings *f, int code, long line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(f, code, line, fmt, ap);
    va_end(ap);
}

void findings_note(struct findings *f, long line, const char *fmt, ...)
{
    va_list ap;

    va_start(ap, fmt);
    add(f, 0, line, fmt, ap);
    va_end(ap);
}

void findings_drop_line(struct findings *f, long line)
{
    size_t kept = 0;

    for (size_t i = 0; i < f->nr; i++) {
        if (f->list[i].line == line)
            free(f->list[i].text);
        else
            f->list[kept++] = f->list[i];
    }
    f->nr = kept;
}

/* A note that stands in several lines, such as one for each disk, is left once: "... (and :7, :9)".
 */
static void merge_notes(struct findings *f)
{
    for (size_t i = 0; i < f->nr; i++) {
        char lines[MAX_FINDINGS * 24] = "", *text = NULL;
        size_t len = 0, kept = i + 1;

        if (f->list[i].code)
            continue;
        for (size_t j = i + 1; j < f->nr; j++) {
            const struct finding *n = &f->list[j];

            if (n->code || strcmp(n->text, f->list[i].text) != 0) {
                f->list[kept++] = *n;
                continue;
            }
            len += (size_t)sprintf(lines + len, "%s:%ld", len ? ", " : "", n->line);
            free(n->text);
        }
        f->nr = kept;
        if (len)
            text = malloc(strlen(f->list[i].text) + len + sizeof(" (and )"));
        if (text) {
            sprintf(text, "%s (and %s)", f->list[i].text, lines);
            free(f->list[i].text);
            f->list[i].text = text;
        }
    }
}

/* Each goes before those that are behind it in the file; of one line they keep their order. */
void findings_sort(struct findings *f)
{
    for (size_t i = 1; i < f->nr; i++) {
        struct finding moved = f->list[i];
        size_t at = i;

        for (; at > 0 && f->list[at - 1].line > moved.line; at--)
            f->list[at] = f->list[at - 1];
        f->list[at] = moved;
    }
    for (size_t i = f->nr; i-- > 0;)
        f->code = f->list[i].code ? f->list[i].code : f->code;
    merge_notes(f);
}

static void place(const char *file, long line, char *out, size_t size)
{
    if (line > 0)
        snprintf(out, size, "%s:%ld", file, line);
    else
        snprintf(out, size, "%s", file);
    plain_line(out);
}

void findings_print(const struct findings *f, const char *prefix, const char *file, FILE *out)
{
    char where[512];

    for (size_t i = 0; i < f->nr; i++) {
        place(file, f->list[i].line, where, sizeof(where));
        fprintf(out, "%s%s: %s%s\n", prefix, where,
                f->list[i].code ? "" : "note: ", f->list[i].text);
    }
    if (f->too_many) {
        place(file, 0, where, sizeof(where));
        fprintf(out, "%s%s: there is more than these\n", prefix, where);
    }
}

int findings_first(const struct findings *f, const char *file, struct error *e)
{
    char where[512];

    for (size_t i = 0; i < f->nr; i++) {
        if (f->list[i].code) {
            place(file, f->list[i].line, where, sizeof(where));
            return error_set(e, f->list[i].code, "%s: %s", where, f->list[i].text);
        }
    }
    return f->code ? error_errno(e, f->code, "%s", file) : 0;
}

void findings_free(struct findings *f)
{
    for (size_t i = 0; i < f->nr; i++)
        free(f->list[i].text);
    free(f->list);
    *f = (struct findings){0};
}
