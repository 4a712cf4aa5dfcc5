/* SPDX-License-Identifier: MIT */
/*
 * Definitions on a FAT disk, which opens, replaces and removes what has the name in any case of
 * letters: no command changes the definition, or the mark, of another name than it was given.
 *
 * The calls that take a path are made here, as FAT makes them.
 */
#define _GNU_SOURCE
#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/wait.h>
#include <unistd.h>

#include <cmocka.h>

#include "definition.h"
#include "definition_folder.h"

/* The path of what there is: of the same name but for the case of letters, and dots at its end. */
static const char *on_fat(const char *path, char out[PATH_MAX])
{
    const char *file = strrchr(path, '/');
    size_t len = file ? strlen(++file) : 0;
    const struct dirent *de;
    DIR *dir;

    if (len == 0 || strncmp(path, folder, strlen(folder)) != 0 || strcmp(path, folder) == 0)
        return path;
    while (len > 1 && file[len - 1] == '.')
        len--;
    snprintf(out, PATH_MAX, "%.*s", (int)(file - path), path);
    dir = opendir(out);
    snprintf(out, PATH_MAX, "%.*s", (int)(file - path + len), path);
    while (dir && (de = readdir(dir)) != NULL) {
        if (strlen(de->d_name) == len && strncasecmp(de->d_name, file, len) == 0)
            snprintf(out, PATH_MAX, "%.*s%s", (int)(file - path), path, de->d_name);
    }
    if (dir)
        closedir(dir);
    return out;
}

int access(const char *path, int mode)
{
    char real[PATH_MAX];

    return (int)syscall(SYS_faccessat, AT_FDCWD, on_fat(path, real), mode);
}

int open(const char *path, int flags, ...)
{
    char real[PATH_MAX];
    va_list ap;
    int mode;

    va_start(ap, flags);
    mode = flags & O_CREAT ? va_arg(ap, int) : 0;
    va_end(ap);
    return (int)syscall(SYS_openat, AT_FDCWD, on_fat(path, real), flags, mode);
}

int unlink(const char *path)
{
    char real[PATH_MAX];

    return (int)syscall(SYS_unlinkat, AT_FDCWD, on_fat(path, real), 0);
}

static bool stops; /* this process, where it waits for another and where it would write */
static int waits[2], go_on[2];

static void stop(void)
{
    char byte;

    if (write(waits[1], "w", 1) != 1 || read(go_on[0], &byte, 1) != 1)
        _exit(2);
}

/* Whoever has it lets go of it after the next step. */
int flock(int fd, int how)
{
    int rc = (int)syscall(SYS_flock, fd, how);

    if (stops && rc < 0 && errno == EWOULDBLOCK) {
        stop();
        return (int)syscall(SYS_flock, fd, LOCK_EX);
    }
    return rc;
}

int rename(const char *from, const char *to)
{
    char a[PATH_MAX], b[PATH_MAX];

    if (stops)
        stop();
    return (int)syscall(SYS_renameat2, AT_FDCWD, on_fat(from, a), AT_FDCWD, on_fat(to, b), 0);
}

static int write_one(const char *name, struct error *e)
{
    struct domain_config c = {.name = strdup(name),
                              .kernel = strdup("/k"),
                              .memory_kib = 65536,
                              .current_kib = 65536,
                              .max_vcpus = 1,
                              .vcpus = 1};
    int rc;

    memset(e, 0, sizeof(*e));
    rc = definition_write(&c, e);
    domain_config_free(&c);
    return rc;
}

/* The names and orders of all that is defined; nothing else lies there. */
static const char *all(void)
{
    static char text[256];
    struct definition *list;
    struct findings bad = {0};
    size_t n, len = 0;

    assert_int_equal(definition_list(&list, &n, &bad), 0);
    if (bad.nr)
        fail_msg("%s", bad.list[0].text);
    text[0] = '\0';
    for (size_t i = 0; i < n; i++)
        len += (size_t)snprintf(text + len, sizeof(text) - len, "%s%s %d", i ? ", " : "",
                                list[i].cfg.name, list[i].order);
    definition_list_free(list, n);
    return text;
}

static void other_case_is_refused(void **state)
{
    struct definition d;
    struct error e = {0};

    (void)state;
    assert_int_equal(write_one("web", &e), 0);
    assert_int_equal(definition_autostart("web", 50, &e), 0);
    assert_int_equal(write_one("Web", &e), -EEXIST);
    assert_non_null(strstr(e.text, "Web: /"));
    assert_non_null(strstr(e.text, "/web.xml is there, which differs in the case of letters only"));
    assert_int_equal(definition_find("WEB", &e), -ESRCH);
    assert_int_equal(definition_read("WEB", &d, &e), -ESRCH);
    assert_int_equal(definition_remove("WEB", &e), -ESRCH);
    assert_int_equal(definition_autostart("WEB", AUTOSTART_NONE, &e), -ESRCH);
    assert_string_equal(all(), "web 50");
    assert_int_equal(write_one("web", &e), 0);
    assert_int_equal(definition_remove("web", &e), 0);
    assert_string_equal(all(), "");
    assert_int_equal(write_one("Web", &e), 0);
    assert_int_equal(definition_remove("Web", &e), 0);
}

static void put(const char *name, const char *text)
{
    char path[PATH_MAX];
    FILE *out;

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    out = fopen(path, "w");
    fputs(text, out);
    fclose(out);
}

static void gone(const char *name)
{
    char path[PATH_MAX];

    snprintf(path, sizeof(path), "%s/%s", folder, name);
    assert_int_equal(remove(path), 0);
}

/* A mark of another name is not taken for this one's: it would not start it. */
static void marks_too(void **state)
{
    struct error e = {0};

    (void)state;
    assert_int_equal(write_one("web", &e), 0);
    put("autostart/50-WEB", "");
    assert_int_equal(definition_autostart("web", 50, &e), -EEXIST);
    assert_non_null(strstr(e.text, "/autostart/50-WEB is there"));
    gone("autostart/50-WEB");
    assert_int_equal(definition_autostart("web", 50, &e), 0);
    assert_int_equal(definition_remove("web", &e), 0);
}

static void dot_at_the_end_is_refused(void **state)
{
    struct error e = {0};

    (void)state;
    assert_int_equal(write_one("web", &e), 0);
    assert_int_equal(write_one("web.", &e), -EINVAL);
    assert_string_equal(e.text, "web.: FAT disks leave out a dot at a name's end: choose another");
    put("web..xml", "<domain type='xen'><name>web.</name><memory>65536</memory><os><type>linux"
                    "</type><kernel>/k</kernel></os></domain>"); /* by hand */
    assert_int_equal(definition_autostart("web.", 50, &e), -EINVAL);
    assert_string_equal(all(), "web -1, web. -1");
    assert_int_equal(definition_remove("web.", &e), 0);
    assert_int_equal(definition_remove("web", &e), 0);
    assert_string_equal(all(), "");
}

/* What somebody called wrongly is theirs: it is not replaced as what cannot be read is. */
static void file_of_another_is_left(void **state)
{
    struct error e = {0};

    (void)state;
    put("db.xml", "<domain type='xen'><name>mail</name><memory>65536</memory><os><type>linux"
                  "</type><kernel>/k</kernel></os></domain>");
    assert_int_equal(write_one("db", &e), -EINVAL);
    assert_non_null(strstr(e.text, "/db.xml: it is of a domain mail, and not of db"));
    assert_int_equal(definition_remove("db", &e), 0);
    put("db.xml", "<domain");
    assert_int_equal(write_one("db", &e), 0);
    assert_string_equal(all(), "db -1");
    assert_int_equal(definition_remove("db", &e), 0);
}

/* Two at one moment: the first is stopped where it has looked and is about to write. */
static void other_case_at_one_moment(void **state)
{
    struct error e = {0};
    int status;
    char byte;

    (void)state;
    assert_int_equal(pipe(waits), 0);
    assert_int_equal(pipe(go_on), 0);
    for (int i = 0; i < 2; i++) {
        pid_t pid = fork();

        if (pid == 0) {
            stops = true;
            _exit(write_one(i ? "Web" : "web", &e) == (i ? -EEXIST : 0) ? 0 : 1);
        }
        assert_int_equal(read(waits[0], &byte, 1), 1);
    }
    assert_int_equal(write(go_on[1], "go", 2), 2);
    for (int i = 0; i < 2; i++) {
        assert_true(wait(&status) > 0);
        assert_int_equal(status, 0);
    }
    assert_string_equal(all(), "web -1");
    assert_int_equal(definition_remove("web", &e), 0);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test(other_case_is_refused), cmocka_unit_test(marks_too),
        cmocka_unit_test(dot_at_the_end_is_refused), cmocka_unit_test(file_of_another_is_left),
        cmocka_unit_test(other_case_at_one_moment)};

    return cmocka_run_group_tests(tests, make_folder, remove_folder);
}
