/* SPDX-License-Identifier: MIT */
/*
 * Progress: on a terminal, after a while, and taken away again; elsewhere not a byte.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include <cmocka.h>

#include "progress.h"

/* Does the work of a test with standard error at `fd`. */
static void work(int fd)
{
    int old = dup(STDERR_FILENO);

    dup2(fd, STDERR_FILENO);
    progress("web", "memory", 0, 200);
    usleep(1100 * 1000); /* longer than it is patient */
    progress("web", "memory", 50, 200);
    progress("web", "memory", 200, 200);
    dup2(old, STDERR_FILENO);
    close(old);
}

static void on_a_terminal(void **state)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
    char got[128] = "";
    ssize_t n = 0, more;

    (void)state;
    if (master < 0 || grantpt(master) || unlockpt(master))
        skip();
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    work(slave);
    close(slave);
    /* It comes in pieces, and ends in an error: nobody has the terminal any more. */
    while ((more = read(master, got + n, sizeof(got) - 1 - (size_t)n)) > 0)
        n += more;
    assert_string_equal(got, "\rweb: memory 25 %\r\033[K");
    close(master);
}

static void elsewhere(void **state)
{
    int p[2];

    (void)state;
    assert_int_equal(pipe(p), 0);
    assert_int_equal(fcntl(p[0], F_SETFL, O_NONBLOCK), 0);
    work(p[1]);
    assert_int_equal(read(p[0], &(char){0}, 1), -1);
    close(p[0]);
    close(p[1]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(on_a_terminal),
                                       cmocka_unit_test(elsewhere)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
