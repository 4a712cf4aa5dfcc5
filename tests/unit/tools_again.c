/* SPDX-License-Identifier: MIT */
/*
 * What the daemon cannot do at once, as it has no memory, or somebody else is at it: it is done
 * another way, or later, and told once.
 */
#define _GNU_SOURCE /* pipe2 */
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "collector.h"
#include "daemon_support.h"
#include "reaper.h"
#include "state.h"
#include "tell_once.h"

static bool no_memory; /* for what the daemon keeps of a domain that goes */

void *__real_calloc(size_t n, size_t size);
void *__wrap_calloc(size_t n, size_t size);

void *__wrap_calloc(size_t n, size_t size)
{
    return no_memory ? NULL : __real_calloc(n, size);
}

static const char *said; /* what the daemon has, since daemon_hear() */

static unsigned int times_said(const char *text)
{
    unsigned int n = 0;

    for (const char *at = said; (at = strstr(at, text)) != NULL; at++)
        n++;
    return n;
}

static unsigned int times_heard(const char *text)
{
    said = daemon_heard();
    return times_said(text);
}

/* It goes all the same, with all that it had, and who waits is told. */
static void a_domain_goes_without_memory(void **state)
{
    const struct device_system *real = device_system;
    struct device_system model = *device_system;
    struct state_entry s;
    const char *text;
    uint32_t domid;
    int fd;

    (void)state;
    model.backend_lives = still_there;
    device_system = &model;
    serve("web", "destroy", &domid);
    add_disk(domid);
    lingering = 1 << 20;
    fd = daemon_connect(NULL);
    text = destroys(domid, NULL, "web");
    assert_int_equal(daemon_send(fd, D_REAP, text, strlen(text)), 0);
    daemon_hear();
    no_memory = true;
    turn();
    no_memory = false;
    assert_int_equal(times_heard("web: no memory"), 1);
    next_is(fd, D_OK, "");
    close(fd);
    device_system = real;
    assert_null(fake_domain(f, domid));
    assert_int_equal(state_get("web", &s), -ENOENT);
    assert_null(fake_is_clean(f));
}

/* So do the devices of one that stays. */
static void devices_go_without_memory(void **state)
{
    uint32_t domid;
    char path[64];

    (void)state;
    serve("web", "destroy", &domid);
    add_disk(domid);
    snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%u", domid);
    assert_non_null(fake_read(f, path));
    daemon_hear();
    no_memory = true;
    reaper_start_devices(&f->host, &fake_domain(f, domid)->d, "web");
    no_memory = false;
    assert_int_equal(times_heard("web: no memory"), 1);
    assert_null(fake_read(f, path));
    assert_non_null(fake_domain(f, domid));
}

/* A child holds what is kept of it, until the descriptor is closed. */
static int held_by_a_child(uint32_t domid)
{
    int held[2], done[2];
    char c = 0;

    assert_int_equal(pipe2(held, O_CLOEXEC), 0);
    assert_int_equal(pipe2(done, O_CLOEXEC), 0);
    if (fork() == 0) {
        int fd = open(state_path("domains/%u.xml", domid), O_RDWR | O_CLOEXEC);

        close(done[1]);
        c = flock(fd, LOCK_EX | LOCK_NB) == 0;
        _exit(write(held[1], &c, 1) != 1 || read(done[0], &c, 1) != 0);
    }
    assert_int_equal(read(held[0], &c, 1), 1);
    assert_int_equal(c, 1);
    close(held[0]);
    close(held[1]);
    close(done[0]);
    return done[1];
}

/* A domain that the store calls otherwise, while we hold what is kept of it: the descriptor. */
static int hold_unsettled(const char *name, char path[64])
{
    uint32_t domid;
    int fd;

    make_guest(name, "destroy", &domid);
    snprintf(path, 64, "/local/domain/%u/name", domid);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "other"), 0);
    fd = open(state_path("domains/%u.xml", domid), O_RDWR | O_CLOEXEC);
    assert_true(fd >= 0 && flock(fd, LOCK_EX | LOCK_NB) == 0);
    return fd;
}

/* Who gave it another name was killed, and somebody holds what is kept of it: it is settled when
 * that is free, and what hinders it is told once. */
static void a_name_is_settled_later(void **state)
{
    uint32_t domid;
    char path[64];
    int fd = hold_unsettled("web", path);

    (void)state;
    assert_int_equal(sscanf(path, "/local/domain/%u", &domid), 1);
    daemon_hear();
    collector_look(&f->host);
    for (int i = 0; i < 3; i++) {
        clock_ms += COLLECT_AGAIN_MS;
        if (i == 1) { /* another process, which has a number of its own */
            close(fd);
            fd = held_by_a_child(domid);
        }
        collector_run(&f->host);
    }
    assert_int_equal(times_heard(" is changing it"), 1);
    assert_string_equal(fake_read(f, path), "other");
    close(fd);
    assert_true(wait(NULL) > 0);
    clock_ms += COLLECT_AGAIN_MS;
    collector_run(&f->host);
    assert_string_equal(fake_read(f, path), "web");
    /* From then on what it is called there is nobody's concern. */
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "shop"), 0);
    collector_look(&f->host);
    assert_string_equal(fake_read(f, path), "shop");
}

/* What is kept of a domain cannot be read: not as if it had ended. */
static void what_cannot_be_read_is_later(void **state)
{
    char path[64], kept[128], away[128];
    uint32_t domid;

    (void)state;
    close(hold_unsettled("web", path));
    assert_int_equal(sscanf(path, "/local/domain/%u", &domid), 1);
    snprintf(kept, sizeof(kept), "%s", state_path("domains/%u.xml", domid));
    snprintf(away, sizeof(away), "%s", state_path("away"));
    assert_int_equal(rename(kept, away), 0);
    assert_int_equal(mkdir(kept, 0700), 0);
    daemon_hear();
    collector_look(&f->host);
    assert_int_equal(times_heard("web: its kept configuration: Input/output error"), 1);
    assert_string_equal(fake_read(f, path), "other");
    assert_int_equal(rmdir(kept), 0);
    assert_int_equal(rename(away, kept), 0);
    clock_ms += COLLECT_AGAIN_MS;
    collector_run(&f->host);
    assert_string_equal(fake_read(f, path), "web");
}

/* Who is making a domain is looked after soon, whatever else is put off, before or behind it. */
static void a_maker_is_looked_after_soon(void **state)
{
    const uint8_t uuid[16] = {1};
    char shop[64], web[64];
    struct error e = {0};
    int held[2];

    (void)state;
    held[0] = hold_unsettled("shop", shop);
    assert_int_equal(state_claim(&f->host, "db", uuid, true, &e), 0);
    held[1] = hold_unsettled("web", web);
    collector_look(&f->host);
    close(held[0]);
    close(held[1]);
    clock_ms += COLLECT_MAKERS_MS - 1;
    collector_run(&f->host);
    assert_string_equal(fake_read(f, shop), "other");
    clock_ms++;
    collector_run(&f->host);
    assert_string_equal(fake_read(f, shop), "shop");
    assert_string_equal(fake_read(f, web), "web");
    state_release("db", UINT32_MAX, uuid);
}

/* Names that cannot be listed are looked at again. */
static void names_are_listed_later(void **state)
{
    char web[64], names[128], away[128];

    (void)state;
    close(hold_unsettled("web", web));
    snprintf(names, sizeof(names), "%s", state_path("names"));
    snprintf(away, sizeof(away), "%s", state_path("away"));
    assert_int_equal(rename(names, away), 0);
    assert_int_equal(state_write_file(names, ""), 0);
    daemon_hear();
    collector_look(&f->host);
    assert_int_equal(times_heard("/names: Not a directory"), 1);
    assert_int_equal(unlink(names), 0);
    assert_int_equal(rename(away, names), 0);
    clock_ms += COLLECT_AGAIN_MS;
    collector_run(&f->host);
    assert_string_equal(fake_read(f, web), "web");
}

/* Of two that are hindered at one time each is told, and neither again and again. */
static void each_reason_is_told_once(void **state)
{
    static const char *const names[] = {"web", "db"};
    static const char *const adopts[] = {"web: the console of domain 4", "db: the console of"};
    static const char *const reaps[] = {"web: xenstored has ended", "db: xenstored has ended"};
    uint32_t domid[2];

    (void)state;
    for (int i = 0; i < 2; i++) {
        serve(names[i], "destroy", &domid[i]);
        console_by_name(names[i])->domid = 4000; /* somebody else's has the name */
    }
    daemon_hear();
    for (int i = 0; i < 3; i++)
        collector_look(&f->host);
    for (int i = 0; i < 2; i++)
        console_by_name(names[i])->domid = domid[i];
    f->store_dead = true;
    for (int i = 0; i < 2; i++)
        reaper_start(&f->host, domid[i], fake_domain(f, domid[i])->d.uuid, names[i], "");
    for (int i = 0; i < 3; i++) {
        clock_ms += COLLECT_AGAIN_MS;
        turn();
    }
    f->store_dead = false;
    clock_ms += COLLECT_AGAIN_MS;
    turn();
    said = daemon_heard();
    for (int i = 0; i < 2; i++) {
        assert_int_equal(times_said(adopts[i]), 1);
        assert_int_equal(times_said(reaps[i]), 1);
    }
    assert_null(fake_is_clean(f));
}

/* What could be done is told again, if it cannot be done the next time. */
static void it_is_told_again(void **state)
{
    char name[16];

    (void)state;
    daemon_hear();
    for (int i = 0; i < 3; i++) {
        tell_once("web", "web: no");
        tell_once("web", "web: never");
        tell_once("db", "web: no");
        if (i == 1)
            tell_again("web");
    }
    for (unsigned int i = 0; i < TOLD_MOST; i++) { /* many others */
        snprintf(name, sizeof(name), "%u", i);
        tell_once(name, "many");
    }
    tell_once("db", "web: no");
    said = daemon_heard();
    assert_int_equal(times_said("web: no\n"), 4);
    assert_int_equal(times_said("web: never\n"), 2);
    assert_int_equal(times_said("many\n"), TOLD_MOST);
}

#define T(test) cmocka_unit_test_setup_teardown(test, daemon_setup, daemon_teardown)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(a_domain_goes_without_memory), T(devices_go_without_memory),
        T(a_name_is_settled_later),      T(what_cannot_be_read_is_later),
        T(a_maker_is_looked_after_soon), T(names_are_listed_later),
        T(each_reason_is_told_once),     T(it_is_told_again),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
