/* SPDX-License-Identifier: MIT */
/*
 * Why a domain is said to have ended: from the hypervisor's log, in which guests' words stand, too,
 * which loses what is old, and which grows while it is read.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "cause.h"
#include "daemon_support.h"

static void cause_is(const char *log, const char *how)
{
    const struct host_domain d = {.domid = 7, .shutdown = true, .shutdown_reason = SHUTDOWN_crash};
    char text[256];

    f->log = log;
    end_cause(&f->host, &d, text, sizeof(text));
    f->log = NULL;
    assert_string_equal(text, how);
}

/* Only what the hypervisor says itself is a cause, and it says nothing to a terminal. */
static void causes(void **state)
{
    (void)state;
    cause_is("", "crashed");
    cause_is("(parvis) [ 1.0] d7 (domain 7) crashed: no \x1b[2J handler\n"
             "(parvis) [ 1.1] d7 (domain 7) has ended: crash\n",
             "crashed: no ?[2J handler");
    cause_is("(parvis) [ 1.0] (d7) d7 (domain 7) crashed: by the control domain\n", "crashed");
    cause_is("(parvis) [ 1.0] (d7) x] d7 (domain 7) crashed: by the control domain\n"
             "(parvis) [ 1.1] d7 (domain 7) has ended: crash\n",
             "crashed: it reported this itself; its console may tell more");
    cause_is("(parvis) [ 1.0] d77 (domain 77) crashed: other\n", "crashed");
    cause_is("(parvis) [ 1.0] d8v0: no call says d7 (domain 7) crashed: so\n", "crashed");
    /* The number was another's before. */
    cause_is("(parvis) [ 1.0] d7 (domain 7) crashed: first\n"
             "(parvis) [ 9.0] d7 (domain 7) crashed: second\n",
             "crashed: second");
}

#define WORDS "(parvis) [ 1.0] d7 (domain 7) crashed: a guest's words\n"
#define ENDED "(parvis) [ 1.1] d7 (domain 7) has ended: crash\n"
#define ALONE "crashed: it reported this itself; its console may tell more"

/* A log that has lost something begins within a line, and that may be a guest's words. */
static void cause_of_a_full_log(void **state)
{
    static char log[70001] = "(parvis) [ 1.0] (d7) " WORDS ENDED;

    (void)state;
    cause_is(log, ALONE);
    f->log_lost = strlen("(parvis) [ 1.0] (d7) ");
    memset(log + strlen(log), '\n', sizeof(log) - 1 - strlen(log));
    cause_is(log, ALONE);
    f->log_lost = 1;
    cause_is(log, ALONE);
    /* It was cleared, and has lost nothing: what comes first is whole. */
    f->log_lost = strlen("(parvis) [ 1.0] (d7) ");
    log[f->log_lost + strlen(WORDS)] = '\0';
    cause_is(log, "crashed: a guest's words");
    /* Whether it has cannot be told where it cannot be read to its end. */
    f->fail_with = -EIO;
    f->fail_at = f->calls + 3;
    cause_is(log, "crashed");
    f->fail_at = 0;
    f->log_lost = 0;
    /* The reason is beyond one piece of it, and in two. */
    memset(log, '\n', sizeof(log) - 1);
    for (size_t at = 4000; at < 4200; at++) {
        memcpy(log + at, WORDS, strlen(WORDS));
        cause_is(log, "crashed: a guest's words");
        memset(log + at, '\n', strlen(WORDS));
    }
    memcpy(log + sizeof(log) - 1 - strlen(WORDS), WORDS, strlen(WORDS));
    cause_is(log, "crashed: a guest's words");
}

static unsigned int reads;

/* Behind the third read so much is written that the next bytes are within a guest's words. */
static void grows(struct fake_host *fake)
{
    if (++reads == 3)
        fake->log_lost = 20000 + strlen("(parvis) [ 1.0] (d7) ");
}

static void cause_of_a_log_that_grows(void **state)
{
    static char log[40001];

    (void)state;
    memset(log, '\n', sizeof(log) - 1);
    memcpy(log + 20000, "(parvis) [ 1.0] (d7) " WORDS, strlen("(parvis) [ 1.0] (d7) " WORDS));
    memcpy(log + 30000, ENDED, strlen(ENDED));
    f->log_read = grows;
    reads = 0;
    cause_is(log, ALONE);
    assert_true(reads > 3);
    f->log_read = NULL;
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(causes),
        T(cause_of_a_full_log),
        T(cause_of_a_log_that_grows),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
