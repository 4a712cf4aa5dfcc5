/* SPDX-License-Identifier: MIT */
/*
 * pvctl's tables, and verbs that go through several domains, on a model of a machine: each is told
 * once, the others go on, the worst is the exit status.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "pvctl.h" /* before cmocka's: both have a fail() */

#include <cmocka.h>

#include "lifecycle_support.h"
#include "pvctl_support.h"

static void tables_are_sound(void **state)
{
    (void)state;
    for (const struct verb *const *v = verbs; *v; v++) {
        char letters[NR_OPTIONS + 1] = "h"; /* --help's */

        assert_ptr_equal(find_verb((*v)->name), *v);
        assert_non_null((*v)->summary);
        for (const char *line = (*v)->help; line && *line; line += strcspn(line, "\n") + 1)
            assert_true(strcspn(line, "\n") <= 100);
        for (int i = 0; i < NR_OPTIONS; i++) {
            char letter[2] = {option_rows[i].letter, '\0'};

            if (!((*v)->options >> i & 1) || !letter[0])
                continue;
            if (strstr(letters, letter))
                fail_msg("pvctl %s: two options are -%s", (*v)->name, letter);
            strcat(letters, letter);
        }
    }
    for (const struct alias *a = aliases; a->name; a++) {
        const struct verb *v = find_verb(a->name);

        if (!v || strcmp(v->name, a->verb) != 0)
            fail_msg("%s, %s's name of %s, is none", a->name, a->whose, a->verb);
        for (const struct verb *const *w = verbs; *w; w++)
            assert_string_not_equal(a->name, (*w)->name);
    }
}

/* What each does stands in one column of the list. */
static void list_is_a_table(void **state)
{
    (void)state;
    assert_int_equal(pvctl_run("help"), 0);
    for (const struct verb *const *v = verbs; *v; v++) {
        char line[256];
        const char *at, *begin;

        snprintf(line, sizeof(line), " %s\n", (*v)->summary);
        at = strstr(pvctl_said, line);
        assert_non_null(at);
        for (begin = at; begin[-1] != '\n'; begin--)
            ;
        assert_int_equal(at + 1 - begin, 36);
    }
}

static struct fake_domain *web, *db;

static int setup(void **state)
{
    int rc = lifecycle_setup(state);

    if (rc == 0) {
        web = pvctl_runs("web");
        db = pvctl_runs("db");
    }
    return rc;
}

static void each_is_told(void **state)
{
    (void)state;
    pvctl_ends("pause web nobody db", 3, "pvctl: nobody: no such domain\n");
    assert_true(web->d.paused);
    assert_true(db->d.paused);
    pvctl_ends("resume db", 0, "");
    assert_int_equal(pvctl_run("pause nobody web Domain-0 nemo"), 3); /* not 1, which came later */
    assert_string_equal(pvctl_said,
                        "pvctl: nobody: no such domain\npvctl: web: it is paused already\n"
                        "pvctl: Domain-0: the control domain cannot pause itself\n"
                        "pvctl: nemo: no such domain\n");
    pvctl_ends("list web nobody --json", 3, "pvctl: nobody: no such domain\n");
    assert_non_null(strstr(pvctl_said, "\"name\": \"web\""));
    assert_null(strstr(pvctl_said, "\"name\": \"db\""));
    pvctl_ends("sched -w 77 nobody db web", 3, "pvctl: nobody: no such domain\n");
    assert_int_equal(web->sched.weight, 77);
    assert_int_equal(db->sched.weight, 77);
}

/* With --all, what is so already is no error, and the control domain is not meant. */
static void all_of_them(void **state)
{
    (void)state;
    web->d.paused = true;
    pvctl_ends("pause --all", 0, "");
    assert_string_equal(pvctl_said, "");
    assert_true(web->d.paused);
    assert_true(db->d.paused);
    db->d.shutdown = true;
    pvctl_ends("unpause -a", 0, "");
    assert_string_equal(pvctl_said, "");
    assert_false(web->d.paused);
    assert_true(db->d.paused);
}

/* One is an object, several are an array. */
static void json_of_several(void **state)
{
    (void)state;
    pvctl_ends("dominfo --json web", 0, "{\n  \"name\": \"web\"");
    assert_int_equal(pvctl_said[0], '{');
    pvctl_ends("dominfo --json web db", 0, "  },\n  {\n    \"name\": \"db\"");
    assert_int_equal(pvctl_said[0], '[');
    assert_string_equal(pvctl_said + strlen(pvctl_said) - 4, "}\n]\n");
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(tables_are_sound),
        cmocka_unit_test(list_is_a_table),
        cmocka_unit_test_setup_teardown(each_is_told, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(all_of_them, setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(json_of_several, setup, lifecycle_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
