/* SPDX-License-Identifier: MIT */
/*
 * Reading a file of xl: see config_xl.h.
 */
#include "config_xl.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/chvalid.h>
#include <libxml/xmlstring.h>

#include "config_check.h"

/* The name that the library puts before what it says. */
#define NAME      "xl"
#define NOT_ENDED "a comma or a ] is missing before it"
/* It has no word there. */
#define AT_END "near `': "
/* A file of nothing but faults is not read for ever. */
#define MAX_TURNS 32u

/* ABI: the two functions of libxenlight that libxlutil calls; all else of that is not wanted here.
 */
void libxl_defbool_set(libxl_defbool *d, bool b)
{
    d->val = b ? 1 : -1;
}

int libxl_rdm_reserve_policy_from_string(const char *s, libxl_rdm_reserve_policy *policy)
{
    (void)s, (void)policy;
    return -1;
}

/* The library's "near `WORD': syntax error, unexpected IDENT, expecting STRING ...", for a person.
 */
static const struct {
    const char *says, *words;
} syntax[] = {
    {"expecting STRING", "a value is a number, text between quotes, or a list between [ and ]"},
    {"expecting ']'", NOT_ENDED},
    {"expecting += or '='", "there is no = behind a key"},
    {"unexpected '='", "there is no key before it"},
    {"expecting $end or", "a line begins with a key"},
    {"expecting $end", "the value has ended before it: several are a list, between [ and ]"},
};

/* NULL: it says enough. */
static const char *in_words(const char *word, const char *said)
{
    for (size_t i = 0; i < sizeof(syntax) / sizeof(syntax[0]); i++) {
        if (strstr(said, syntax[i].says))
            return syntax[i].words;
    }
    if (strcmp(said, "lexical error") != 0)
        return NULL;
    if (*word == '"' || *word == '\'')
        return "text that begins with a quote ends with the same in its line";
    if (*word >= 'A' && *word <= 'Z')
        return "a key has small letters alone, a number no unit, and text is between quotes";
    return "outside of quotes there are keys, numbers without a sign, lists and no more: no Python "
           "either, as xm took it";
}

/* What it says of a disk, and what it leaves out. "" : it says enough. */
static const char *of_disk(const char *said)
{
    static const struct {
        const char *says, *words;
    } disks[] = {
        {"unknown value for format",
         ": before the disk's name stands its format, raw, or nothing: '/srv/a.img,,xvda,w'"},
        {"no vdev specified",
         ": behind the format stands the disk's name: '/srv/a.img,raw,xvda,w'"},
        {"unknown value for access", ": r, w or rw"},
        {"unknown parameter", ": target=, format=, vdev=, access= are the usual ones"},
    };

    for (size_t i = 0; i < sizeof(disks) / sizeof(disks[0]); i++) {
        if (strncmp(said, disks[i].says, strlen(disks[i].says)) == 0)
            return disks[i].words;
    }
    return "";
}

/* What is behind a fault of the format in its line is most often the same one. */
static bool is_told(const struct findings *f, long line)
{
    return f->nr > 0 && f->list[f->nr - 1].line == line && f->list[f->nr - 1].code;
}

/* What it said of this line. */
static void hear(const struct xl *x, long line, const char *what, const char *said)
{
    const char *reason = strncmp(said, "near ", 5) == 0 ? strstr(said, ": ") : NULL, *words;
    bool at_end = strncmp(said, AT_END, strlen(AT_END)) == 0;

    for (const char *next = reason; next; next = strstr(reason, "': ")) /* not one in the word */
        reason = next + (next[0] == '\'' ? 3 : 2);
    words = reason ? in_words(said + 6, reason) : NULL;
    if (reason && !*what && is_told(x->f, line))
        return;
    if (at_end)
        findings_error(x->f, -EINVAL, line, "near the end of the file: %s", words ? words : reason);
    else
        findings_error(x->f, -EINVAL, line, "%s%s%.*s%s", what, *what ? ": " : "",
                       words ? (int)(reason - said) : (int)strlen(said), said,
                       words ? words : of_disk(said));
}

/* "xl:7: ...", "xl: ...", and lines without a name, of what they follow. The library counts a line
 * that ends too early as the one before. */
static void hear_line(const struct xl *x, char *text, const char *what, long line)
{
    static const char *const begins[] = {"config parsing error ",
                                         "in disk specification: ", "in vif: ", "warning: "};
    char *colon = strncmp(text, NAME ":", 3) == 0 ? text + 3 : NULL;

    if (!colon)
        return;
    if (*colon >= '0' && *colon <= '9')
        line = strtol(colon, &colon, 10) + (strstr(colon, "near <newline>") != NULL);
    colon += strspn(colon, ": ");
    for (size_t i = 0; i < sizeof(begins) / sizeof(begins[0]); i++) {
        if (strncmp(colon, begins[i], strlen(begins[i])) == 0)
            colon += strlen(begins[i]);
    }
    hear(x, line, what, colon);
}

void xl_heard(struct xl *x, const char *what, long line)
{
    char *save = NULL, *said;

    fflush(x->report);
    said = x->said && x->said_len ? strndup(x->said, x->said_len) : NULL;
    for (char *t = said ? strtok_r(said, "\n", &save) : NULL; t; t = strtok_r(NULL, "\n", &save))
        hear_line(x, t, what, line);
    free(said);
    rewind(x->report);
}

/* What can stand in XML, where the configuration is kept: a line of UTF-8, each character in its
 * shortest form. */
static bool is_plain(const char *s)
{
    static const int least[] = {0, 0, 0x80, 0x800, 0x10000};

    if (!xmlCheckUTF8((const unsigned char *)s))
        return false;
    while (*s) {
        int len = (int)strnlen(s, 4), c = xmlGetUTF8Char((const unsigned char *)s, &len);

        if (c < ' ' || c < least[len] || c == 0x7f || !xmlIsCharQ(c))
            return false;
        s += len;
    }
    return true;
}

static char *take(const struct xl *x, const char *key, const char *text, int item)
{
    size_t len;

    if (!is_plain(text)) {
        findings_error(x->f, -EINVAL, xl_line(&x->places, key, item),
                       "%s: '%.64s' is no line of text in UTF-8", key, text);
        return NULL;
    }
    text += strspn(text, CONFIG_BLANKS);
    for (len = strlen(text); len > 0 && strchr(CONFIG_BLANKS, text[len - 1]); len--) {
    }
    return strndup(text, len);
}

char *xl_string(const struct xl *x, const char *key)
{
    const char *text;
    int rc = xlu_cfg_get_string(x->cfg, key, &text, 1);

    if (rc == EINVAL)
        findings_error(x->f, -EINVAL, xl_line(&x->places, key, -1),
                       "%s: a list, where one value is wanted", key);
    return rc ? NULL : take(x, key, text, -1);
}

char *xl_item(const struct xl *x, const char *key, const XLU_ConfigList *list, int item)
{
    const char *text = xlu_cfg_get_listitem(list, item);

    if (!text)
        findings_error(x->f, -EINVAL, xl_line(&x->places, key, item),
                       "%s: a list in a list, where a string is wanted", key);
    return text ? take(x, key, text, item) : NULL;
}

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
    if (x->cfg)
        xlu_cfg_destroy(x->cfg);
    x->cfg = xlu_cfg_init(x->report, NAME);
    if (!x->cfg)
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

    if (strstr(fault->text, NOT_ENDED)) {
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
