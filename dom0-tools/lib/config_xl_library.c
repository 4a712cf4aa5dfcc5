/* SPDX-License-Identifier: MIT */
/*
 * Xen's library as it reads xl's files: what it says of them, for a person, and the values that it
 * has read. See config_xl_internal.h.
 */
#include "config_xl_internal.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include <libxml/chvalid.h>
#include <libxml/xmlstring.h>

/* The name that the library puts before what it says. */
#define NAME "xl"
/* It has no word there. */
#define AT_END "near `': "

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

int xl_begin(struct xl *x)
{
    if (x->cfg)
        xlu_cfg_destroy(x->cfg);
    x->cfg = xlu_cfg_init(x->report, NAME);
    return x->cfg ? 0 : -ENOMEM;
}

/* The library's "near `WORD': syntax error, unexpected IDENT, expecting STRING ...", for a person.
 */
static const struct {
    const char *says, *words;
} syntax[] = {
    {"expecting STRING", "a value is a number, text between quotes, or a list between [ and ]"},
    {"expecting ']'", XL_NOT_ENDED},
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
    if (x->said_len && !said)
        findings_error(x->f, -ENOMEM, line, "%s", error_reason(-ENOMEM));
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

bool xl_keeps(const struct xl *x, const char *key, const char *path, long line)
{
    size_t len = strlen(path);

    if (!is_plain(path))
        findings_error(x->f, -EINVAL, line, "%s: '%.64s' is no line of text in UTF-8", key, path);
    else if (len && strchr(CONFIG_BLANKS, path[len - 1]))
        findings_error(x->f, -EINVAL, line, "%s: '%.64s' ends with a blank", key, path);
    else
        return true;
    return false;
}

static char *take(const struct xl *x, const char *key, const char *text, int item)
{
    long line = xl_line(&x->places, key, item);
    size_t len;
    char *copy;

    if (!is_plain(text)) {
        findings_error(x->f, -EINVAL, line, "%s: '%.64s' is no line of text in UTF-8", key, text);
        return NULL;
    }
    text += strspn(text, CONFIG_BLANKS);
    for (len = strlen(text); len > 0 && strchr(CONFIG_BLANKS, text[len - 1]); len--) {
    }
    copy = strndup(text, len);
    if (!copy)
        findings_error(x->f, -ENOMEM, line, "%s: %s", key, error_reason(-ENOMEM));
    return copy;
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
