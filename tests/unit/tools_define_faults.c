/* SPDX-License-Identifier: MIT */
/*
 * Definitions that cannot be looked at for the moment: no descriptor or memory left, a disk that
 * fails, no right. What is not seen is not taken for what is not there: nothing is written over it,
 * no uuid is given twice, and it is said why.
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
#include <sys/stat.h>
#include <unistd.h>

#include <cmocka.h>

#include "definition.h"

DIR *__wrap_opendir(const char *path);
DIR *__real_opendir(const char *path);
struct dirent *__wrap_readdir(DIR *dir);
struct dirent *__real_readdir(DIR *dir);
int __wrap_open(const char *path, int flags, ...);
int __real_open(const char *path, int flags, ...);
ssize_t __wrap_read(int fd, void *buf, size_t size);
ssize_t __real_read(int fd, void *buf, size_t size);
int __wrap_unlinkat(int dir, const char *path, int flags);
int __real_unlinkat(int dir, const char *path, int flags);

static char folder[] = "/tmp/parvis-test-XXXXXX";

/* Which call of this kind fails, counted from 1, with which errno; calls[]: so many there were. */
enum call { OPENDIR, READDIR, OPEN, READ, UNLINKAT, NR_CALLS };
static unsigned int fails[NR_CALLS], calls[NR_CALLS];
static int error;
static unsigned int rubbish, left; /* so many files of each folder are no definitions, come first */

/* From here on the nth call of this kind fails so; 0: none does, and it is counted. */
static void refuse(enum call call, unsigned int nth, int errnum)
{
    memset(calls, 0, sizeof(calls));
    memset(fails, 0, sizeof(fails));
    fails[call] = nth;
    error = errnum;
}

static bool refused(enum call call)
{
    if (++calls[call] != fails[call])
        return false;
    errno = error;
    return true;
}

DIR *__wrap_opendir(const char *path)
{
    left = rubbish;
    return refused(OPENDIR) ? NULL : __real_opendir(path);
}

struct dirent *__wrap_readdir(DIR *dir)
{
    static struct dirent one;

    if (refused(READDIR))
        return NULL;
    if (!left)
        return __real_readdir(dir);
    snprintf(one.d_name, sizeof(one.d_name), "rubbish-%u", left--);
    return &one;
}

int __wrap_open(const char *path, int flags, ...)
{
    size_t len = strlen(path);

    /* Of definitions alone. */
    if (len > 4 && strcmp(path + len - 4, ".xml") == 0 && refused(OPEN))
        return -1;
    return __real_open(path, flags, 0600);
}

ssize_t __wrap_read(int fd, void *buf, size_t size)
{
    return refused(READ) ? -1 : __real_read(fd, buf, size);
}

int __wrap_unlinkat(int dir, const char *path, int flags)
{
    return refused(UNLINKAT) ? -1 : __real_unlinkat(dir, path, flags);
}

static int write_one(const char *name, const uint8_t *uuid, struct error *e)
{
    struct domain_config c = {.name = strdup(name),
                              .kernel = strdup("/k"),
                              .memory_kib = 65536,
                              .current_kib = 65536,
                              .max_vcpus = 1,
                              .vcpus = 1,
                              .uuid_given = uuid != NULL};
    int rc;

    if (uuid)
        memcpy(c.uuid, uuid, 16);
    memset(e, 0, sizeof(*e));
    rc = definition_write(&c, e);
    domain_config_free(&c);
    return rc;
}

static const uint8_t ones_uuid[16] = {1}, others_uuid[16] = {2};

static int setup(void **state)
{
    struct error e;

    (void)state;
    refuse(OPENDIR, 0, 0);
    return mkdir(folder, 0700) || write_one("web", ones_uuid, &e) ||
           write_one("db", others_uuid, &e) || definition_autostart("web", 7, &e);
}

static int teardown(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command);
}

/* Both are as they were. */
static void all_is_there(void)
{
    struct definition d;
    struct error e = {0};

    refuse(OPENDIR, 0, 0);
    assert_int_equal(definition_read("web", &d, &e), 0);
    assert_memory_equal(d.cfg.uuid, ones_uuid, 16);
    assert_int_equal(d.order, 7);
    domain_config_free(&d.cfg);
    assert_int_equal(definition_read("db", &d, &e), 0);
    assert_memory_equal(d.cfg.uuid, others_uuid, 16);
    domain_config_free(&d.cfg);
}

/* What changes something, or asks; 0, or what it was refused with. */
static int replaces(struct error *e)
{
    return write_one("web", NULL, e); /* it would get a new uuid */
}

static int takes_anothers_uuid(struct error *e)
{
    return write_one("mail", others_uuid, e);
}

static int reads(struct error *e)
{
    struct definition d;
    int rc = definition_read("web", &d, e);

    if (rc == 0)
        domain_config_free(&d.cfg);
    return rc;
}

static int finds(struct error *e)
{
    return definition_find("web", e);
}

static int lists(struct error *e)
{
    struct definition *list = NULL;
    struct findings bad = {0};
    size_t n = 0;
    int rc = definition_list(&list, &n, &bad), told = findings_first(&bad, "", e);

    rc = rc ? rc : told;
    definition_list_free(list, n);
    findings_free(&bad);
    return rc;
}

/* Each of its calls of this kind fails once: it is refused so, and says where. */
static void each_is_told(int (*what)(struct error *e), int usually, enum call call, int errnum)
{
    struct error e = {0};
    unsigned int n;

    refuse(call, 0, 0);
    assert_int_equal(what(&e), usually);
    n = calls[call];
    assert_true(n > 0);
    for (unsigned int i = 1; i <= n; i++) {
        refuse(call, i, errnum);
        memset(&e, 0, sizeof(e));
        if (what(&e) != -errnum)
            fail_msg("call %u of %u: %s", i, n, e.text);
        assert_non_null(strstr(e.text, folder));
        all_is_there();
    }
}

static void not_written_over(void **state)
{
    (void)state;
    each_is_told(replaces, 0, OPENDIR, EMFILE);
    each_is_told(replaces, 0, READDIR, EIO);
    each_is_told(replaces, 0, OPEN, EACCES);
    each_is_told(replaces, 0, READ, EIO);
}

static void no_uuid_twice(void **state)
{
    (void)state;
    each_is_told(takes_anothers_uuid, -EEXIST, OPENDIR, ENOMEM);
    each_is_told(takes_anothers_uuid, -EEXIST, READDIR, EIO);
    each_is_told(takes_anothers_uuid, -EEXIST, OPEN, EMFILE);
    each_is_told(takes_anothers_uuid, -EEXIST, READ, EIO);
}

/* However many others there are of which it is told: more than are kept. */
static void among_much_rubbish(void **state)
{
    struct error e = {0};

    (void)state;
    rubbish = 300;
    assert_int_equal(takes_anothers_uuid(&e), -EEXIST);
    refuse(OPEN, 1, EMFILE); /* of the two that there are */
    assert_int_equal(write_one("mail", ones_uuid, &e), -EIO);
    assert_non_null(strstr(e.text, "not all of it can be read"));
    refuse(OPEN, 1, EMFILE);
    assert_int_equal(takes_anothers_uuid(&e), -EIO);
    rubbish = 0;
    all_is_there();
}

static void not_taken_for_none(void **state)
{
    (void)state;
    each_is_told(finds, 0, OPENDIR, EACCES);
    each_is_told(finds, 0, READDIR, EIO);
    each_is_told(reads, 0, OPENDIR, EMFILE);
    each_is_told(reads, 0, READ, EIO);
    each_is_told(lists, 0, OPENDIR, EMFILE);
    each_is_told(lists, 0, READDIR, EIO);
}

/* A mark that stays would start the next of this name. */
static void mark_that_stays(void **state)
{
    static const unsigned int nth[NR_CALLS] = {
        [OPENDIR] = 3, /* behind two looks whether it is there */
        [UNLINKAT] = 1,
    };
    struct error e = {0};

    (void)state;
    for (unsigned int call = 0; call < NR_CALLS; call++) {
        if (nth[call] == 0)
            continue;
        refuse(call, nth[call], EIO);
        memset(&e, 0, sizeof(e));
        assert_int_equal(definition_remove("web", &e), -EIO);
        assert_non_null(strstr(e.text, "/autostart: "));
        all_is_there();
    }
    memset(&e, 0, sizeof(e));
    assert_int_equal(definition_remove("web", &e), 0);
    assert_int_equal(definition_find("web", &e), -ESRCH);
}

int main(void)
{
    const struct CMUnitTest tests[] = {
        cmocka_unit_test_setup_teardown(not_written_over, setup, teardown),
        cmocka_unit_test_setup_teardown(no_uuid_twice, setup, teardown),
        cmocka_unit_test_setup_teardown(among_much_rubbish, setup, teardown),
        cmocka_unit_test_setup_teardown(not_taken_for_none, setup, teardown),
        cmocka_unit_test_setup_teardown(mark_that_stays, setup, teardown),
    };

    if (!mkdtemp(folder) || rmdir(folder))
        return 1;
    setenv("PARVIS_DOMAINS", folder, 1);
    setenv("PARVIS_SCHEMA", "dom0-tools/schema/domain.rng", 1);
    return cmocka_run_group_tests(tests, NULL, NULL);
}
