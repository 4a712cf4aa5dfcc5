/* SPDX-License-Identifier: MIT */
/*
 * What parvisd tells of domains to those who ask: each step of a life, once and in order, of those
 * that pvctl makes and of others'; nothing of what was before; and who does not read is let go.
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
#include <unistd.h>

#include <cmocka.h>

#include <xen/xen.h>

#include <xen/sched.h>

#include "client.h"
#include "daemon_support.h"
#include "events.h"
#include "lifecycle.h"
#include "policy.h"
#include "state.h"

static int teardown(void **state)
{
    int rc = daemon_teardown(state);

    events_close();
    return rc;
}

static int watch(void)
{
    int fd = ask(D_EVENTS, "");

    next_is(fd, D_OK, "");
    return fd;
}

/* The time has come to look again. */
static void look(void)
{
    clock_ms += EVENTS_LOOK_MS;
    assert_true(events_go_on(&f->host) > 0);
}

/* The next event is this one; time and uuid are only looked at. */
static void tells(int fd, const char *event, uint32_t domid, const char *name, const char *reason,
                  const char *former)
{
    char text[DAEMON_MAX_MESSAGE + 1], want[256], *rest, *uuid;
    size_t len;

    assert_int_equal(daemon_receive(fd, text, &len), D_EVENT);
    rest = strchr(text, '\t');
    assert_non_null(rest);
    uuid = strchr(strchr(rest + 1, '\t') + 1, '\t') + 1;
    assert_int_equal(strcspn(uuid, "\t"), 36);
    memmove(uuid, uuid + 36, strlen(uuid + 36) + 1);
    snprintf(want, sizeof(want), "\t%s\t%u\t\t%s\t%s\t%s", event, domid, name, reason, former);
    assert_string_equal(rest, want);
}

static void no_more(int fd)
{
    char byte;

    assert_int_equal(recv(fd, &byte, 1, MSG_DONTWAIT | MSG_PEEK), -1);
    assert_int_equal(errno, EAGAIN);
}

static void a_life(void **state)
{
    uint32_t before, domid;
    char text[32];
    int fd, second;

    (void)state;
    make_guest("old", "destroy", &before);
    fd = watch();
    second = watch();
    make_guest("web", "destroy", &domid);
    snprintf(text, sizeof(text), "%u %u web", domid, console_port(domid));
    close(ask(D_SERVE, text));
    tells(fd, "created", domid, "web", "", "");
    fake_domain(f, domid)->d.paused = false;
    look();
    tells(fd, "started", domid, "web", "", "");
    fake_domain(f, domid)->d.paused = true;
    look();
    tells(fd, "paused", domid, "web", "", "");
    fake_domain(f, domid)->d.paused = false;
    look();
    tells(fd, "unpaused", domid, "web", "", "");
    look();
    no_more(fd);
    fake_shutdown(f, domid, SHUTDOWN_poweroff);
    policy_check(&f->host); /* no time has passed */
    tells(fd, "shutdown", domid, "web", "poweroff", "");
    turn();
    tells(fd, "destroyed", domid, "web", "", "");
    no_more(fd);
    tells(second, "created", domid, "web", "", ""); /* each gets all */
    close(fd);
    close(second);
    turn();
    clock_ms += EVENTS_LOOK_MS;
    assert_int_equal(events_go_on(&f->host), -1);
}

/* What was there when somebody asked is no news, though it could not be listed then. */
static void it_begins_later(void **state)
{
    uint32_t before, domid;
    char text[32];
    int fd;

    (void)state;
    make_guest("old", "destroy", &before);
    f->fail_at = f->calls + 1;
    fd = watch();
    assert_true(f->calls >= f->fail_at);
    look();
    no_more(fd);
    make_guest("web", "destroy", &domid);
    snprintf(text, sizeof(text), "%u %u web", domid, console_port(domid));
    close(ask(D_SERVE, text));
    tells(fd, "created", domid, "web", "", "");
    no_more(fd);
    close(fd);
}

/* Made, run and crashed between two looks. */
static void a_short_life(void **state)
{
    uint32_t domid;
    int fd = watch();

    (void)state;
    serve("web", "destroy", &domid);
    fake_domain(f, domid)->d.paused = false;
    fake_shutdown(f, domid, SHUTDOWN_crash);
    policy_check(&f->host);
    tells(fd, "created", domid, "web", "", "");
    tells(fd, "started", domid, "web", "", "");
    tells(fd, "crashed", domid, "web", "crash", "");
    turn();
    no_more(fd); /* it is preserved */
    close(fd);
}

static void of_others(void **state)
{
    struct host_create c = {.max_vcpus = 1, .uuid = {7}};
    char path[64];
    uint32_t domid;
    int fd = watch();

    (void)state;
    assert_int_equal(f->host.ops->domain_create(&f->host, &c, &domid), 0);
    look();
    no_more(fd); /* it has no name yet */
    snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "theirs"), 0);
    look();
    tells(fd, "created", domid, "theirs", "", "");
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "other"), 0);
    look();
    tells(fd, "renamed", domid, "other", "", "theirs");
    f->host.ops->store_rm(&f->host, 0, path); /* for a while, or for good */
    look();
    no_more(fd);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "other"), 0);
    look();
    no_more(fd);
    f->host.ops->store_rm(&f->host, 0, path);
    look();
    fake_domain(f, domid)->d.dying = true;
    look();
    no_more(fd);
    f->host.ops->domain_destroy(&f->host, domid);
    look();
    tells(fd, "destroyed", domid, "other", "", "");
    no_more(fd);
    close(fd);
}

/* Preserved by another name it has another uuid, too, and is the same domain. */
static void renamed_and_restarted(void **state)
{
    struct live_domain l;
    struct error e = {0};
    uint32_t domid;
    char number[16];
    int fd;

    (void)state;
    serve("web", "destroy", &domid);
    assert_int_equal(state_write_file(state_path("domains/%u.xml", domid),
                                      "<domain type='xen'><name>web</name><memory>8192</memory><os>"
                                      "<type>linux</type><kernel>/k</kernel></os>"
                                      "<on_crash>rename-restart</on_crash></domain>"),
                     0);
    fake_domain(f, domid)->d.paused = false;
    fd = watch();
    fake_shutdown(f, domid, SHUTDOWN_crash);
    policy_check(&f->host);
    tells(fd, "crashed", domid, "web", "crash", "");
    look();
    snprintf(number, sizeof(number), "%u", domid);
    assert_int_equal(lifecycle_find(&f->host, number, &l, &e), 0);
    tells(fd, "renamed", domid, l.name, "", "web");
    no_more(fd);
    close(fd);
}

/* Its socket is full: it is let go, and another is told on. */
static void who_does_not_read(void **state)
{
    struct host_create c = {.max_vcpus = 1, .uuid = {7}};
    char text[DAEMON_MAX_MESSAGE + 1];
    size_t len;
    uint32_t domid;
    int lazy = watch(), fd = watch(), n = 0;

    (void)state;
    assert_int_equal(f->host.ops->domain_create(&f->host, &c, &domid), 0);
    for (int i = 0; i < 5000; i++) {
        char path[64], name[16];

        snprintf(path, sizeof(path), "/local/domain/%u/name", domid);
        snprintf(name, sizeof(name), "n%d", i);
        assert_int_equal(f->host.ops->store_write(&f->host, 0, path, name), 0);
        look();
        assert_int_equal(daemon_receive(fd, text, &len), D_EVENT);
    }
    while (daemon_receive(lazy, text, &len) == D_EVENT)
        n++;
    assert_true(n > 10 && n < 5000);
    close(lazy);
    close(fd);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(a_life, daemon_setup, teardown),
        cmocka_unit_test_setup_teardown(it_begins_later, daemon_setup, teardown),
        cmocka_unit_test_setup_teardown(a_short_life, daemon_setup, teardown),
        cmocka_unit_test_setup_teardown(of_others, daemon_setup, teardown),
        cmocka_unit_test_setup_teardown(renamed_and_restarted, daemon_setup, teardown),
        cmocka_unit_test_setup_teardown(who_does_not_read, daemon_setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
