/* SPDX-License-Identifier: MIT */
/*
 * Who looks on at a console (`pvctl log`), and who takes it from another (`console --force`):
 * parvisd's part runs here, pvctl is a process with a copy of the model of the machine.
 */
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <poll.h>
#include <pty.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>
#include <xen/sched.h>

#include "daemon_support.h"
#include "policy.h"
#include "pvctl_process.h"
#include "state.h"

static void ends(const char *line, int status, const char *says)
{
    process_ends(line, status, says, NULL);
}

static void print(struct xencons_interface *ring, const char *text)
{
    say(ring, text, (uint32_t)strlen(text));
    fire("web");
    turn();
}

static void the_last_lines(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);

    (void)state;
    ends("log web", 0, "");
    ends("log -n 3 web", 0, "");
    print(ring, "one\ntwo\n\nthree");
    ends("log web", 0, "one\ntwo\n\nthree");
    ends("log -n 1 web", 0, "three");
    ends("log -n 2 web", 0, "\nthree");
    ends("log -n 3 web", 0, "two\n\nthree");
    ends("log -n 99 web", 0, "one\ntwo\n\nthree");
    ends("log -n 0 web", 0, "");
    print(ring, "\n");
    ends("log -n 1 web", 0, "three\n");
    ends("log -n 2 web web", 0, "\nthree\n\nthree\n");
    ends("log nobody", 3, "pvctl: nobody: no such domain, nor a console kept of one\n");
    ends("log -n x web", 2,
         "pvctl log: --lines wants a number from 0 to 1000000, not x; `pvctl help log` explains\n");
    policy_release(&f->host, domid, "powered off");
    ends("log -n 1 web", 0, "three\n");
    ends("log web >/dev/full", 1, "pvctl: standard output: No space left on device\n");
}

static void print_much(struct xencons_interface *ring)
{
    char line[9];

    for (int i = 0; i < 100000; i++) {
        snprintf(line, sizeof(line), "%07d\n", i);
        while (say(ring, line, 8) < 8) {
            clock_ms += CONSOLE_WINDOW_MS;
            fire("web");
            turn();
        }
    }
    clock_ms += CONSOLE_WINDOW_MS;
    print(ring, "");
}

/* More than is kept: what is, and how much is not. */
static void of_much(void **state)
{
    uint32_t domid;

    (void)state;
    print_much(serve("web", "destroy", &domid));
    ends("log -n 2 web", 0, "0099998\n0099999\n");
}

/* Takes so many messages, or what there is; true: the end was among them. */
static bool take(int fd, unsigned int most)
{
    struct pollfd there = {.fd = fd, .events = POLLIN};
    char buf[DAEMON_MAX_MESSAGE + 1];
    size_t len;

    while (most-- > 0 && poll(&there, 1, 0) == 1) {
        int type = daemon_receive(fd, buf, &len);

        assert_true(type > 0);
        if (type == D_END)
            return true;
    }
    return false;
}

/* However many it takes before there is more, so also when its end would be the first without room.
 */
static void by_one_slow_to_read(void **state)
{
    uint32_t domid;

    (void)state;
    print_much(serve("web", "destroy", &domid));
    for (unsigned int taken = 1; taken < 300; taken++) {
        int fd = ask(D_LOG, "web");

        turn();
        if (!take(fd, taken)) {
            do {
                turn();
            } while (!take(fd, UINT_MAX));
        }
        close(fd);
        turn();
    }
}

/* On a terminal what it said is text, and that may be longer, however much it is. */
static void of_much_on_a_terminal(void **state)
{
    const size_t much = 20000, keep = sizeof("end") - 1;
    int master, slave, status = 0;
    struct termios raw = {0};
    size_t len = 0;
    ssize_t n;
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    pid_t pid;

    (void)state;
    for (size_t i = 0; i < much; i++) {
        while (say(ring, "\033", 1) < 1) {
            clock_ms += CONSOLE_WINDOW_MS;
            fire("web");
            turn();
        }
    }
    clock_ms += CONSOLE_WINDOW_MS;
    fire("web");
    turn();
    print(ring, "end");
    cfmakeraw(&raw);
    assert_int_equal(openpty(&master, &slave, NULL, &raw, NULL), 0);
    assert_int_equal(fcntl(master, F_SETFL, O_NONBLOCK), 0);
    fflush(stdout);
    pid = fork();
    if (pid == 0)
        process_becomes("log web", fdopen(slave, "w"));
    do {
        turn();
        usleep(1000);
        n = read(master, process_said + len, sizeof(process_said) - len);
        len += n > 0 ? (size_t)n : 0;
    } while (n > 0 || waitpid(pid, &status, WNOHANG) != pid);
    while ((n = read(master, process_said + len, sizeof(process_said) - len)) > 0)
        len += (size_t)n;
    assert_true(WIFEXITED(status) && WEXITSTATUS(status) == 0);
    assert_int_equal(len, 2 * much + keep);
    for (size_t i = 0; i < much; i++)
        assert_memory_equal(process_said + 2 * i, "^[", 2);
    assert_memory_equal(process_said + 2 * much, "end", keep);
    close(master);
    close(slave);
}

/* The domain does not wait for who looks on, and the reader is not disturbed. */
static void follows(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    int reader, a, b;

    (void)state;
    print(ring, "early");
    reader = ask(D_CONSOLE, "web");
    a = ask(D_FOLLOW, "web");
    b = ask(D_FOLLOW, "web");
    turn();
    next_is(reader, D_OK, "");
    next_is(reader, D_DATA, "early");
    for (int i = 0; i < 2; i++) {
        next_is(i ? b : a, D_OK, "");
        next_is(i ? b : a, D_HISTORY, "early");
        next_is(i ? b : a, D_NEXT, "");
    }
    close(b);
    turn();
    print(ring, "late");
    turn();
    next_is(reader, D_DATA, "late");
    next_is(a, D_DATA, "late");
    assert_int_equal(console_by_name("web")->listeners, 1);
    policy_release(&f->host, domid, "crashed");
    turn();
    next_is(a, D_END, "crashed");
    next_is(reader, D_END, "crashed");
    assert_int_equal(console_by_name("web")->listeners, 0);
    close(a);
    close(reader);
    ends("log -f web", 6, "earlylate\n[web: crashed]\n");
    ends("log -f web >/dev/full", 1, "pvctl: standard output: No space left on device\n");
}

/* One whose console is another domain's meanwhile begins anew. */
static void begins_anew(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    int fd;

    (void)state;
    print(ring, "a former life, which said much");
    fd = ask(D_FOLLOW, "web");
    turn();
    next_is(fd, D_OK, "");
    next_is(fd, D_HISTORY, "a former life, which said much");
    next_is(fd, D_NEXT, "");
    console_release(&f->host, console_by_domid(domid), "powered off"); /* it reads too slowly */
    state_release("web", domid, fake_domain(f, domid)->d.uuid);
    assert_int_equal(f->host.ops->domain_destroy(&f->host, domid), 0);
    ring = make_guest("web", "destroy", &domid);
    assert_int_equal(console_adopt(&f->host, domid, "web", NULL), 0);
    print(ring, "new");
    turn();
    next_is(fd, D_DATA, "new");
    close(fd);
}

static void is_taken(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    char text[80];
    int a = ask(D_CONSOLE, "web"), b;

    (void)state;
    next_is(a, D_OK, "");
    b = ask(D_CONSOLE, "web");
    next_is(b, D_REFUSED, NULL);
    close(b);
    b = ask(D_TAKE, "web");
    next_is(b, D_OK, "");
    snprintf(text, sizeof(text), "its console was taken over by process %d", (int)getpid());
    next_is(a, D_END, text);
    next_is(a, 0, "");
    close(a);
    turn();
    print(ring, "hello");
    turn();
    next_is(b, D_DATA, "hello");
    assert_int_equal(daemon_send(b, D_DATA, "typed", 5), 0);
    turn();
    assert_memory_equal(ring->in, "typed", 5);
    close(b);
    turn();
    b = ask(D_TAKE, "web"); /* nobody has it */
    next_is(b, D_OK, "");
    close(b);
}

/* Of one that is defined, and does not run, how it is started is said. */
static void of_one_that_is_off(void **state)
{
    const char *const how = "pvctl: web: it does not run, it is defined: `pvctl start web`\n";

    (void)state;
    setenv("PARVIS_DOMAINS", state_path("."), 1);
    assert_int_equal(state_write_file(state_path("web.xml"), ""), 0);
    ends("log web", 3, how);
    ends("log --follow web", 3, how);
    ends("console web", 3, how);
    serve("web", "destroy", &(uint32_t){0});
    ends("log web", 0, "");
    unsetenv("PARVIS_DOMAINS");
}

int main(void)
{
#define T(name) cmocka_unit_test_setup_teardown(name, daemon_setup, daemon_teardown)
    const struct CMUnitTest tests[] = {T(the_last_lines),
                                       T(of_much),
                                       T(by_one_slow_to_read),
                                       T(of_much_on_a_terminal),
                                       T(follows),
                                       T(begins_anew),
                                       T(is_taken),
                                       T(of_one_that_is_off)};
#undef T

    return cmocka_run_group_tests(tests, NULL, NULL);
}
