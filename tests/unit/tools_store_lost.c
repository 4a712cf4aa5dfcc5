/* SPDX-License-Identifier: MIT */
/*
 * A store daemon that has ended is told from one that does not answer in time, by Xen's own library
 * and whatever is asked: nobody listens, or nobody takes what is sent.
 */
#include <errno.h>
#include <poll.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/un.h>
#include <unistd.h>

#include <cmocka.h>

#include "host_xen.h"

#define PATIENCE_MS 20u

static struct sockaddr_un at = {.sun_family = AF_UNIX};
static struct host_xen x;

/* A daemon that listens, and takes nobody. */
static int listening(int backlog)
{
    int fd = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    unlink(at.sun_path);
    assert_int_equal(bind(fd, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(listen(fd, backlog), 0);
    x = (struct host_xen){.host.store_patience_ms = PATIENCE_MS, .store_link = -1};
    return fd;
}

static int ask_read(struct host *h)
{
    char *value;

    return hx_store_read(h, 0, "/a", &value);
}

static int ask_put(struct host *h)
{
    return hx_store_put(h, 0, &(struct host_entry){.path = "/a", .value = "one"}, 1);
}

static int ask_begin(struct host *h)
{
    host_txn_t t;

    return hx_store_begin(h, &t);
}

static int ask_watch(struct host *h)
{
    return hx_store_watch(h, "@releaseDomain", "end");
}

static int (*const questions[])(struct host *) = {ask_read, ask_put, ask_begin, ask_watch};
#define NR_QUESTIONS (sizeof(questions) / sizeof(questions[0]))

/* Who has not answered is not asked again at once, and what is said is the same. */
static void one_that_is_slow(void **state)
{
    (void)state;
    for (size_t i = 0; i < NR_QUESTIONS; i++) {
        int fd = listening(8);

        assert_int_equal(questions[i](&x.host), -ETIME);
        assert_null(x.xs);
        assert_int_equal(ask_read(&x.host), -ETIME);
        assert_null(x.xs);
        close(fd);
    }
}

/* Asking whether it has ended takes no place among those who wait for it: they are few. */
static void one_that_is_looked_at(void **state)
{
    struct pollfd p = {.fd = listening(8), .events = POLLIN};

    (void)state;
    for (int i = 0; i < 8; i++)
        assert_int_equal(host_store_lost(&x), -ETIME);
    assert_int_equal(poll(&p, 1, 0), 0);
    close(p.fd);
    assert_int_equal(host_store_lost(&x), -ENOTCONN);
}

/* So many wait for it already that no more may. */
static void one_with_many_before_it(void **state)
{
    int fd = listening(0), first = socket(AF_UNIX, SOCK_STREAM | SOCK_CLOEXEC, 0);

    (void)state;
    assert_int_equal(connect(first, (const struct sockaddr *)&at, sizeof(at)), 0);
    assert_int_equal(ask_read(&x.host), -ETIME);
    close(first);
    close(fd);
}

static void one_that_was_not_there(void **state)
{
    (void)state;
    for (size_t i = 0; i < NR_QUESTIONS; i++) {
        close(listening(8));
        assert_int_equal(questions[i](&x.host), -ENOTCONN); /* its socket's name is left */
        x.store_lost_ms = 0;
        unlink(at.sun_path);
        assert_int_equal(questions[i](&x.host), -ENOTCONN);
    }
}

/* It ends while somebody is connected. */
static void one_that_ends(void **state)
{
    (void)state;
    for (size_t i = 0; i < NR_QUESTIONS; i++) {
        int fd = listening(8);

        assert_int_equal(host_need_store(&x), 0);
        close(fd);
        assert_int_equal(questions[i](&x.host), -ENOTCONN);
        assert_int_equal(ask_read(&x.host), -ENOTCONN);
    }
}

/* Who asks has many descriptors, and the new one is behind all of them. */
static void by_one_who_is_busy(void **state)
{
    int many[100], fd;

    (void)state;
    for (size_t i = 0; i < 100; i++)
        many[i] = dup(STDERR_FILENO);
    fd = listening(8);
    assert_int_equal(host_need_store(&x), 0);
    assert_true(x.store_link > many[99]);
    close(fd);
    assert_int_equal(ask_read(&x.host), -ENOTCONN);
    for (size_t i = 0; i < 100; i++)
        close(many[i]);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(one_that_is_slow),        cmocka_unit_test(one_that_is_looked_at),
        cmocka_unit_test(one_with_many_before_it), cmocka_unit_test(one_that_was_not_there),
        cmocka_unit_test(one_that_ends),           cmocka_unit_test(by_one_who_is_busy),
    };
    int rc;

    snprintf(at.sun_path, sizeof(at.sun_path), "/tmp/store_lost.%d", (int)getpid());
    setenv("XENSTORED_PATH", at.sun_path, 1);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    unlink(at.sun_path);
    return rc;
}
