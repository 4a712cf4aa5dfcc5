/* SPDX-License-Identifier: MIT */
/*
 * Scripts of interfaces that do harm: one that leaves its process group so as not to be killed with
 * it, one that would fill the disk or the memory where our messages are; and what the log is not
 * made to say by a name.
 */
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "devices.h"
#include "fake_host.h"
#include "nic_script.h"
#include "script_process.h"
#include "unlimited.h"

#define BACK "/local/domain/0/backend/vif/5/0"

static struct fake_host *f;
static char dir[32], path[64];

static void sleep_ms(unsigned int ms)
{
    usleep(ms * 100);
}

static const struct device_system model = {.sleep_ms = sleep_ms,
                                           .script_check = script_check,
                                           .script_start = script_start,
                                           .script_look = script_look,
                                           .script_kill = script_kill,
                                           UNLIMITED};

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/scripts.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/vif\n", dir);
    device_system = &model;
    f = fake_new();
    return 0;
}

static int teardown(void **state)
{
    char command[64];

    (void)state;
    fake_free(f);
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

static void write_script(const char *text)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    fprintf(out, "#!/bin/sh\ncd %s\n%s\n", dir, text);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, 0755), 0);
    assert_int_equal(f->host.ops->store_write(&f->host, 0, BACK "/script", path), 0);
}

/* Our messages go to a file meanwhile, which has a length already. Returns its last line. */
static const char *said(void (*what)(void), off_t *size)
{
    static char text[256];
    char file[64], *line;
    int out, was = dup(STDERR_FILENO);
    ssize_t n;

    snprintf(file, sizeof(file), "%s/said", dir);
    out = open(file, O_RDWR | O_CREAT | O_APPEND | O_TRUNC | O_CLOEXEC, 0600);
    assert_int_equal(ftruncate(out, 20 << 20), 0);
    assert_int_equal(dup2(out, STDERR_FILENO), STDERR_FILENO);
    what();
    dup2(was, STDERR_FILENO);
    close(was);
    *size = lseek(out, 0, SEEK_END) - (20 << 20);
    n = pread(out, text, sizeof(text) - 1, *size + (20 << 20) - (off_t)sizeof(text) + 1);
    assert_true(n > 1);
    for (ssize_t i = 0; i < n - 1; i++)
        text[i] = text[i] == '\0' ? ' ' : text[i];
    text[n - 1] = '\0';
    close(out);
    line = strrchr(text, '\n');
    return line ? line + 1 : text + strspn(text, " ");
}

static void goes(void)
{
    nic_script_offline(&f->host, 5, 0);
}

static int open_files(void)
{
    int n = 0;

    for (int fd = 0; fd < 256; fd++)
        n += fcntl(fd, F_GETFD) >= 0;
    return n;
}

/* It is killed long before its time is over; what was there before is not its. */
static void prints_without_end(void **state)
{
    char expected[128];
    int files = open_files();
    off_t size;

    (void)state;
    snprintf(expected, sizeof(expected),
             "vif5.0: script %s/vif? offline: it printed more than 16 MiB, and was killed", dir);
    write_script("exec yes ''");
    assert_string_equal(said(goes, &size), expected);
    assert_true(size > 16 << 20);
    write_script("echo; exit 4");
    snprintf(expected, sizeof(expected), "vif5.0: script %s/vif? offline: it ended with status 4",
             dir);
    assert_string_equal(said(goes, &size), expected);
    assert_int_equal(open_files(), files);
}

/* This program as a script. */
static int leave_group(void)
{
    return setpgid(0, getpgid(getppid())) < 0 ? 1 : pause();
}

/* It joins that of who runs it: nothing is there any more by the number of its own. */
static void leaves_its_group(void **state)
{
    char *argv[] = {(char *)"/proc/self/exe", (char *)"online", NULL}, *envp[] = {NULL};
    int pid, status = 0;

    (void)state;
    pid = script_start(argv, envp);
    assert_true(pid > 0);
    while (getpgid(pid) != getpgrp())
        usleep(1000);
    script_kill(pid);
    for (int i = 0; i < 20000 && script_look(pid, &status) == -EAGAIN; i++)
        usleep(1000);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(WTERMSIG(status), SIGKILL);
}

static void lists_nothing(void)
{
    struct nic_scripts s;

    f->fail_at = f->calls + 1;
    f->fail_with = -ENOMEM;
    nic_scripts_start(&f->host, 5, 0, &s);
    assert_int_equal(s.nr, 0);
    f->fail_at = 0;
}

/* That they are not run is told. */
static void cannot_be_listed(void **state)
{
    off_t size;

    (void)state;
    write_script("");
    assert_string_equal(said(lists_nothing, &size),
                        "domain 5: the scripts of its interfaces are not run: Cannot allocate "
                        "memory");
}

int main(int argc, char **argv)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(prints_without_end, setup, teardown),
        cmocka_unit_test_setup_teardown(leaves_its_group, setup, teardown),
        cmocka_unit_test_setup_teardown(cannot_be_listed, setup, teardown),
    };

    (void)argv;
    if (argc > 1)
        return leave_group();
    return cmocka_run_group_tests(tests, NULL, NULL);
}
