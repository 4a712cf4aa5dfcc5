/* SPDX-License-Identifier: MIT */
/*
 * Limits of a disk's rate, while somebody else has the kernel's file locked and is stopped: nobody
 * waits for that without end, parvisd least of all.
 */
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
#include <unistd.h>

#include <cmocka.h>

#include <linux/major.h>

#include "disk_rate.h"

#define NUMBER 4095u /* of a loop device that is not there */

static char path[] = "/tmp/parvis-rate-XXXXXX";
static uint64_t slept_us;

FILE *__real_fopen(const char *name, const char *mode);
FILE *__wrap_fopen(const char *name, const char *mode);
int __wrap_usleep(useconds_t us);

/* There is one of the kernel's files. */
FILE *__wrap_fopen(const char *name, const char *mode)
{
    if (strstr(name, "read_bps_device"))
        return __real_fopen(path, mode);
    errno = ENOENT;
    return NULL;
}

int __wrap_usleep(useconds_t us)
{
    slept_us += us;
    return 0;
}

static void assert_has(const char *text)
{
    char has[64] = "";
    FILE *f = __real_fopen(path, "re");

    assert_non_null(f);
    has[fread(has, 1, sizeof(has) - 1, f)] = '\0';
    fclose(f);
    assert_string_equal(has, text);
}

static void is_not_waited_for(void **state)
{
    const struct disk_rates some = {{4096, 0, 0, 0}}, none = {{0}};
    int held = mkstemp(path);

    (void)state;
    assert_int_equal(write(held, "7:4095 6\n", 9), 9);
    assert_int_equal(flock(held, LOCK_EX), 0);
    assert_int_equal(disk_rates_set(LOOP_MAJOR, NUMBER, &some), -EBUSY);
    assert_in_range(slept_us, 500000, 1000000);
    assert_int_equal(disk_rates_set(LOOP_MAJOR, NUMBER, &none), -EBUSY);
    disk_rates_sweep();
    assert_has("7:4095 6\n");
    close(held);
    disk_rates_sweep();
    assert_has("7:4095 6\n7:4095 0");
    unlink(path);
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(is_not_waited_for)};

    return cmocka_run_group_tests(tests, NULL, NULL);
}
