/* SPDX-License-Identifier: MIT */
/*
 * resize on a pseudo-terminal: the test is the terminal, or a program in its place.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

int resize_main(void);

static int terminal, line; /* the two ends */
static struct termios before;

/* Runs resize on the line, whose terminal is the test. */
static pid_t start(void)
{
    pid_t pid;

    assert_int_equal(openpty(&terminal, &line, NULL, NULL, &(struct winsize){24, 80, 0, 0}), 0);
    assert_int_equal(tcgetattr(line, &before), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        setsid();
        ioctl(line, TIOCSCTTY, 0); /* what is put back is put into one's own terminal */
        dup2(line, STDIN_FILENO);
        dup2(line, STDOUT_FILENO);
        _exit(resize_main());
    }
    return pid;
}

static void hear_question(void)
{
    char text[64] = "";
    size_t len = 0;

    while (!strstr(text, "\033[6n\0338") && len + 1 < sizeof(text)) {
        ssize_t n = read(terminal, text + len, sizeof(text) - 1 - len);

        assert_true(n > 0);
        len += (size_t)n;
    }
    assert_non_null(strstr(text, "\0337\033[999;999H\033[6n\0338"));
}

static void type(const char *text)
{
    assert_int_equal(write(terminal, text, strlen(text)), strlen(text));
}

/* Its status; the line is as it was, but for its size. */
static int end_of(pid_t pid, struct winsize *size)
{
    struct termios after = {0}; /* it has gaps */
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    assert_int_equal(tcgetattr(line, &after), 0);
    assert_memory_equal(&after, &before, sizeof(before));
    assert_int_equal(ioctl(line, TIOCGWINSZ, size), 0);
    return WEXITSTATUS(status);
}

/* What is still to be read on the line. */
static void left_is(const char *text)
{
    char have[256];
    struct termios raw = before;
    struct pollfd p = {.fd = line, .events = POLLIN};
    ssize_t n;

    cfmakeraw(&raw);
    tcsetattr(line, TCSANOW, &raw);
    n = poll(&p, 1, 200) > 0 ? read(line, have, sizeof(have) - 1) : 0;
    assert_true(n >= 0);
    have[n] = '\0';
    assert_string_equal(have, text);
    close(line);
    close(terminal);
}

static void takes_the_answer(void **state)
{
    struct winsize size;
    pid_t pid = start();

    (void)state;
    hear_question();
    type("\033[40;1");
    type("32R");
    assert_int_equal(end_of(pid, &size), 0);
    assert_int_equal(size.ws_row, 40);
    assert_int_equal(size.ws_col, 132);
    left_is("");
}

/* May a program put characters back here? Kernels can be told to refuse it. */
static bool may_put_back(void)
{
    int here, there, status;
    pid_t pid;

    if (openpty(&here, &there, NULL, NULL, NULL))
        return false;
    pid = fork();
    if (pid == 0) {
        setsid();
        ioctl(there, TIOCSCTTY, 0);
        _exit(ioctl(there, TIOCSTI, "x") < 0);
    }
    waitpid(pid, &status, 0);
    close(here);
    close(there);
    return status == 0;
}

static void gives_back_what_was_typed(void **state)
{
    struct winsize size;
    pid_t pid;

    (void)state;
    if (!may_put_back())
        skip();
    pid = start();
    hear_question();
    type("pvctl \033[A\033[30;100Rlist\r");
    assert_int_equal(end_of(pid, &size), 0);
    assert_int_equal(size.ws_row, 30);
    left_is("pvctl \033[Alist\n"); /* as the line makes of it */
}

static void a_program_answers_nothing(void **state)
{
    struct winsize size;
    pid_t pid = start();

    (void)state;
    hear_question();
    if (may_put_back()) {
        type("ls\033[4");
        assert_int_equal(end_of(pid, &size), 1);
        left_is("ls"); /* and not the half of an answer */
    } else {
        assert_int_equal(end_of(pid, &size), 1);
        left_is("");
    }
    assert_int_equal(size.ws_row, 24);
    assert_int_equal(size.ws_col, 80);
}

/* Answers that are none: sizes of 0, too large, words. */
static void no_size_is_taken_from_others(void **state)
{
    static const char *const others[] = {"\033[0;0R", "\033[12345;80R", "\033[40R",
                                         "\033[40;R", "\033[?1;2c",     "\033[40;132n"};

    (void)state;
    for (size_t i = 0; i < sizeof(others) / sizeof(others[0]); i++) {
        struct winsize size;
        pid_t pid = start();

        hear_question();
        type(others[i]);
        assert_int_equal(end_of(pid, &size), 1);
        assert_int_equal(size.ws_row, 24);
        close(line);
        close(terminal);
    }
}

static void who_types_ahead_is_not_asked(void **state)
{
    struct pollfd p;
    struct winsize size;
    int status;
    pid_t pid;

    (void)state;
    assert_int_equal(openpty(&terminal, &line, NULL, NULL, NULL), 0);
    tcgetattr(line, &before);
    before.c_lflag &= ~(tcflag_t)ECHO;
    tcsetattr(line, TCSANOW, &before);
    type("ls\n");
    pid = fork();
    if (pid == 0) {
        dup2(line, STDIN_FILENO);
        dup2(line, STDOUT_FILENO);
        _exit(resize_main());
    }
    status = end_of(pid, &size);
    assert_int_equal(status, 0);
    p = (struct pollfd){.fd = terminal, .events = POLLIN};
    assert_int_equal(poll(&p, 1, 0), 0); /* nothing was written */
    left_is("ls\n");
}

static void says_what_is_no_terminal(void **state)
{
    int status;
    pid_t pid = fork();

    (void)state;
    if (pid == 0) {
        int nowhere = open("/dev/null", O_RDWR);

        dup2(nowhere, STDIN_FILENO);
        dup2(nowhere, STDERR_FILENO);
        _exit(resize_main());
    }
    waitpid(pid, &status, 0);
    assert_true(WIFEXITED(status));
    assert_int_equal(WEXITSTATUS(status), 2);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(takes_the_answer),
        cmocka_unit_test(gives_back_what_was_typed),
        cmocka_unit_test(a_program_answers_nothing),
        cmocka_unit_test(no_size_is_taken_from_others),
        cmocka_unit_test(who_types_ahead_is_not_asked),
        cmocka_unit_test(says_what_is_no_terminal),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
