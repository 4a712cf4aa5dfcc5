/* SPDX-License-Identifier: MIT */
/*
 * The daemon as a program, on the model of the machine: it starts, serves, says why when it cannot,
 * goes to the background, acts on what it is told, and ends on a signal with nothing left open.
 *
 * Each daemon is a process with a copy of the model. What it prints goes to a file, so that one
 * that is left over by a test that failed holds nobody up; it is killed when the test is over.
 */
#define _GNU_SOURCE /* struct ucred */
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/prctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/sched.h>

#include "daemon.h"
#include "daemon_support.h"
#include "log.h"
#include "state.h"

#define PATIENCE_MS 20000

static unsigned int *polls; /* of all daemons */

int __real_poll(struct pollfd *p, nfds_t n, int timeout);
int __wrap_poll(struct pollfd *p, nfds_t n, int timeout);

int __wrap_poll(struct pollfd *p, nfds_t n, int timeout)
{
    ++*polls;
    return __real_poll(p, n, timeout);
}

int parvisd_main(int argc, char **argv); /* main() of parvisd.c, by another name */

static bool no_machine;

int host_open_xen(struct host **out, struct error *e)
{
    if (no_machine)
        return error_set(e, -ENODEV, "no machine");
    *out = &f->host;
    return 0;
}

/* ---- processes ---- */

static pid_t daemons[16];
static unsigned int nr_daemons;

static pid_t remember(pid_t pid)
{
    assert_true(nr_daemons < 16);
    return daemons[nr_daemons++] = pid;
}

static void kill_all(void)
{
    while (nr_daemons > 0)
        kill(daemons[--nr_daemons], SIGKILL);
    while (waitpid(-1, NULL, 0) > 0) {
    }
}

/* What it prints is in its.out; its exit status is ended()'s. */
static pid_t start(const char *a, const char *b, const char *c, const char *d)
{
    char *argv[] = {(char *)(uintptr_t) "parvisd", (char *)(uintptr_t)a, (char *)(uintptr_t)b,
                    (char *)(uintptr_t)c,          (char *)(uintptr_t)d, NULL};
    int argc = 1;
    pid_t pid;

    while (argv[argc])
        argc++;
    fflush(stdout);
    pid = fork();
    if (pid == 0) {
        int out = open(state_path("its.out"), O_RDWR | O_CREAT | O_TRUNC | O_APPEND, 0600);

        dup2(out, STDOUT_FILENO);
        dup2(out, STDERR_FILENO);
        exit(parvisd_main(argc, argv));
    }
    assert_true(pid > 0);
    return remember(pid);
}

static int ended(pid_t pid)
{
    int status;

    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFEXITED(status));
    return WEXITSTATUS(status);
}

static void ends(pid_t pid)
{
    kill(pid, SIGTERM);
    assert_int_equal(ended(pid), 0);
    assert_int_not_equal(access(state_path("parvisd.sock"), F_OK), 0);
}

static const char *text_of(const char *name)
{
    static char text[4096];
    FILE *file = fopen(state_path("%s", name), "r");
    size_t n = file ? fread(text, 1, sizeof(text) - 1, file) : 0;

    text[n] = '\0';
    if (file)
        fclose(file);
    return text;
}

static void says(const char *name, const char *what)
{
    for (int ms = 0; !strstr(text_of(name), what); ms += 10) {
        if (ms > PATIENCE_MS)
            fail_msg("%s does not say '%s' but: %s", name, what, text_of(name));
        usleep(10000);
    }
}

/* It serves when it answers; that it answers a refusal is no matter. */
static void serves(void)
{
    struct error e = {0};

    assert_true(daemon_ask(D_HISTORY, "nobody", &e) < 0);
    assert_int_equal(e.code, -EPROTO);
}

static pid_t serving(const char *log)
{
    pid_t pid = start("--foreground", log ? "--log" : NULL, log, NULL);

    serves();
    return pid;
}

/* ---- how it starts ---- */

static void command_line(void **state)
{
    (void)state;
    assert_int_equal(ended(start("--help", NULL, NULL, NULL)), 0);
    says("its.out", "usage: parvisd [--foreground]");
    assert_int_equal(ended(start("--version", NULL, NULL, NULL)), 0);
    says("its.out", "parvisd ");
    assert_int_equal(ended(start("--nonsense", NULL, NULL, NULL)), 2);
    assert_string_equal(text_of("its.out"),
                        "parvisd: unknown argument --nonsense; `parvisd --help` explains\n");
    assert_int_equal(ended(start("--foreground", "--log", NULL, NULL)), 2);
    assert_string_equal(text_of("its.out"),
                        "parvisd: missing value of --log; `parvisd --help` explains\n");
    assert_int_equal(ended(start("--foreground", "--log", "/nonexistent/log", NULL)), 1);
    assert_string_equal(text_of("its.out"),
                        "parvisd: /nonexistent/log: No such file or directory\n");
}

/* One start that is refused in the foreground, with this line. */
static void refused(const char *why)
{
    assert_int_equal(ended(start("--foreground", NULL, NULL, NULL)), 1);
    says("its.out", why);
}

static void what_keeps_it_from_starting(void **state)
{
    char log[128];
    pid_t pid;

    (void)state;
    assert_int_equal(mkdir(state_path("parvisd.lock"), 0700), 0);
    refused("parvisd.lock: Is a directory\n");
    assert_int_equal(rmdir(state_path("parvisd.lock")), 0);
    no_machine = true;
    refused("parvisd: no machine\n");
    no_machine = false;
    f->fail_at = 1; /* the watch */
    refused("parvisd: watching @releaseDomain: not enough memory\n");
    f->fail_at = 0;
    assert_int_equal(mkdir(state_path("parvisd.sock"), 0700), 0);
    refused("parvisd.sock: Address already in use\n");
    assert_int_equal(rmdir(state_path("parvisd.sock")), 0);
    pid = serving(NULL);
    snprintf(log, sizeof(log), "%s", state_path("second"));
    assert_int_equal(ended(start("--foreground", "--log", log, NULL)), 1);
    says("second", "parvisd: another parvisd is running (");
    ends(pid);
}

static off_t size_of(const char *name)
{
    struct stat st;

    return stat(state_path("%s", name), &st) < 0 ? -1 : st.st_size;
}

/* A log that is full is put aside once, and what is said from then on is in the new one. */
static void its_log_has_a_limit(void **state)
{
    char *much = calloc(1, LOG_BYTES + 1), log[128];
    struct error e = {0};
    pid_t pid;
    int fd;

    (void)state;
    memset(much, 'x', LOG_BYTES);
    snprintf(log, sizeof(log), "%s", state_path("log"));
    assert_int_equal(state_write_file(log, much), 0);
    assert_int_equal(state_write_file(state_path("log.old"), "older"), 0);
    pid = serving(log);
    assert_int_equal(size_of("log.old"), LOG_BYTES);
    assert_int_equal(size_of("log"), 0);
    assert_int_equal(
        symlink("making.99999999/01000000-0000-0000-0000-000000000000", state_path("names/odd")),
        0);
    fd = daemon_ask(D_MAKE, "odd", &e);
    assert_true(fd >= 0);
    close(fd);
    says("log", "odd: process 99999999 ended before it had made it");
    assert_int_equal(size_of("log.old"), LOG_BYTES);
    ends(pid);
    /* Not even where it cannot be put aside is anything else touched. */
    assert_int_equal(unlink(state_path("log.old")), 0);
    assert_int_equal(mkdir(state_path("log.old"), 0700), 0);
    assert_int_equal(state_write_file(log, much), 0);
    pid = serving(log);
    assert_int_equal(size_of("log"), LOG_BYTES);
    /* When as much has come again it can be. */
    assert_int_equal(rmdir(state_path("log.old")), 0);
    fd = open(log, O_WRONLY | O_APPEND);
    assert_int_equal(write(fd, much, LOG_BYTES), LOG_BYTES);
    close(fd);
    for (int turn = 0; turn < 2; turn++)
        assert_int_equal(daemon_ask(D_OK, "?", &e), -EPROTO);
    assert_int_equal(size_of("log.old"), 2 * LOG_BYTES);
    assert_int_equal(size_of("log"), 0);
    ends(pid);
    free(much);
}

/* Who started it goes on when it serves. */
static void in_the_background(void **state)
{
    struct ucred who;
    socklen_t size = sizeof(who);
    pid_t starter = start("--pvctl", "/bin/false", NULL, NULL);
    struct error e = {0};
    int fd;

    (void)state;
    assert_int_equal(ended(starter), 0);
    fd = daemon_connect(&e);
    assert_true(fd >= 0);
    assert_int_equal(getsockopt(fd, SOL_SOCKET, SO_PEERCRED, &who, &size), 0);
    close(fd);
    assert_int_not_equal(remember(who.pid), starter);
    assert_int_not_equal(getsid(who.pid), getsid(0));
    ends(who.pid); /* we are its parent now */
    assert_int_equal(access(state_path("parvisd.log"), F_OK), 0);
}

/* ... and is told when it can't. */
static void not_in_the_background(void **state)
{
    (void)state;
    no_machine = true;
    assert_int_equal(ended(start(NULL, NULL, NULL, NULL)), 1);
    assert_string_equal(text_of("its.out"), "parvisd: no machine\n");
    no_machine = false;
    assert_int_equal(ended(start("--log", "/nonexistent/log", NULL, NULL)), 1);
    says("its.out", "parvisd: /nonexistent/log: No such file or directory\n");
}

/* ---- what it is told ---- */

static uint32_t web;
static int tell[2]; /* a byte to the daemon: the store has an event */

static void web_ends(struct fake_host *machine)
{
    fake_shutdown(machine, web, SHUTDOWN_poweroff);
}

/* A domain that is to live again ends; the child that should make it ends at once. */
static void a_domain_ends(void **state)
{
    pid_t pid;

    (void)state;
    make_guest("web", "restart", &web);
    assert_int_equal(state_write_file(state_path("carried/db"), "256 0"), 0);
    f->store_event = web_ends;
    pid = start("--foreground", "--pvctl", "/bin/false", NULL);
    serves();
    assert_int_equal(access(state_path("carried/db"), F_OK), -1); /* a former daemon's */
    kill(pid, SIGCHLD);                                           /* nobody has ended: it goes on */
    serves();
    assert_int_equal(write(tell[1], "e", 1), 1);
    says("ended/web", "powered off; not created again: it ended without a message");
    ends(pid);
}

static void web_ends_unseen(struct fake_host *machine)
{
    web_ends(machine);
    machine->fail_at = machine->calls + 1; /* the list of domains */
}

/* What could not be listed is looked at again. */
static void a_domain_ends_unseen(void **state)
{
    pid_t pid;

    (void)state;
    make_guest("web", "destroy", &web);
    f->store_event = web_ends_unseen;
    pid = serving(NULL);
    assert_int_equal(write(tell[1], "e", 1), 1);
    says("ended/web", "powered off");
    ends(pid);
}

static void web_prints(struct fake_host *machine)
{
    for (unsigned int i = 0; i < FAKE_PORTS; i++)
        fake_fire(machine, i);
}

/* A daemon, and a domain whose hello it has taken. */
static pid_t serving_what_prints(void)
{
    struct xencons_interface *ring = make_guest("web", "destroy", &web);
    pid_t pid;

    f->store_event = web_prints;
    pid = serving(NULL);
    say(ring, "hello", 5);
    assert_int_equal(write(tell[1], "e", 1), 1);
    while (ring->out_cons != ring->out_prod)
        usleep(1000);
    return pid;
}

/* Its console is kept in a file when the daemon is told to end. */
static void a_domain_prints(void **state)
{
    (void)state;
    ends(serving_what_prints());
    says("console/web.log", "hello");
}

/* Who has nothing to do sleeps, and does not look again and again: neither at a console that said
 * something, nor for a clock that stands still. */
static void idle_it_sleeps(void **state)
{
    pid_t pid = serving_what_prints();
    unsigned int before;

    (void)state;
    serves();
    before = *polls;
    usleep(100000);
    assert_in_range(*polls, before, before + 4);
    ends(pid);
}

static int store_link[2];

static void store_ends(struct fake_host *machine)
{
    (void)machine;
    close(store_link[1]);
}

/* It has answered what was asked before. */
static void store_answers(struct fake_host *machine)
{
    machine->store_dead = machine->store_slow = false;
}

static void store_is_gone(struct fake_host *machine)
{
    machine->store_slow = false;
}

/* It is slow when the daemon starts: it is asked again, until it answers or has ended. */
static void the_store_is_slow(void **state)
{
    static const struct {
        void (*then)(struct fake_host *machine);
        const char *said;
    } ways[] = {
        {store_answers, "parvisd: xenstored answers, and says from now on when a domain has ended"},
        {store_is_gone, "parvisd: xenstored has ended. Domains run on"},
    };

    (void)state;
    f->store_dead = f->store_slow = true;
    for (int i = 0; i < 2; i++) {
        pid_t pid;

        f->store_event = ways[i].then;
        pid = serving(NULL);
        assert_null(strstr(text_of("its.out"), ways[i].said));
        assert_int_equal(write(tell[1], "e", 1), 1);
        says("its.out", ways[i].said);
        serves();
        ends(pid);
    }
}

/* The store's daemon is not there, or ends: that is said, and clients are served. */
static void without_the_store(void **state)
{
    pid_t pid;

    (void)state;
    f->store_dead = true;
    pid = serving(NULL);
    says("its.out", "parvisd: xenstored has ended. Domains run on");
    ends(pid);
    f->store_slow = true;
    pid = serving(NULL);
    says("its.out", "parvisd: xenstored does not answer in time: whether a domain has ended");
    ends(pid);
    f->store_dead = f->store_slow = false;
    assert_int_equal(pipe(store_link), 0);
    f->link = store_link[0];
    f->store_event = store_ends;
    pid = serving(NULL);
    close(store_link[1]);
    assert_string_equal(text_of("its.out"), "");
    assert_int_equal(write(tell[1], "e", 1), 1);
    says("its.out", "parvisd: xenstored has ended. Domains run on");
    serves();
    ends(pid);
    close(store_link[0]);
}

static int setup(void **state)
{
    int rc = daemon_setup(state);

    close(listener);
    listener = -1;
    unlink(state_path("parvisd.sock"));
    prctl(PR_SET_CHILD_SUBREAPER, 1); /* also of those that went to the background */
    if (pipe2(tell, O_CLOEXEC | O_NONBLOCK) < 0)
        return -1;
    f->events = tell[0];
    return rc;
}

static int teardown(void **state)
{
    kill_all();
    close(tell[0]);
    close(tell[1]);
    return daemon_teardown(state);
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(command_line),          T(what_keeps_it_from_starting),
        T(its_log_has_a_limit),   T(in_the_background),
        T(not_in_the_background), T(a_domain_ends),
        T(a_domain_ends_unseen),  T(a_domain_prints),
        T(idle_it_sleeps),        T(the_store_is_slow),
        T(without_the_store),
    };

    polls = mmap(NULL, sizeof(*polls), PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    return polls == MAP_FAILED ? 1 : cmocka_run_group_tests(tests, NULL, NULL);
}
