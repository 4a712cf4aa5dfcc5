/* SPDX-License-Identifier: MIT */
/*
 * Consoles' terminals, as xenconsole and virsh use them: real ones, of a guest on the model of the
 * machine.
 */
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <termios.h>
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/io/console.h>

#include "daemon_support.h"
#include "policy.h"

#define SOON_MS 5000 /* the kernel moves what is written in its own time */

static int work;
static bool no_look; /* at what this process has open */

DIR *__wrap_opendir(const char *path);
DIR *__real_opendir(const char *path);

DIR *__wrap_opendir(const char *path)
{
    char own[32];

    snprintf(own, sizeof(own), "/proc/%d/fd", getpid());
    if (!no_look || strcmp(path, own) != 0)
        return __real_opendir(path);
    errno = EMFILE;
    return NULL;
}

static int setup(void **state)
{
    int rc = daemon_setup(state);

    work = tty_start();
    return rc || work < 0;
}

static bool comes(int fd)
{
    struct pollfd p = {.fd = fd, .events = POLLIN};

    return poll(&p, 1, SOON_MS) == 1;
}

/* Somebody has opened, closed or typed: the daemon hears of it. */
static void hear(void)
{
    assert_true(comes(work));
    tty_events(&f->host);
}

static int teardown(void **state)
{
    int rc = daemon_teardown(state);

    tty_stop();
    return rc;
}

static char *path_of(uint32_t domid, const char *node)
{
    char path[64], *tty = NULL;

    snprintf(path, sizeof(path), "/local/domain/%u/%s", domid, node);
    return f->host.ops->store_read(&f->host, 0, path, &tty) ? NULL : tty;
}

/* What `xl console` does: opens what the store says. */
static int attach(uint32_t domid)
{
    char *path = path_of(domid, "console/tty");
    int fd;

    assert_non_null(path);
    fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
    free(path);
    assert_true(fd >= 0);
    hear();
    return fd;
}

/* All that can be read now is this. */
static void reads(int fd, const char *text)
{
    char have[256];
    ssize_t n;
    size_t len = 0;

    while (len < strlen(text) && comes(fd) && (n = read(fd, have + len, 255 - len)) > 0)
        len += (size_t)n;
    have[len] = '\0';
    assert_string_equal(have, text);
    assert_int_equal(read(fd, have, 1), -1);
}

static void typed_is(struct xencons_interface *ring, const char *text)
{
    size_t n = strlen(text);

    assert_int_equal(ring->in_prod - ring->in_cons, n);
    assert_memory_equal(ring->in + (ring->in_cons & (sizeof(ring->in) - 1)), text, n);
    ring->in_cons = ring->in_prod;
}

static void both_ways_from_the_first_byte(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    int fd;

    (void)state;
    say(ring, "early\r\n", 7);
    fire("web");
    fd = attach(domid);
    reads(fd, "early\r\n");
    say(ring, "late\n", 5);
    fire("web");
    reads(fd, "late\n");
    assert_int_equal(write(fd, "ls\r\3\4", 5), 5);
    hear();
    typed_is(ring, "ls\r\3\4"); /* neither echoed nor obeyed */
    reads(fd, "");
    close(fd);
}

static void the_next_starts_at_the_first_byte(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    int fd, second;

    (void)state;
    say(ring, "one ", 4);
    fire("web");
    close(attach(domid)); /* without having read */
    hear();
    say(ring, "two", 3);
    fire("web");
    fd = attach(domid);
    reads(fd, "one two");
    /* A second at the same time begins nothing anew, and its leaving ends nothing. */
    second = attach(domid);
    reads(second, "");
    close(second);
    hear();
    say(ring, " three", 6);
    fire("web");
    reads(fd, " three");
    close(fd);
}

/* So often that the kernel's queue of what happened is full, and the rest is not told. */
static void open_and_close_often(const char *path)
{
    FILE *limit = fopen("/proc/sys/fs/inotify/max_queued_events", "r");
    unsigned int most = 0;

    assert_non_null(limit);
    assert_int_equal(fscanf(limit, "%u", &most), 1);
    fclose(limit);
    for (unsigned int i = 0; i <= most / 2; i++)
        close(open(path, O_RDWR | O_NOCTTY | O_NONBLOCK));
}

static void hear_all(void)
{
    struct pollfd p = {.fd = work, .events = POLLIN};

    while (poll(&p, 1, 0) == 1)
        tty_events(&f->host);
}

/* Who closed it while too much happened has it no more, who opened it has it. */
static void more_than_is_told(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    char *path = path_of(domid, "console/tty");
    int fd = attach(domid), again, copy;

    (void)state;
    say(ring, "one ", 4);
    fire("web");
    reads(fd, "one ");
    open_and_close_often(path);
    close(fd);
    hear_all();
    fd = attach(domid);
    reads(fd, "one ");
    close(fd);
    hear_all();
    open_and_close_often(path);
    fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK);
    copy = dup(fd);
    hear_all();
    reads(fd, "one ");
    say(ring, "two", 3);
    fire("web");
    reads(fd, "two");
    /* A second comes and goes; the first has handed it on, and the last who has it closes it. */
    again = attach(domid);
    reads(again, "");
    close(again);
    hear_all();
    close(copy);
    say(ring, " three", 6);
    fire("web");
    reads(fd, " three");
    close(fd);
    hear_all();
    fd = attach(domid);
    reads(fd, "one two three");
    close(fd);
    free(path);
}

/* Nor could it be looked who has it: that is told, and who had it before has it still, until it can
 * be. */
static void what_cannot_be_looked_up(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    char *path = path_of(domid, "console/tty");
    const char *said;
    int fd = attach(domid);

    (void)state;
    say(ring, "one ", 4);
    fire("web");
    reads(fd, "one ");
    open_and_close_often(path);
    daemon_hear();
    no_look = true;
    hear_all();
    no_look = false;
    said = daemon_heard();
    assert_non_null(strstr(said, "who has consoles' terminals open is not known: Too many open"));
    say(ring, "two", 3);
    fire("web");
    reads(fd, "two");
    close(fd);
    hear_all();
    fd = attach(domid);
    reads(fd, "one two");
    close(fd);
    free(path);
}

/* `pvctl console` at the same time: it has everything too, and what both type arrives. */
static void beside_pvctl(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    int pvctl, fd = attach(domid);

    (void)state;
    pvctl = ask(D_CONSOLE, "web");
    next_is(pvctl, D_OK, "");
    say(ring, "hello", 5);
    fire("web");
    turn();
    reads(fd, "hello");
    next_is(pvctl, D_DATA, "hello");
    assert_int_equal(daemon_send(pvctl, D_DATA, "a", 1), 0);
    turn();
    assert_int_equal(write(fd, "b", 1), 1);
    hear();
    typed_is(ring, "ab");
    close(fd);
    close(pvctl);
    turn();
}

/* Who opens it and does not read holds nobody up; it is told what it missed. */
static void the_guest_is_not_held_back(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    struct console *c = console_by_name("web");
    char text[1024], *all = NULL;
    size_t len = 0;
    ssize_t n;
    int fd = attach(domid);

    (void)state;
    memset(text, 'x', sizeof(text));
    for (unsigned int i = 0; i < 1024; i++) {
        clock_ms += CONSOLE_WINDOW_MS;
        say(ring, text, sizeof(text));
        fire("web");
    }
    assert_int_equal(c->history.total, 1 << 20);
    assert_false(c->masked);
    all = malloc(1 << 20);
    while (len < HISTORY_HEAD + HISTORY_TAIL && comes(fd)) {
        n = read(fd, all + len, (1 << 20) - 1 - len);
        assert_true(n > 0);
        len += (size_t)n;
        tty_events(&f->host);
    }
    all[len] = '\0';
    assert_non_null(strstr(all, "bytes of console output are not kept]"));
    assert_true(len >= HISTORY_HEAD + HISTORY_TAIL);
    free(all);
    close(fd);
}

/* A guest that takes no input: what is typed waits in the terminal, and nothing spins. */
static void a_guest_that_does_not_read(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    struct console *c = console_by_name("web");
    char text[1000];
    int fd = attach(domid);
    size_t sent = 0, got = 0;

    (void)state;
    memset(text, 'k', sizeof(text));
    for (int i = 0; i < 20; i++) {
        ssize_t n = write(fd, text, sizeof(text));

        sent += n > 0 ? (size_t)n : 0;
        if (c->input_len < CONSOLE_INPUT)
            hear();
    }
    assert_true(sent > CONSOLE_INPUT + sizeof(ring->in));
    assert_int_equal(c->input_len, CONSOLE_INPUT);
    while (got < sent) {
        got += ring->in_prod - ring->in_cons;
        ring->in_cons = ring->in_prod;
        fire("web");
        if (got < sent && ring->in_prod == ring->in_cons)
            hear();
    }
    assert_int_equal(got, sent);
    close(fd);
}

static void last_words_are_read(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    char *path = path_of(domid, "console/tty");
    int fd = attach(domid);

    (void)state;
    say(ring, "bye", 3);
    policy_release(&f->host, domid, "destroyed");
    assert_true(comes(fd));
    assert_true(tty_go_on() > 0);
    clock_ms += TTY_PARTS_MS / 2;
    assert_true(tty_go_on() > 0);
    reads(fd, "bye");
    assert_int_equal(tty_go_on(), -1);
    assert_int_equal(read(fd, (char[1]){0}, 1), 0); /* it has ended */
    close(fd);
    assert_int_equal(access(path, F_OK), -1);
    free(path);
}

static void nobody_is_waited_for_long(void **state)
{
    uint32_t domid;
    struct xencons_interface *ring = serve("web", "destroy", &domid);
    int fd = attach(domid);

    (void)state;
    say(ring, "bye", 3);
    policy_release(&f->host, domid, "destroyed");
    assert_true(comes(fd));
    clock_ms += TTY_PARTS_MS - 1;
    assert_true(tty_go_on() > 0);
    clock_ms++;
    assert_int_equal(tty_go_on(), -1);
    close(fd);
}

static void it_is_roots_alone(void **state)
{
    uint32_t domid;
    struct stat st;
    char *path;

    (void)state;
    serve("web", "destroy", &domid);
    path = path_of(domid, "console/tty");
    assert_int_equal(stat(path, &st), 0);
    assert_int_equal(st.st_mode & 07777, 0600);
    assert_int_equal(st.st_uid, geteuid());
    free(path);
    assert_null(path_of(domid, "serial/0/tty")); /* where they look for one of other kinds */
}

/* Each step may fail: the console is served all the same, and nothing is open behind it. */
static void without_one(void **state)
{
    uint32_t domid;
    int first = dup(0);

    (void)state;
    close(first);
    for (uint64_t at = 4; at <= 5; at++) { /* behind those of the ring: the domain, the store */
        struct error e = {0};

        make_guest(at == 4 ? "web" : "mail", "destroy", &domid);
        f->calls = 0;
        f->fail_at = at;
        assert_int_equal(console_adopt(&f->host, domid, at == 4 ? "web" : "mail", &e), 0);
        f->fail_at = 0;
        assert_null(console_by_domid(domid)->tty);
        assert_null(path_of(domid, "console/tty"));
        assert_int_equal(dup(0), first);
        close(first);
    }
}

#define T(test) cmocka_unit_test_setup_teardown(test, setup, teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(both_ways_from_the_first_byte),
        T(the_next_starts_at_the_first_byte),
        T(more_than_is_told),
        T(what_cannot_be_looked_up),
        T(beside_pvctl),
        T(the_guest_is_not_held_back),
        T(a_guest_that_does_not_read),
        T(last_words_are_read),
        T(nobody_is_waited_for_long),
        T(it_is_roots_alone),
        T(without_one),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
