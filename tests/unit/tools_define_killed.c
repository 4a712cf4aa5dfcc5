/* SPDX-License-Identifier: MIT */
/*
 * define, autostart and undefine that are killed, at each step once: what is defined is as it was
 * or as it was to be, and the next command goes on.
 *
 * The command is a process of its own; a step is a call of the C library's that changes files.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "definition.h"
#include "definition_folder.h"
#include "new_file.h"

static char done[16]; /* the calls: 's'ync, 'r'ename */
static int left;      /* steps until this process is killed; 0 = it is not */

static void step(void)
{
    if (left > 0 && --left == 0)
        raise(SIGKILL);
}

int unlinkat(int dir, const char *path, int flags)
{
    step();
    return (int)syscall(SYS_unlinkat, dir, path, flags);
}

int unlink(const char *path)
{
    return unlinkat(AT_FDCWD, path, 0);
}

int rename(const char *from, const char *to)
{
    step();
    strncat(done, "r", sizeof(done) - strlen(done) - 1);
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, 0);
}

int fsync(int fd)
{
    step();
    strncat(done, "s", sizeof(done) - strlen(done) - 1);
    return (int)syscall(SYS_fsync, fd);
}

int mkdir(const char *path, mode_t mode)
{
    step();
    return (int)syscall(SYS_mkdirat, AT_FDCWD, path, mode);
}

static int write_with(uint64_t mib)
{
    struct domain_config c = {.name = strdup("web"),
                              .kernel = strdup("/k"),
                              .memory_kib = mib << 10,
                              .current_kib = mib << 10,
                              .max_vcpus = 1,
                              .vcpus = 1};
    struct error e = {0};
    int rc = definition_write(&c, &e);

    domain_config_free(&c);
    return rc;
}

static int small(void)
{
    return write_with(64);
}

static int large(void)
{
    return write_with(128);
}

static int early(void)
{
    struct error e = {0};

    return definition_autostart("web", 10, &e);
}

static int late(void)
{
    struct error e = {0};

    return definition_autostart("web", 90, &e);
}

static int never(void)
{
    struct error e = {0};

    return definition_autostart("web", AUTOSTART_NONE, &e);
}

static int undefine(void)
{
    struct error e = {0};

    return definition_remove("web", &e);
}

/* Runs it in a process that is killed at this step; false: it came through. */
static bool killed(int (*command)(void), int at)
{
    int status;
    pid_t pid = fork();

    if (pid == 0) {
        left = at;
        _exit(command() ? 1 : 0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    if (!WIFSIGNALED(status))
        assert_int_equal(WEXITSTATUS(status), 0);
    return WIFSIGNALED(status);
}

/* What there is: nothing, or its memory and its order. Nothing else lies in the folder. */
static bool is_defined(uint64_t *mib, int *order)
{
    struct definition *list;
    struct findings bad = {0};
    size_t n;

    assert_int_equal(definition_list(&list, &n, &bad), 0);
    assert_int_equal(bad.code, 0);
    findings_free(&bad);
    assert_true(n <= 1);
    if (n) {
        *mib = list[0].cfg.memory_kib >> 10;
        *order = list[0].order;
    }
    definition_list_free(list, n);
    return n == 1;
}

static void one_of(int (*command)(void), uint64_t mib_before, uint64_t mib_after, int before,
                   int after)
{
    bool died = true;
    uint64_t mib;
    int at, order;

    for (at = 1; died; at++) {
        assert_int_equal(write_with(mib_before), 0);
        assert_int_equal(before == 10 ? early() : never(), 0);
        died = killed(command, at);
        assert_true(is_defined(&mib, &order));
        assert_true(mib == mib_after || (died && mib == mib_before));
        assert_true(order == after || (died && order == before));
        assert_int_equal(command(), 0); /* the next one is not hindered */
        assert_true(is_defined(&mib, &order));
        assert_true(mib == mib_after && order == after);
    }
    assert_true(at > 3);
}

static void defines(void **state)
{
    (void)state;
    one_of(large, 64, 128, 10, 10);
}

static void marks(void **state)
{
    (void)state;
    one_of(early, 64, 64, AUTOSTART_NONE, 10);
    one_of(late, 64, 64, 10, 90);
    one_of(never, 64, 64, 10, AUTOSTART_NONE);
}

/* The next domain of the name is not started with the machine because a former one was. */
static void undefines(void **state)
{
    bool died = true;
    uint64_t mib;
    int at, order;

    (void)state;
    for (at = 1; died; at++) {
        assert_int_equal(small(), 0);
        assert_int_equal(early(), 0);
        died = killed(undefine, at);
        if (is_defined(&mib, &order)) {
            assert_true(died);
            assert_int_equal(undefine(), 0);
        }
        assert_false(is_defined(&mib, &order));
        assert_int_equal(small(), 0);
        assert_true(is_defined(&mib, &order));
        assert_int_equal(order, AUTOSTART_NONE);
    }
    assert_true(at > 3);
}

/* What has its name is on the disk, and so is the name: a core, a plot, a definition. */
static void outlives_a_power_cut(void **state)
{
    struct new_file file;
    struct error e = {0};
    char path[64];

    (void)state;
    snprintf(path, sizeof(path), "%s/core", folder);
    assert_int_equal(new_file_open(&file, path, &e), 0);
    assert_int_equal(new_file_write(&file, "core", 4, 0, &e), 0);
    done[0] = '\0';
    assert_int_equal(new_file_keep(&file, 4, &e), 0);
    assert_string_equal(done, "srs");
    unlink(path);
    done[0] = '\0';
    assert_int_equal(small(), 0);
    assert_string_equal(done, "srs");
}

int main(void)
{
    const struct CMUnitTest tests[] = {cmocka_unit_test(defines), cmocka_unit_test(marks),
                                       cmocka_unit_test(undefines),
                                       cmocka_unit_test(outlives_a_power_cut)};

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
