/* SPDX-License-Identifier: MIT */
/*
 * What parvisd lets another process do (child.c): of all that this prints the last line is kept,
 * however much it is, and a process that it leaves behind may go on printing. Scripts, which are
 * groups of their own, are not taken for it when it is looked who has ended.
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
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "child.h"
#include "script_process.h"

static char dir[32], path[64];

static int setup(void **state)
{
    (void)state;
    strcpy(dir, "/tmp/child.XXXXXX");
    assert_non_null(mkdtemp(dir));
    snprintf(path, sizeof(path), "%s/pvctl", dir);
    child_set_pvctl(path);
    return 0;
}

static int teardown(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", dir);
    return system(command);
}

static void write_program(const char *text)
{
    FILE *out = fopen(path, "we");

    assert_non_null(out);
    fprintf(out, "#!/bin/sh\ncd %s\n%s\n", dir, text);
    assert_int_equal(fclose(out), 0);
    assert_int_equal(chmod(path, 0755), 0);
}

/* Its last message, once it has ended with this status. */
static void says(const char *program, int code, const char *message)
{
    char text[200];
    int messages, status;
    pid_t pid;

    write_program(program);
    pid = child_start("create", "/a file", NULL, &messages);
    assert_true(pid > 0);
    assert_int_equal(waitpid(0, &status, 0), pid);
    assert_int_equal(WEXITSTATUS(status), code);
    child_last_message(&messages, text, sizeof(text));
    assert_string_equal(text, message);
    assert_int_equal(messages, -1);
}

static void last_messages(void **state)
{
    (void)state;
    says("exit 1", 1, "it ended without a message");
    says("echo \"pvctl: $# $1 $2\" >&2; exit 4", 4, "2 create /a file");
    says("head -c 300000 /dev/zero | tr '\\0' '\\n' >&2; echo 'pvctl: one' >&2; echo two >&2", 0,
         "two");
    says("printf 'a\\0\\033[2Jpvctl: b: pvctl: c\\n' >&2", 0, "b: pvctl: c");
    says("printf 'a\\0\\033[2J\\377' >&2", 0, "?[2J?");
}

/* Its output is there when we have read what we wanted: whoever prints on does not end of it, but
 * is refused, as it would take memory for as long as it lives. */
static void prints_on(void **state)
{
    char file[64], refused[8] = "";
    FILE *in;

    (void)state;
    says("(until [ -e go ]; do sleep 0.01; done; echo more >&2; echo $? >printed; mv printed done) "
         "&\necho all >&2",
         0, "all");
    snprintf(file, sizeof(file), "%s/go", dir);
    fclose(fopen(file, "we"));
    snprintf(file, sizeof(file), "%s/done", dir);
    for (int i = 0; i < 20000 && access(file, F_OK) < 0; i++)
        usleep(1000);
    in = fopen(file, "re");
    assert_non_null(in);
    assert_non_null(fgets(refused, sizeof(refused), in));
    fclose(in);
    assert_int_not_equal(atoi(refused), 0);
}

static void scripts_are_not_taken(void **state)
{
    char *argv[] = {path, NULL}, *envp[] = {NULL};
    int pid, status;

    (void)state;
    write_program("exit 5");
    pid = script_start(argv, envp);
    assert_true(pid > 0);
    assert_int_equal(waitpid(0, &status, 0), -1);
    assert_int_equal(errno, ECHILD);
    while (script_look(pid, &status) == -EAGAIN)
        usleep(1000);
    assert_int_equal(WEXITSTATUS(status), 5);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(last_messages, setup, teardown),
        cmocka_unit_test_setup_teardown(prints_on, setup, teardown),
        cmocka_unit_test_setup_teardown(scripts_are_not_taken, setup, teardown),
    };

    return cmocka_run_group_tests(tests, NULL, NULL);
}
