/* SPDX-License-Identifier: MIT */
/*
 * Each mistake at each key of xl's format: the keys come from the reader's own tables, so that none
 * is forgotten that somebody adds. Every key that is read gets each wrong value: what is refused is
 * refused with the key's line and name, and every key refuses a value of the wrong kind. Every key
 * that is not read says what the table says of it, and nothing when it asks for nothing; strictly,
 * it is refused. Misspelt, each is unknown.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include <cmocka.h>

#include "config_xl_internal.h"
#include "tools_config_xl.h"

#define LINE 4 /* of the key in question */

/* What people write where something else is meant. */
static const char *const values[] = {"\"\"",
                                     "\" \"",
                                     "0",
                                     "\"-1\"",
                                     "\"0x10\"",
                                     "\"1.5\"",
                                     "999999999999",
                                     "1",
                                     "\"quux\"",
                                     "\"a b\"",
                                     "\"/\"",
                                     "\"a/b\"",
                                     "\"3-0\"",
                                     "\"^0\"",
                                     "\"yes\"",
                                     "\"64M\"",
                                     "\"0-99\"",
                                     "\"%s%n\"",
                                     "\"..\"",
                                     "\"$(id)\"",
                                     "18446744073709551616",
                                     "\"\xff\"",
                                     "\"\xc2\xa0\"",
                                     "'\"'",
                                     "[ ]",
                                     "[ \"\" ]",
                                     "[ \"quux\" ]",
                                     "[ \"a=b\" ]",
                                     "[ 1 ]",
                                     "[ \",,,\" ]",
                                     "[ \"=\" ]",
                                     "[ \"mac=\" ]",
                                     "[ [ 1 ] ]",
                                     "[ \"/a,raw,xvda,rw\", \"/a,raw,xvda,rw\" ]"};

static unsigned int refused, accepted;

/* A good file but for this key. */
static void write_file(char out[512], const char *key, const char *value)
{
    static const char *const lines[][2] = {
        {"name", "name = \"web\""}, {"memory", "memory = 8"}, {"kernel", "kernel = \"/k\""}};
    char *to = out;

    for (size_t i = 0; i < 3; i++) /* what follows from a missing name is not what is asked here */
        to += sprintf(to, "%s\n", strcmp(lines[i][0], key) == 0 ? "" : lines[i][1]);
    sprintf(to, "%s = %s\n", key, value);
}

static int read_file(const char *key, const char *value, bool strict, struct findings *f)
{
    struct domain_config c;
    char text[512];
    int rc;

    write_file(text, key, value);
    rc = judge_len(text, strlen(text), strict, &c, f);
    if (rc == 0)
        domain_config_free(&c);
    return rc;
}

/* "key: ..." at its line, an error or a note; words NULL: any. */
static bool says(const struct findings *f, const char *key, bool error, const char *words)
{
    for (size_t i = 0; i < f->nr; i++) {
        const struct finding *one = &f->list[i];

        if (one->line == LINE && !!one->code == error && strstr(one->text, key) &&
            (!words || strstr(one->text, words)))
            return true;
    }
    return false;
}

static void check_value(const char *key, const char *value)
{
    struct findings f;

    if (read_file(key, value, false, &f) == 0) {
        accepted++;
    } else {
        refused++;
        if (!says(&f, key, true, NULL))
            fail_msg("%s = %s: %zu findings, none at line 4 of it; the first: %ld: %s", key, value,
                     f.nr, f.list[0].line, f.list[0].text);
    }
    findings_free(&f);
}

/* A list of lists is nothing's value: each key says so. */
static void check_kind(const char *key)
{
    struct findings f;

    if (read_file(key, "[ [ 1 ] ]", false, &f) == 0)
        fail_msg("%s: a list of lists is accepted", key);
    findings_free(&f);
}

static void check_misspelt(const char *key)
{
    struct findings f;
    char wrong[64];

    snprintf(wrong, sizeof(wrong), "%sq", key);
    if (read_file(wrong, "1", false, &f) == 0 ||
        !says(&f, wrong, true, "unknown key; did you mean"))
        fail_msg("%s is not unknown", wrong);
    findings_free(&f);
}

static unsigned int each_word(const char *list, void (*fn)(const char *, const void *),
                              const void *arg)
{
    char *copy = strdup(list), *save = NULL;
    unsigned int n = 0;

    for (char *w = strtok_r(copy, " ", &save); w; w = strtok_r(NULL, " ", &save), n++)
        fn(w, arg);
    free(copy);
    return n;
}

static void read_key(const char *key, const void *arg)
{
    (void)arg;
    for (size_t i = 0; i < sizeof(values) / sizeof(values[0]); i++)
        check_value(key, values[i]);
    check_kind(key);
    check_misspelt(key);
}

static void each_key_that_is_read(void **state)
{
    (void)state;
    assert_in_range(each_word(xl_read_keys, read_key, NULL), 20, 60);
    assert_in_range(refused, 300, 2000);
    assert_in_range(accepted, 50, 1000);
}

static void other_key(const char *key, const void *arg)
{
    const struct xl_rule *r = arg;
    struct findings f;

    assert_int_equal(read_file(key, "\"quux\"", false, &f) != 0, r->treatment == REFUSE);
    if (r->treatment == SILENT ? f.nr : !says(&f, key, r->treatment == REFUSE, r->words))
        fail_msg("%s: %zu findings, not '%s'", key, f.nr, r->words);
    findings_free(&f);
    assert_int_equal(read_file(key, "[ \"quux\" ]", false, &f) != 0, r->treatment == REFUSE);
    findings_free(&f);
    assert_int_equal(read_file(key, "[ ]", true, &f), 0);
    findings_free(&f);
    if (read_file(key, "\"quux\"", true, &f) == 0 || !says(&f, key, true, NULL))
        fail_msg("%s is not refused strictly", key);
    findings_free(&f);
    check_misspelt(key);
}

static void each_key_that_is_not(void **state)
{
    unsigned int n = 0;

    (void)state;
    for (const struct xl_rule *r = xl_rules; r->keys; r++)
        n += each_word(r->keys, other_key, r);
    assert_in_range(n, 100, 300);
}

/* No key is in two places: the second would never be asked. */
static void once(const char *key, const void *arg)
{
    unsigned int *found = *(unsigned int *const *)arg;
    const char *lists[64];
    size_t nr = 0;

    lists[nr++] = xl_read_keys;
    for (const struct xl_rule *r = xl_rules; r->keys && nr < 64; r++)
        lists[nr++] = r->keys;
    for (size_t i = 0, here = 0; i < nr; i++) {
        size_t len = strlen(key);

        for (const char *at = lists[i]; (at = strstr(at, key)); at += len) {
            bool begins = at == lists[i] || at[-1] == ' ';

            here += begins && (at[len] == ' ' || !at[len]);
            if (here > 1)
                fail_msg("%s is in the tables twice", key);
        }
    }
    ++*found;
}

static void each_key_once(void **state)
{
    unsigned int found = 0, *arg = &found;

    (void)state;
    each_word(xl_read_keys, once, &arg);
    for (const struct xl_rule *r = xl_rules; r->keys; r++)
        each_word(r->keys, once, &arg);
    assert_in_range(found, 120, 400);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(each_key_that_is_read),
                                       cmocka_unit_test(each_key_that_is_not),
                                       cmocka_unit_test(each_key_once)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
