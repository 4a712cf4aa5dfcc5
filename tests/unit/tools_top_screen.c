/* SPDX-License-Identifier: MIT */
/*
 * The screen of pvctl top, on a terminal of any size, with many domains and none, and how it is
 * left.
 */
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ioctl.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include "lifecycle_support.h"

int pvctl_main(int argc, char **argv);

static struct host_ops many_ops;
static unsigned int many;

/* As many as are wanted. */
static int list_many(struct host *h, uint32_t first, struct host_domain *out, unsigned int max,
                     unsigned int *count)
{
    (void)h;
    *count = 0;
    for (uint32_t id = first; id < many && *count < max; id++)
        out[(*count)++] = (struct host_domain){
            .domid = id, .nr_pages = id, .max_pages = id, .cpu_time_ns = id * UINT64_C(1000000000)};
    return 0;
}

/* Starts it on a terminal of this size. */
static int start_screen(unsigned short rows, unsigned short columns, const char *type, pid_t *pid)
{
    struct winsize size = {.ws_row = rows, .ws_col = columns};
    int fd;

    *pid = forkpty(&fd, NULL, NULL, &size);
    assert_true(*pid >= 0);
    if (*pid == 0) {
        char *argv[] = {"pvctl", "top", "-d", "1", NULL};

        signal(SIGINT, SIG_DFL); /* whoever runs the tests in the background ignores it */
        unsetenv("LINES");
        unsetenv("COLUMNS");
        setenv("TERM", type, 1);
        many_ops = *f->host.ops;
        many_ops.domain_list = list_many;
        f->host.ops = &many_ops;
        exit(pvctl_main(4, argv));
    }
    return fd;
}

/* Takes in what it draws until that holds the text; "" = until it ends. */
static bool draws_text(int fd, const char *text, char *all, size_t size)
{
    size_t n = strlen(all);
    time_t limit = time(NULL) + 120; /* it goes on drawing */

    while (!*text || !strstr(all, text)) {
        struct pollfd p = {.fd = fd, .events = POLLIN};
        ssize_t got;

        if (time(NULL) > limit || poll(&p, 1, 60000) <= 0)
            return false;
        got = read(fd, all + n, size - 1 - n);
        if (got <= 0)
            return !*text;
        n += (size_t)got;
        if (n > size / 2) { /* the newer half is enough */
            memmove(all, all + n / 2, n - n / 2);
            n -= n / 2;
        }
        all[n] = '\0';
    }
    return true;
}

static void key(int fd, const char *text)
{
    assert_int_equal(write(fd, text, strlen(text)), strlen(text));
}

static void ends_with(pid_t pid, int fd, int status, char *all, size_t size)
{
    int is;

    assert_true(draws_text(fd, "", all, size));
    assert_int_equal(waitpid(pid, &is, 0), pid);
    close(fd);
    if (!WIFEXITED(is) || WEXITSTATUS(is) != status)
        fail_msg("it ended with %#x: %s", is, all);
}

static void screens(void **state)
{
    static const unsigned short sizes[][2] = {{1, 1}, {2, 5}, {4, 20}, {24, 80}, {60, 250}};
    static const unsigned int domains[] = {0, 1, 200};
    static char all[65536];

    (void)state;
    for (size_t i = 0; i < 5; i++) {
        for (size_t k = 0; k < 3; k++) {
            pid_t pid;
            int fd;

            many = domains[k];
            all[0] = '\0';
            fd = start_screen(sizes[i][0], sizes[i][1], "xterm", &pid);
            if (sizes[i][1] >= 80)
                assert_true(draws_text(fd, "pvctl top", all, sizeof(all)));
            else
                assert_true(draws_text(fd, "\033", all, sizeof(all)));
            /* Sorted, scrolled in each direction and too far, help, another delay. */
            key(fd, "sSssS\033[B\033[B\033[A\033[6~\033[6~\033[5~\033[C\033[C\033[D\033[H h h");
            key(fd, "d77\nd0\n");
            key(fd, "q");
            ends_with(pid, fd, 0, all, sizeof(all));
        }
    }
}

static void a_screen_that_changes(void **state)
{
    struct winsize size = {.ws_row = 7, .ws_col = 33};
    static char all[65536];
    pid_t pid;
    int fd;

    (void)state;
    many = 200;
    all[0] = '\0';
    fd = start_screen(24, 80, "vt100", &pid);
    assert_true(draws_text(fd, "200 domains", all, sizeof(all)));
    assert_true(draws_text(fd, "(domain-12", all, sizeof(all))); /* what fits */
    assert_null(strstr(all, "(domain-60"));
    assert_int_equal(ioctl(fd, TIOCSWINSZ, &size), 0);
    key(fd, "\033[6~h q");
    ends_with(pid, fd, 0, all, sizeof(all));
    all[0] = '\0';
    fd = start_screen(24, 80, "vt100", &pid);
    assert_true(draws_text(fd, "200 domains", all, sizeof(all)));
    close(fd); /* the terminal hangs up */
    assert_int_equal(waitpid(pid, NULL, 0), pid);
}

/* Ctrl-C leaves as q does, and whoever waits sees a process that ended of it. */
static void a_signal_ends_the_screen(void **state)
{
    static char all[65536];
    pid_t pid;
    int fd, is;

    (void)state;
    many = 1;
    all[0] = '\0';
    fd = start_screen(24, 80, "xterm", &pid);
    assert_true(draws_text(fd, "1 domain: ", all, sizeof(all)));
    key(fd, "\003");
    assert_true(draws_text(fd, "", all, sizeof(all)));
    assert_int_equal(waitpid(pid, &is, 0), pid);
    close(fd);
    assert_true(WIFSIGNALED(is) && WTERMSIG(is) == SIGINT);
    assert_non_null(strstr(all, "\033[?1049l"));
}

static void no_screen(void **state)
{
    static char all[8192];
    pid_t pid;
    int fd;

    (void)state;
    all[0] = '\0';
    fd = start_screen(24, 80, "no-such-terminal", &pid);
    ends_with(pid, fd, 1, all, sizeof(all));
    assert_non_null(strstr(all, "pvctl: this terminal, no-such-terminal, is not known here"));
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(screens, lifecycle_setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(a_screen_that_changes, lifecycle_setup, lifecycle_teardown),
        cmocka_unit_test_setup_teardown(a_signal_ends_the_screen, lifecycle_setup,
                                        lifecycle_teardown),
        cmocka_unit_test_setup_teardown(no_screen, lifecycle_setup, lifecycle_teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
