/* SPDX-License-Identifier: MIT */
/*
 * What daemons before this one left of domains that have ended: the newest is kept, what is of a
 * name that somebody has, or is to have again, stays, and nothing else is touched.
 */
#include <errno.h>
#include <fcntl.h>
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

#include "daemon_support.h"
#include "former.h"
#include "restart.h"
#include "state.h"

/* So old that the lower numbers are the newer. */
static void leave(const char *where, unsigned int age)
{
    char file[160];
    struct timespec times[2] = {{.tv_sec = 1000000 - age / 2, .tv_nsec = 100 - age % 2},
                                {.tv_sec = 1000000 - age / 2, .tv_nsec = 100 - age % 2}};

    snprintf(file, sizeof(file), "%s", where);
    assert_int_equal(state_write_file(file, "text"), 0);
    assert_int_equal(utimensat(AT_FDCWD, file, times, 0), 0);
}

static void leave_both(const char *name, unsigned int age)
{
    leave(state_path("console/%s.log", name), age);
    leave(state_path("ended/%s", name), age);
}

/* Its files; `how` where it ended. */
static bool is_left(const char *name)
{
    bool log = access(state_path("console/%s.log", name), F_OK) == 0;
    char *how = state_read_ended(name);

    assert_true(log == (how != NULL));
    free(how);
    return log;
}

static void the_newest_are_kept(void **state)
{
    uint32_t domid;
    char name[16];

    (void)state;
    for (unsigned int i = 0; i < CONSOLES_ENDED + 40; i++) {
        unsigned int age = i * 37 % (CONSOLES_ENDED + 40); /* in no order of names */

        snprintf(name, sizeof(name), "old%u", age);
        leave_both(name, age);
    }
    make_guest("web", "destroy", &domid);
    leave_both("web", 5000);
    make_guest("db", "destroy", &domid);
    assert_int_equal(restart_intend("db", domid), 0);
    assert_int_equal(unlink(state_path("names/db")), 0);
    leave_both("db", 5000);
    assert_int_equal(state_write_file(state_path("carried/db"), "256 0"), 0);
    assert_int_equal(state_write_file(state_path("carried/mail"), "256 0"), 0);
    leave(state_path("console/%s", "notes"), 5000);
    former_sweep();
    for (unsigned int i = 0; i < CONSOLES_ENDED + 40; i++) {
        snprintf(name, sizeof(name), "old%u", i);
        if (is_left(name) != (i < CONSOLES_ENDED))
            fail_msg("%s", name);
    }
    assert_true(is_left("web"));
    assert_true(is_left("db"));
    assert_int_equal(access(state_path("carried/db"), F_OK), 0);
    assert_int_equal(access(state_path("carried/mail"), F_OK), -1);
    assert_int_equal(access(state_path("console/notes"), F_OK), 0);
}

static void without_a_folder(void **state)
{
    (void)state;
    assert_int_equal(rmdir(state_path("carried")), 0);
    daemon_hear();
    former_sweep();
    assert_string_equal(daemon_heard(), "");
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {T(the_newest_are_kept), T(without_a_folder)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
