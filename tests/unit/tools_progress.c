/* SPDX-License-Identifier: MIT */
/*
 * Progress: on a terminal, after a while, and taken away again; elsewhere not a byte. A kernel that
 * is long in unpacking shows it, in whatever format.
 */
#define _GNU_SOURCE
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/wait.h>
#include <stdbool.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "../fuzz/kernel_pack.h"
#include "progress.h"
#include "unpack.h"

#define CONTENT (4u << 20)

/* Each look at the clock takes so long. */
static time_t look_takes;

int __real_clock_gettime(clockid_t clock, struct timespec *t);
int __wrap_clock_gettime(clockid_t clock, struct timespec *t);

int __wrap_clock_gettime(clockid_t clock, struct timespec *t)
{
    static time_t later;

    later += look_takes;
    if (__real_clock_gettime(clock, t))
        return -1;
    t->tv_sec += later;
    return 0;
}

/* Standard output is elsewhere. */
static bool only_error;

/* Does the work of a test with standard error at `fd`. */
static void work(int fd)
{
    int old = dup(STDERR_FILENO), out = dup(STDOUT_FILENO);

    dup2(fd, STDERR_FILENO);
    if (fd >= 0 && !only_error)
        dup2(fd, STDOUT_FILENO);
    progress("web", "memory", 0, 200);
    usleep(1100 * 1000); /* longer than it is patient */
    progress("web", "memory", 50, 200);
    progress("web", "memory", 200, 200);
    dup2(out, STDOUT_FILENO);
    dup2(old, STDERR_FILENO);
    close(out);
    close(old);
}

/* What is shown on a terminal by what a function does with it as standard error. */
static void shown(void (*fn)(int fd), char *got, size_t room)
{
    int master = posix_openpt(O_RDWR | O_NOCTTY), slave;
    size_t n = 0;
    ssize_t more;

    if (master < 0 || grantpt(master) || unlockpt(master))
        skip();
    slave = open(ptsname(master), O_RDWR | O_NOCTTY);
    assert_true(slave >= 0);
    fn(slave);
    close(slave);
    /* It comes in pieces, and ends in an error: nobody has the terminal any more. */
    while ((more = read(master, got + n, room - 1 - n)) > 0)
        n += (size_t)more;
    got[n] = '\0';
    close(master);
}

static void on_a_terminal(void **state)
{
    char got[128];

    (void)state;
    shown(work, got, sizeof(got));
    assert_string_equal(got, "\rweb: memory 25 %\r\033[K");
}

static uint8_t content[CONTENT], packed[2 * CONTENT];
static size_t packed_size;

static void unpack_it(int fd)
{
    const struct unpacker *u = unpack_recognise(packed, packed_size);
    int old = dup(STDERR_FILENO), was = dup(STDOUT_FILENO), rc;
    struct error e = {0};
    uint8_t *out;
    size_t size;

    dup2(fd, STDERR_FILENO);
    dup2(fd, STDOUT_FILENO);
    look_takes = 2;
    rc = unpack(u, packed, packed_size, "vmlinuz", CONTENT, &out, &size, &e);
    look_takes = 0;
    dup2(was, STDOUT_FILENO);
    dup2(old, STDERR_FILENO);
    close(was);
    close(old);
    assert_int_equal(rc, 0);
    assert_int_equal(size, CONTENT);
    assert_memory_equal(out, content, CONTENT);
    free(out);
}

static void a_kernel_is_unpacked(void **state)
{
    static const char begins[] = "\rvmlinuz: unpacking ", ends[] = " %\r\033[K";

    (void)state;
    for (size_t i = 0; i < CONTENT; i++)
        content[i] = rand() & 0x0f;
    for (unsigned int format = PACK_GZIP; format < PACK_FORMATS; format++) {
        char got[1024];

        packed_size = kernel_pack(format, content, CONTENT, packed, sizeof(packed));
        assert_true(packed_size > 0);
        shown(unpack_it, got, sizeof(got));
        if (strncmp(got, begins, strlen(begins)) != 0 ||
            strcmp(got + strlen(got) - strlen(ends), ends) != 0)
            fail_msg("format %u shows: %s", format, got);
    }
}

/* A pipe of either gets nothing: not what is printed beside it, not a script's reader. */
static void output_in_a_pipe(void **state)
{
    int p[2], old = dup(STDOUT_FILENO);
    char got[128];

    (void)state;
    assert_int_equal(pipe(p), 0);
    dup2(p[1], STDOUT_FILENO);
    only_error = true;
    shown(work, got, sizeof(got));
    only_error = false;
    dup2(old, STDOUT_FILENO);
    assert_string_equal(got, "");
    close(p[0]);
    close(p[1]);
    close(old);
}

static void wait_a_while(int fd)
{
    struct pollfd none = {.fd = -1};
    int old = dup(STDERR_FILENO), out = dup(STDOUT_FILENO);

    dup2(fd, STDERR_FILENO);
    dup2(fd, STDOUT_FILENO);
    assert_int_equal(progress_poll(&none, 1, 1200, "web", "waiting"), 0);
    dup2(out, STDOUT_FILENO);
    dup2(old, STDERR_FILENO);
    close(out);
    close(old);
}

static void of_a_wait(void **state)
{
    static const char begins[] = "\rweb: waiting, 0 s\rweb: waiting, 1 s", ends[] = "\r\033[K";
    char got[256];

    (void)state;
    shown(wait_a_while, got, sizeof(got));
    if (strncmp(got, begins, strlen(begins)) != 0 ||
        strcmp(got + strlen(got) - strlen(ends), ends) != 0)
        fail_msg("it shows: %s", got);
}

/* A signal that ends the process leaves no line behind. */
static void is_ended(int fd)
{
    pid_t pid = fork();
    int status;

    if (pid == 0) {
        struct pollfd none = {.fd = -1};

        dup2(fd, STDERR_FILENO);
        dup2(fd, STDOUT_FILENO);
        signal(SIGALRM, SIG_DFL);
        signal(SIGTERM, SIG_DFL);
        if (fork() == 0) {
            usleep(900 * 1000);
            kill(getppid(), SIGTERM);
            _exit(0);
        }
        progress_poll(&none, 1, 60000, "web", "waiting");
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

static void ended_by_a_signal(void **state)
{
    char got[256];

    (void)state;
    shown(is_ended, got, sizeof(got));
    assert_string_equal(got + strlen(got) - 4, "\r\033[K");
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
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(on_a_terminal),     cmocka_unit_test(a_kernel_is_unpacked),
        cmocka_unit_test(output_in_a_pipe),  cmocka_unit_test(of_a_wait),
        cmocka_unit_test(ended_by_a_signal), cmocka_unit_test(elsewhere)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
