/* SPDX-License-Identifier: MIT */
/*
 * A domain is taken away while the back end of its disk is connecting: what that writes into the
 * store meanwhile goes too, and what it complains of.
 */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <string.h>

#include <cmocka.h>

#include "fake_host.h"
#include "reap.h"

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

static const struct device_system fake = {.backend_lives = writes_and_lives, .sleep_ms = no_sleep};

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

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(writes_meanwhile)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
