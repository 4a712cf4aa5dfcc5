/* SPDX-License-Identifier: MIT */
/*
 * Many entries in one go, as a store daemon sees them on its socket: what is asked, in which order;
 * answers that come in any pieces; a refusal; a daemon that hangs up in the middle.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "host_xen.h"

#include <xen/io/xs_wire.h>

static struct host_xen host;
static bool lost;

int host_need_store(struct host_xen *x)
{
    (void)x;
    return 0;
}

int host_store_lost(struct host_xen *x)
{
    (void)x;
    lost = true;
    return -ENOTCONN;
}

static void take(int fd, void *to, size_t len)
{
    if (recv(fd, to, len, MSG_WAITALL) != (ssize_t)len)
        _exit(2);
}

static const struct {
    enum xsd_sockmsg_type type;
    const char *payload;
    uint32_t len;
} wanted[] = {
    {XS_WRITE, "/a\0one", 6}, {XS_SET_PERMS, "/a\0n0\0r5", 9}, {XS_SET_PERMS, "/b\0n5", 6}};

/* The daemon: refuses the request of this number, hangs up at that one. */
static void serve(int fd, unsigned int refuse, unsigned int hang_up)
{
    for (unsigned int i = 0; i < 3; i++) {
        static const char no[] = "EACCES", ok[] = "OK";
        const char *text = i == refuse ? no : ok;
        struct xsd_sockmsg head;
        char payload[64], answer[64];
        size_t len = strlen(text) + 1;

        take(fd, &head, sizeof(head));
        if (head.type != wanted[i].type || head.len != wanted[i].len || head.tx_id != 7)
            _exit(3);
        take(fd, payload, head.len);
        if (memcmp(payload, wanted[i].payload, head.len) != 0)
            _exit(4);
        if (i == hang_up)
            _exit(0);
        head.type = i == refuse ? XS_ERROR : head.type;
        head.len = (uint32_t)len;
        memcpy(answer, &head, sizeof(head));
        memcpy(answer + sizeof(head), text, len);
        for (size_t at = 0; at < sizeof(head) + len; at++) { /* in pieces */
            if (send(fd, answer + at, 1, 0) != 1)
                _exit(5);
        }
    }
    _exit(0);
}

static int put(unsigned int refuse, unsigned int hang_up)
{
    const struct host_entry list[] = {{"/a", "one", "n0 r5"}, {"/b", NULL, "n5"}};
    int pair[2], status, rc;
    pid_t pid;

    lost = false;
    assert_int_equal(socketpair(AF_UNIX, SOCK_STREAM, 0, pair), 0);
    pid = fork();
    assert_true(pid >= 0);
    if (pid == 0) {
        close(pair[0]);
        serve(pair[1], refuse, hang_up);
    }
    close(pair[1]);
    host.store_link = pair[0];
    rc = hx_store_put(&host.host, 7, list, 2);
    close(pair[0]);
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), 0);
    return rc;
}

static void all_are_written(void **state)
{
    (void)state;
    assert_int_equal(put(9, 9), 0);
    assert_false(lost);
}

/* The first refusal is told, and the others are written all the same. */
static void a_refusal_is_told(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(put(i, 9), -EACCES);
        assert_false(lost);
    }
}

static void the_daemon_hangs_up(void **state)
{
    (void)state;
    for (unsigned int i = 0; i < 3; i++) {
        assert_int_equal(put(9, i), -ENOTCONN);
        assert_true(lost);
    }
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(all_are_written),
                                       cmocka_unit_test(a_refusal_is_told),
                                       cmocka_unit_test(the_daemon_hangs_up)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
