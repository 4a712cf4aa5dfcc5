/* SPDX-License-Identifier: MIT */
/*
 * What is left of files that were to have their names only when they are whole.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "aside.h"
#include "daemon_support.h"
#include "new_file.h"
#include "state.h"

static void leave(const char *name)
{
    char path[160];

    snprintf(path, sizeof(path), "%s/%s", dumps, name);
    assert_int_equal(state_write_file(path, "part"), 0);
}

/* What killed dumpers have left goes when there is a daemon, or a dump, again; what a living one
 * writes stays, and so does what is called nearly so. */
static void parts_are_swept(void **state)
{
    static const char *const dead[] = {"web-20200101T000000Z.core.99999999.part", "b.99999998.part",
                                       "a.part.core.99999999.part", ".part.99999999.part",
                                       "web.core.99999999.part"};
    static const char *const kept[] = {
        "web.part",        "web.99999999.partly",   ".99999999.part",
        "web.core.part",   "web.99999999.part.old", "99999999.part",
        "web.core.0.part", "web.core.-5.part",      "web.core.99999999999999999999.part"};
    char own[64], path[160];
    struct new_file file;
    struct error e = {0};

    (void)state;
    aside_sweep(); /* without a folder */
    assert_int_equal(mkdir(dumps, 0700), 0);
    snprintf(own, sizeof(own), "web.core.%d.part", (int)getppid());
    leave(own);
    for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++)
        leave(dead[i]);
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        leave(kept[i]);
    snprintf(path, sizeof(path), "%s/web.core", dumps);
    assert_int_equal(new_file_open(&file, path, &e), 0);
    for (size_t i = 0; i < 4; i++)
        assert_true(dump_is_there(dead[i])); /* of others' files */
    assert_false(dump_is_there(dead[4]));
    aside_sweep();
    for (size_t i = 0; i < sizeof(dead) / sizeof(dead[0]); i++)
        assert_false(dump_is_there(dead[i]));
    for (size_t i = 0; i < sizeof(kept) / sizeof(kept[0]); i++)
        assert_true(dump_is_there(kept[i]));
    assert_true(dump_is_there(own));
    assert_int_equal(new_file_keep(&file, 0, &e), 0);
    leave(dead[0]);
    assert_int_equal(aside_path("a", path, sizeof(path), &e), 0);
    assert_false(dump_is_there(dead[0]));
}

/* Where is it to be written; the next one of the other name is not that one on FAT. */
static void differs(const char *core, const char *name)
{
    struct error e = {0};
    char next[160];

    assert_int_equal(aside_path(name, next, sizeof(next), &e), 0);
    assert_int_not_equal(strcasecmp(core, next), 0);
}

/* Two that crash in one second have each their core, where a disk takes their names for one, too.
 */
static void no_core_is_written_over(void **state)
{
    struct error e = {0};
    char core[sizeof(((struct console *)NULL)->core)], part[200];
    uint32_t domid;

    (void)state;
    serve("web", "destroy", &domid);
    for (int i = 0; i < 3; i++) { /* it is about to be written, is being written, is there */
        struct console *c = console_by_name("web");

        assert_int_equal(aside_path("web", core, sizeof(core), &e), 0);
        snprintf(c->core, sizeof(c->core), "%s", core);
        c->dumper = i == 0;
        snprintf(part, sizeof(part), "%s%s", core, i == 1 ? ".1.part" : "");
        if (i > 0)
            assert_int_equal(state_write_file(part, "part"), 0);
        differs(core, "Web");
        differs(core, "web");
        c->dumper = 0;
        unlink(part);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(parts_are_swept, daemon_setup_dumps, daemon_teardown),
        cmocka_unit_test_setup_teardown(no_core_is_written_over, daemon_setup_dumps,
                                        daemon_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
