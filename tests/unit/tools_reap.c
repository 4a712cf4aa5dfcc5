/* SPDX-License-Identifier: MIT */
/*
 * Taking a domain away, step by step.
 *
 * While the back end of its disk is connecting: what that writes into the store meanwhile goes too,
 * and what it complains of. What is another's stays: the number of a domain that is gone may be
 * given again. Its entries are gone, and its name says so, when it is destroyed; where the name
 * cannot be marked the entries are still there, for the name to find. Either way nothing is left,
 * nor of a disk that it was given just then.
 */
#include <errno.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "fake_host.h"
#include "reap.h"
#include "state.h"
#include "unlimited.h"

#define BACKEND   "/local/domain/0/backend/vbd/5/51712"
#define COMPLAINT "/local/domain/0/error/backend/vbd/5/51712/error"

static struct fake_host *f;
static int turns; /* so often it is still there */

static void write_one(const char *path)
{
    assert_int_equal(f->host.ops->store_write(&f->host, 0, path, "1"), 0);
}

/* It writes until it is gone: after it was looked at for the last time, too. */
static bool writes_and_lives(const char *device)
{
    assert_string_equal(device, "vbd-5-51712");
    write_one(BACKEND "/feature-barrier");
    write_one(COMPLAINT);
    return turns > 0 && turns--;
}

static void no_sleep(unsigned int ms)
{
    (void)ms;
}

static const struct device_system fake = {
    .backend_lives = writes_and_lives, .sleep_ms = no_sleep, UNLIMITED};

static void writes_meanwhile(void **state)
{
    const uint8_t uuid[16] = {1};

    (void)state;
    device_system = &fake;
    for (int lives = 0; lives < 3; lives++) {
        struct error e = {0};
        struct reap r;

        f = fake_new();
        write_one(BACKEND "/state");
        turns = lives;
        reap_begin(&r, 5, uuid, "web", "");
        if (reap_wait(&f->host, &r, &e))
            fail_msg("%s", e.text);
        assert_int_equal(turns, 0);
        for (unsigned int i = 0; i < FAKE_ENTRIES; i++) {
            if (f->entries[i].path && strstr(f->entries[i].path, "/vbd/5"))
                fail_msg("%s is left", f->entries[i].path);
        }
        fake_free(f);
    }
}

static const uint8_t gone[16] = {1};
static uint32_t number;

/* Another domain gets the number of the one that is taken away, with all that belongs to one. */
static void give_number_again(void)
{
    const struct host_create c = {.uuid = {2}, .max_vcpus = 1};
    char path[64];

    assert_int_equal(f->host.ops->domain_create(&f->host, &c, &number), 0);
    snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%u/51712/state", number);
    write_one(path);
    snprintf(path, sizeof(path), "/local/domain/%u/name", number);
    write_one(path);
    assert_int_equal(state_keep("other", number, "<domain/>", NULL), 0);
}

static bool given_while_it_lives(const char *device)
{
    (void)device;
    if (!fake_domain(f, number)) {
        f->host.ops->store_rm(&f->host, 0, "/local/domain/0/backend/vbd/1");
        give_number_again();
    }
    return true;
}

static void assert_other_is_whole(void)
{
    struct state_entry s;
    char path[64], *xml;

    assert_non_null(fake_domain(f, number));
    snprintf(path, sizeof(path), "/local/domain/0/backend/vbd/%u/51712/state", number);
    assert_non_null(fake_read(f, path));
    snprintf(path, sizeof(path), "/local/domain/%u/name", number);
    assert_non_null(fake_read(f, path));
    assert_int_equal(state_read_xml(number, &xml), 0);
    free(xml);
    assert_int_equal(state_get("web", &s), -ENOENT); /* this was the other's to give back */
}

/* The domain is gone by itself, and its number another's: before its devices are looked for
 * (at = 0), while its back ends are waited for. */
static void numbers_are_given_again(void **state)
{
    const struct device_system lives = {
        .backend_lives = given_while_it_lives, .sleep_ms = no_sleep, UNLIMITED};
    struct error e = {0};
    struct reap r;

    (void)state;
    for (int at = 0; at < 2; at++) {
        char dir[] = "/tmp/parvis-test-XXXXXX", command[64];

        setenv("PARVIS_RUN", mkdtemp(dir), 1);
        assert_int_equal(state_prepare(NULL), 0);
        f = fake_new();
        device_system = &lives;
        number = 1;
        assert_int_equal(symlink("1/01000000-0000-0000-0000-000000000000", state_path("names/web")),
                         0);
        write_one("/local/domain/0/backend/vbd/1/51712/state");
        if (at == 0)
            (void)given_while_it_lives("");
        reap_begin(&r, number, gone, "web", "destroyed");
        if (reap_wait(&f->host, &r, &e))
            fail_msg("%s", e.text);
        assert_other_is_whole();
        fake_free(f);
        snprintf(command, sizeof(command), "rm -r %s", dir);
        assert_int_equal(system(command), 0);
    }
}

#define TARGET "7/01000000-0000-0000-0000-000000000000"

static const struct host_ops *fakes;
static bool had_entries, was_ending; /* when it was destroyed */
static bool attached;                /* somebody gives it a disk just then */

static int destroy_and_look(struct host *h, uint32_t domid)
{
    struct state_entry s;

    assert_int_equal(state_get("web", &s), 0);
    was_ending = s.ending;
    had_entries = fake_read(f, "/local/domain/7/name") != NULL;
    if (attached) {
        write_one("/local/domain/7/device/vbd/51712/state");
        write_one("/local/domain/0/backend/vbd/7/51712/state");
    }
    return fakes->domain_destroy(h, domid);
}

/* A state directory with this one name; without tmp/ nothing in it can be changed. Where its lock
 * is a directory nobody can have it. */
static void make_state(char *dir, bool room, bool locked)
{
    assert_non_null(mkdtemp(dir));
    setenv("PARVIS_RUN", dir, 1);
    assert_int_equal(mkdir(state_path("names"), 0700), 0);
    if (room)
        assert_int_equal(mkdir(state_path("tmp"), 0700), 0);
    if (locked)
        assert_int_equal(mkdir(state_path("lock"), 0700), 0);
    assert_int_equal(symlink(TARGET, state_path("names/web")), 0);
}

static void drop_state(const char *dir)
{
    remove(state_path("lock"));
    rmdir(state_path("tmp"));
    assert_int_equal(rmdir(state_path("names")), 0);
    assert_int_equal(rmdir(dir), 0);
    unsetenv("PARVIS_RUN");
}

static void order(void **state)
{
    const uint8_t uuid[16] = {1};

    (void)state;
    device_system = &fake;
    turns = 0;
    for (int at = 0; at < 5; at++) {
        bool locked = at == 4, marked = at & 1;
        char dir[] = "/tmp/parvis-reap-XXXXXX";
        struct host_ops ops;
        struct error e = {0};
        struct state_entry s;
        struct reap r;

        attached = at & 2;
        make_state(dir, marked || locked, locked);
        f = fake_new();
        fakes = f->host.ops;
        ops = *fakes;
        ops.domain_destroy = destroy_and_look;
        f->host.ops = &ops;
        write_one("/local/domain/7/name");
        write_one("/local/domain/7/device");
        write_one("/local/domain/7/vm/01000000-0000-0000-0000-000000000000/name");
        write_one("/vm/01000000-0000-0000-0000-000000000000/name"); /* as `xl rename` does */
        reap_begin(&r, 7, uuid, "web", "");
        if (reap_wait(&f->host, &r, &e))
            fail_msg("%s", e.text);
        assert_int_equal(was_ending, marked);
        assert_int_equal(had_entries, !marked);
        assert_null(fake_read(f, "/local/domain/7/name"));
        assert_null(fake_read(f, "/local/domain/7/device/vbd/51712/state"));
        assert_null(fake_read(f, "/local/domain/0/backend/vbd/7/51712/state"));
        assert_null(fake_read(f, "/local/domain/7/vm/01000000-0000-0000-0000-000000000000/name"));
        assert_null(fake_read(f, "/vm/01000000-0000-0000-0000-000000000000/name"));
        assert_int_equal(state_get("web", &s), -ENOENT);
        f->host.ops = fakes;
        fake_free(f);
        drop_state(dir);
    }
}

#define NEXT "8/02000000-0000-0000-0000-000000000000"

static int claimer = -1; /* the lock of one who claims the name, and has looked at it already */
static bool last_look;   /* the next one's entry is there before the last look at the name */

void __real_limit_set(unsigned int ms);
void __wrap_limit_set(unsigned int ms);

/* Waited for, it writes over what it has looked at. */
void __wrap_limit_set(unsigned int ms)
{
    if (claimer >= 0) {
        assert_int_equal(state_write_link(state_path("names/web"), NEXT), 0);
        close(claimer);
    }
    claimer = -1;
    __real_limit_set(ms);
}

static int destroy_and_go_on(struct host *h, uint32_t domid)
{
    int rc = fakes->domain_destroy(h, domid);

    if (last_look)
        assert_int_equal(state_write_link(state_path("names/web"), NEXT), 0);
    else
        claimer = state_lock(0);
    return rc;
}

/* Somebody claims the name while the last pages of its domain go: it has it from then on, and no
 * word of how another ended, which is kept where the name is nobody's yet. */
static void next_one_has_the_name(void **state)
{
    const uint8_t uuid[16] = {1}, next[16] = {2};

    (void)state;
    device_system = &fake;
    turns = 0;
    for (int at = 0; at < 2; at++) {
        char dir[] = "/tmp/parvis-reap-XXXXXX", *ended;
        struct host_ops ops;
        struct error e = {0};
        struct state_entry s;
        struct reap r;

        last_look = at;
        make_state(dir, true, false);
        assert_int_equal(mkdir(state_path("ended"), 0700), 0);
        f = fake_new();
        fakes = f->host.ops;
        ops = *fakes;
        ops.domain_destroy = destroy_and_go_on;
        f->host.ops = &ops;
        reap_begin(&r, 7, uuid, "web", "destroyed");
        if (reap_wait(&f->host, &r, &e))
            fail_msg("%s", e.text);
        assert_int_equal(claimer, -1);
        assert_int_equal(state_get("web", &s), 0);
        assert_int_equal(s.domid, 8);
        assert_memory_equal(s.uuid, next, 16);
        ended = state_read_ended("web");
        assert_true(last_look ? !ended : ended && strcmp(ended, "destroyed") == 0);
        free(ended);
        f->host.ops = fakes;
        fake_free(f);
        unlink(state_path("ended/web"));
        assert_int_equal(rmdir(state_path("ended")), 0);
        assert_int_equal(unlink(state_path("names/web")), 0);
        drop_state(dir);
    }
}

/* Whose the number is cannot be told: nothing is taken, and who asked is told. */
static void number_that_is_not_known(void **state)
{
    const struct host_create c = {.uuid = {1}, .max_vcpus = 1};
    struct error e = {0};
    struct reap r;

    (void)state;
    device_system = &fake;
    turns = 0;
    f = fake_new();
    assert_int_equal(f->host.ops->domain_create(&f->host, &c, &number), 0);
    reap_begin(&r, number, (const uint8_t[16]){2}, "web", "");
    f->calls = 0;
    f->fail_at = 1;
    assert_int_equal(reap_wait(&f->host, &r, &e), -ENOMEM);
    assert_string_equal(e.text, "web: listing the domains: not enough memory");
    assert_non_null(fake_domain(f, number));
    fake_free(f);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(writes_meanwhile), cmocka_unit_test(numbers_are_given_again),
        cmocka_unit_test(order), cmocka_unit_test(next_one_has_the_name),
        cmocka_unit_test(number_that_is_not_known)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
