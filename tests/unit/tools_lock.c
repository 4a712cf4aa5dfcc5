/* SPDX-License-Identifier: MIT */
/*
 * A lock that somebody else has: who waits is told who that is, on a terminal while it lasts, and
 * in the error that comes of it.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "limit.h"
#include "lock.h"
#include "lock_holder.h"
#include "state.h"
#include "store.h"

static char path[32]; /* of the lock */
static int lock;      /* open there */
static pid_t holder;
static unsigned int limits; /* of waiting, so many */

void __real_limit_set(unsigned int ms);
void __wrap_limit_set(unsigned int ms);

/* Nobody waits long here. */
void __wrap_limit_set(unsigned int ms)
{
    limits++;
    __real_limit_set(ms < 10 ? ms : 10);
}

static int setup(void **state)
{
    (void)state;
    lock = memfd_create("lock", 0);
    snprintf(path, sizeof(path), "/proc/self/fd/%d", lock);
    return lock < 0;
}

static int teardown(void **state)
{
    (void)state;
    if (holder) {
        kill(holder, SIGKILL);
        waitpid(holder, NULL, 0);
    }
    holder = 0;
    return close(lock);
}

/* By a process that was started so, as what is a whole program then. */
static void held_by(const char *command, bool stopped)
{
    int ends[2], status;
    char byte;

    assert_int_equal(pipe2(ends, O_CLOEXEC), 0);
    holder = fork();
    assert_true(holder >= 0);
    if (holder == 0) {
        if (lock_take_open(lock, 0) == 0)
            execl("/bin/sleep", command, "1000", (char *)NULL);
        _exit(1);
    }
    close(ends[1]);
    assert_int_equal(read(ends[0], &byte, 1), 0);
    close(ends[0]);
    if (!stopped)
        return;
    kill(holder, SIGSTOP);
    assert_int_equal(waitpid(holder, &status, WUNTRACED), holder);
    assert_true(WIFSTOPPED(status));
}

static void refused_with(const char *text)
{
    char wanted[256];
    struct error e = {0};
    int rc = lock_take(path, 600);

    assert_int_equal(rc, -EBUSY);
    assert_int_equal(lock_refused(&e, rc, path), -EBUSY);
    snprintf(wanted, sizeof(wanted), text, path, (int)holder);
    assert_string_equal(e.text, wanted);
}

static void holder_is_named(void **state)
{
    (void)state;
    held_by("pvctl", false);
    refused_with("%s: process %d (pvctl 1000) has it still");
}

/* It would keep all waiting for as long as they care to. */
static void stopped_one_is_told_so(void **state)
{
    (void)state;
    held_by("pvctl", true);
    refused_with("%s: stopped process %d (pvctl 1000) has it still");
}

/* Who starts a program names it as he likes. */
static void names_do_no_harm(void **state)
{
    (void)state;
    held_by("\033[2J\n123456789 123456789 123456789 123456789 123456789", false);
    refused_with("%s: process %d (?[2J?123456789 123456789 123456789 12345) has it still");
}

static void nobody_is_named(void **state)
{
    char out[LOCK_HOLDER];
    struct error e = {0};
    struct stat st;

    (void)state;
    assert_int_equal(fstat(lock, &st), 0);
    lock_holder(&st, out);
    assert_string_equal(out, "another process");
    assert_int_equal(lock_refused(&e, -ENOSPC, path), -ENOSPC);
    assert_non_null(strstr(e.text, "No space left"));
}

/* Standard error, and output, are the terminal, or standard output is not; waits so long. */
static void shown(bool both, unsigned int ms, char *got, size_t size)
{
    int old = dup(STDERR_FILENO), out = dup(STDOUT_FILENO), ours, theirs, rc;
    size_t n = 0;

    assert_int_equal(openpty(&ours, &theirs, NULL, NULL, NULL), 0);
    fflush(NULL);
    dup2(theirs, STDERR_FILENO);
    dup2(both ? theirs : lock, STDOUT_FILENO);
    rc = lock_take(path, ms);
    dup2(out, STDOUT_FILENO);
    dup2(old, STDERR_FILENO);
    close(out);
    close(old);
    assert_int_equal(write(theirs, ".", 1), 1);
    close(theirs);
    while (n < size - 1 && read(ours, got + n, 1) == 1)
        n++;
    got[n] = '\0';
    close(ours);
    assert_int_equal(rc, -EBUSY);
}

static void terminal_is_told(void **state)
{
    char got[256], wanted[256];

    (void)state;
    held_by("pvctl", true);
    snprintf(wanted, sizeof(wanted), "\r\033[Kwaiting for stopped process %d (pvctl 1000)\r\033[K.",
             (int)holder);
    shown(true, LOCK_LIMIT_MS, got, sizeof(got));
    assert_string_equal(got, wanted);
    shown(false, LOCK_LIMIT_MS, got, sizeof(got));
    assert_string_equal(got, ".");
    shown(true, 500, got, sizeof(got)); /* too short to be told of */
    assert_string_equal(got, ".");
    shown(true, 0, got, sizeof(got));
    assert_string_equal(got, ".");
}

static int begin(struct host *h, host_txn_t *t)
{
    (void)h;
    *t = 1;
    return 0;
}

static int end(struct host *h, host_txn_t t, bool abort)
{
    (void)h, (void)t, (void)abort;
    return 0;
}

static int count(struct host *h, host_txn_t t, void *done)
{
    (void)h, (void)t;
    ++*(int *)done;
    return 0;
}

/* Whose turn it is in the store, and is stopped, is waited for once, and no more; all is written.
 */
static void goes_on_out_of_turn(void **state)
{
    static const struct host_ops ops = {.store_begin = begin, .store_end = end};
    char dir[] = "/tmp/parvis-test-lock-XXXXXX";
    struct host h = {.ops = &ops};
    int done = 0, held;

    (void)state;
    assert_non_null(mkdtemp(dir));
    setenv("PARVIS_RUN", dir, 1);
    held = lock_take(state_path("store.lock"), 0);
    assert_true(held >= 0);
    limits = 0;
    for (int i = 1; i < 4; i++) {
        assert_int_equal(store_transaction(&h, count, &done), 0);
        assert_int_equal(done, i);
        assert_int_equal(limits, 2); /* in the midst of it it is said who that is */
    }
    close(held);
    assert_int_equal(unlink(state_path("store.lock")), 0);
    assert_int_equal(rmdir(dir), 0);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(holder_is_named), T(stopped_one_is_told_so), T(names_do_no_harm),
        T(nobody_is_named), T(terminal_is_told),       T(goes_on_out_of_turn),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
