/* SPDX-License-Identifier: MIT */
/*
 * Reading a file of xl: see config_xl.h.
 */
#include "config_xl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "config_check.h"
#include "config_xl_internal.h"

/* A file of nothing but faults is not read for ever. */
#define MAX_TURNS 32u

/* The one before it, as += does not mean it. */
static const struct xl_place *earlier(const struct xl *x, const struct xl_place *p)
{
    for (const struct xl_place *q = p; q-- > x->places.list;) {
        if (q->item < 0 && strcmp(q->name, p->name) == 0)
            return p->adds ? NULL : q;
    }
    return NULL;
}

/* The library takes the last. */
static void tell_twice(const struct xl *x)
{
    for (size_t i = 0; i < x->places.nr; i++) {
        const struct xl_place *p = &x->places.list[i];
        const struct xl_place *q = p->item < 0 ? earlier(x, p) : NULL;

        if (q)
            findings_note(x->f, p->line, "%s is given twice: this one counts, not that of line %ld",
                          p->name, q->line);
    }
}

static int read_keys(struct xl *x)
{
    int rc;

    tell_twice(x);
    xl_check_keys(x);
    rc = xl_fill(x);
    rc = rc ? rc : xl_fill_disks(x);
    rc = rc ? rc : xl_fill_nics(x);
    if (rc == 0)
        config_check(x->c, x->f);
    return rc;
}

/* Begins anew with the library; what it says of the text goes to the findings. */
static int parse(struct xl *x, const char *text)
{
    if (xl_begin(x))
        return -ENOMEM;
    return xlu_cfg_readdata(x->cfg, text, (int)strlen(text)) ? -EINVAL : 0;
}

static char *begin_of_line(char *text, long line)
{
    for (; line > 1 && *text; line--)
        text += strcspn(text, "\n") + (text[strcspn(text, "\n")] == '\n');
    return text;
}

/* Where what a fault is in begins: its line, and of a list that is not ended the line of its key.
 */
static long begin_of_fault(const struct xl *x, const struct finding *fault)
{
    long line = fault->line;

    if (strstr(fault->text, XL_NOT_ENDED)) {
        for (size_t i = 0; i < x->places.nr; i++) {
            const struct xl_place *p = &x->places.list[i];

            line = p->item < 0 && p->line <= fault->line ? p->line : line;
        }
    }
    return line;
}

/* Leaves the lines empty in which these findings are; false: they are. */
static bool leave_out(const struct xl *x, char *text, const struct findings *faults)
{
    bool any = false;

    for (size_t i = 0; i < faults->nr; i++) {
        const struct finding *fault = &faults->list[i];
        char *at = begin_of_line(text, begin_of_fault(x, fault));
        const char *end = begin_of_line(text, fault->line + 1);

        for (; fault->line && at < end; at++) {
            any = any || (*at != ' ' && *at != '\n');
            *at = *at == '\n' ? '\n' : ' ';
        }
    }
    return any;
}

/* Of a file that is not in the format: the lines with a fault are left out until the library takes
 * what remains, whose own errors are told too. What is missing then may have stood in those lines,
 * so only what stands in a line is told. */
static int read_around(struct xl *x, char *text)
{
    struct findings *told = x->f, faults = {0}, more = {0};
    bool any = leave_out(x, text, told);
    int rc = -EINVAL;

    for (unsigned int i = 0; any && rc == -EINVAL && i < MAX_TURNS && !told->too_many; i++) {
        rc = parse(x, text);
        x->f = &faults;
        xl_heard(x, "", 0);
        any = leave_out(x, text, &faults);
        findings_free(&faults);
    }
    x->f = &more;
    x->places.nr = 0;
    if (rc == 0)
        rc = xl_scan(text, &x->places) ? -ENOMEM : read_keys(x);
    for (size_t i = 0; i < more.nr; i++) {
        const struct finding *one = &more.list[i];

        if (one->line && one->code)
            findings_error(told, one->code, one->line, "%s", one->text);
    }
    findings_free(&more);
    x->f = told;
    return rc == -ENOMEM ? rc : 0;
}

static int read_text(struct xl *x, char *text)
{
    int rc = xl_scan(text, &x->places);

    if (rc == -E2BIG) {
        findings_error(x->f, rc, 0, "more than %u keys and items of lists", XL_MAX_PLACES);
        free(x->places.list);
        return 0;
    }
    x->report = open_memstream(&x->said, &x->said_len);
    rc = rc || !x->report ? -ENOMEM : parse(x, text);
    if (rc != -ENOMEM)
        xl_heard(x, "", 0);
    if (rc == -EINVAL && !x->f->code)
        findings_error(x->f, -EINVAL, 0, "it is not in xl's format");
    if (rc == 0)
        rc = read_keys(x);
    else if (rc == -EINVAL)
        rc = read_around(x, text);
    if (x->cfg)
        xlu_cfg_destroy(x->cfg);
    if (x->report)
        fclose(x->report);
    free(x->said);
    free(x->places.list);
    return rc;
}

/* Ends of lines of Windows are ends of lines. */
static char *copy_unix(const char *text, size_t len)
{
    char *copy = malloc(len + 1), *to = copy;

    for (size_t i = 0; copy && i < len; i++) {
        if (text[i] != '\r' || i + 1 == len || text[i + 1] != '\n')
            *to++ = text[i];
    }
    if (copy)
        *to = '\0';
    return copy;
}

int config_xl_read(const char *text, size_t len, const struct config_how *how,
                   struct domain_config *out, struct findings *f)
{
    struct domain_config c = {.line.format = CONFIG_XL};
    struct xl x = {.how = how, .c = &c, .f = f};
    char *copy = NULL;
    int rc = 0;

    if (len > CONFIG_MAX_FILE)
        findings_error(f, -EFBIG, 0, "more than 1 MiB");
    else if (memchr(text, '\0', len))
        findings_error(f, -EINVAL, 0, "neither domain XML nor a file of xl: it is no text");
    else if ((copy = copy_unix(text, len)) != NULL)
        rc = read_text(&x, copy);
    else
        rc = -ENOMEM;
    if (rc)
        findings_error(f, rc, 0, "%s", error_reason(rc));
    free(copy);
    findings_sort(f);
    if (f->code)
        domain_config_free(&c);
    else
        *out = c;
    return f->code;
}
