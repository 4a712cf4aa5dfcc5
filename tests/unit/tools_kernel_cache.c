/* SPDX-License-Identifier: MIT */
/*
 * Kernels that are kept: unpacked once; again as soon as anything by which the file is known
 * differs; never what was written meanwhile. Killed, two at once, without room, without memory.
 */
#define _GNU_SOURCE
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <setjmp.h>
#include <signal.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/resource.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

#include <cmocka.h>

#include <linux/magic.h>

#include "kernel_cache.h"
#include "kernel_cache_support.h"
#include "lock.h"
#include "memory.h"
#include "state.h"

static void unpacked_once(void **state)
{
    (void)state;
    for (int i = 0; i < 4; i++)
        opens(file, 1);
    assert_int_equal(unpacked, 1);
    assert_int_equal(files_in("kernels"), 1);
    assert_int_equal(files_in("tmp"), 0);
}

/* Each of what stat() says of a file that tells it from another, and from what it was. */
static void known_by_all_of_it(void **state)
{
    struct stat st = {.st_dev = 1, .st_ino = 2, .st_size = 3};
    struct stat others[7];
    char name[KERNEL_CACHE_NAME], other[KERNEL_CACHE_NAME];

    (void)state;
    for (unsigned int i = 0; i < 7; i++)
        others[i] = st;
    others[0].st_dev++;
    others[1].st_ino++;
    others[2].st_size++;
    others[3].st_mtim.tv_sec++;
    others[4].st_mtim.tv_nsec++;
    others[5].st_ctim.tv_sec++;
    others[6].st_ctim.tv_nsec++;
    kernel_cache_name(&st, 4, name);
    kernel_cache_name(&st, 5, other);
    assert_string_not_equal(name, other);
    for (unsigned int i = 0; i < 7; i++) {
        kernel_cache_name(&others[i], 4, other);
        assert_string_not_equal(name, other);
    }
    /* the longest there is: a file's name has at most 255 */
    memset(&st, 0xff, sizeof(st));
    kernel_cache_name(&st, UINT64_MAX, name);
    assert_true(strlen(name) < KERNEL_CACHE_NAME - 1);
}

/* The same by stat(), on a disk that came in another's place; and on one without a number. */
static void of_another_disk(void **state)
{
    (void)state;
    disk_is("7\n");
    opens(file, 1);
    disk_is("8\n");
    opens(file, 1);
    disk_is(NULL);
    opens(file, 1);
    opens(file, 1);
    assert_int_equal(unpacked, 4);
}

/* A number without a major is the next one's after it, whose files say of themselves what they
 * like; but in memory the times are this kernel's. */
static void without_a_disk(void **state)
{
    static const long others[] = {BTRFS_SUPER_MAGIC, OVERLAYFS_SUPER_MAGIC, NFS_SUPER_MAGIC,
                                  V9FS_MAGIC,        FUSE_SUPER_MAGIC,      XENFS_SUPER_MAGIC};
    const unsigned int nr = sizeof(others) / sizeof(others[0]);

    (void)state;
    for (unsigned int i = 0; i < nr; i++) {
        file_system_is(others[i]);
        opens(file, 1);
        opens(file, 1);
        assert_int_equal(unpacked, 2 * (i + 1));
        assert_int_equal(files_in("kernels"), 0);
    }
    file_system_is(TMPFS_MAGIC);
    opens(file, 1);
    file_system_is(RAMFS_MAGIC);
    opens(file, 1);
    assert_int_equal(unpacked, 2 * nr + 1);
    assert_int_equal(files_in("kernels"), 1);
}

/* Written anew in place: same inode and size, and the time of its content set back. */
static void changed_in_place(void **state)
{
    struct stat st;

    (void)state;
    opens(file, 1);
    assert_int_equal(stat(file, &st), 0);
    usleep(20000); /* the clock of files ticks */
    write_kernel(file, 2);
    assert_int_equal(
        utimensat(AT_FDCWD, file, (const struct timespec[]){st.st_atim, st.st_mtim}, 0), 0);
    opens(file, 2);
    assert_int_equal(unpacked, 2);
}

static void replaced(void **state)
{
    char other[PATH_MAX + 8];

    (void)state;
    opens(file, 1);
    snprintf(other, sizeof(other), "%s.new", file);
    write_kernel(other, 2);
    assert_int_equal(rename(other, file), 0);
    opens(file, 2);
    assert_int_equal(unpacked, 2);
}

static void write_another(void)
{
    write_kernel(file, 2);
}

static void touch(void)
{
    utimensat(AT_FDCWD, file, NULL, 0);
}

/* What is written while it is unpacked: the caller has what it read, the next one reads anew. */
static void changed_meanwhile(void **state)
{
    (void)state;
    usleep(20000);
    meanwhile = write_another;
    opens(file, 1);
    assert_int_equal(files_in("kernels"), 0);
    meanwhile = NULL;
    opens(file, 2);
    usleep(20000);
    remove_in("kernels");
    meanwhile = touch;
    opens(file, 2);
    assert_int_equal(files_in("kernels"), 0);
}

/* Its next change might get the same time. */
static void too_young(void **state)
{
    (void)state;
    later = KERNEL_CACHE_AGE_S - 1;
    opens(file, 1);
    assert_int_equal(files_in("kernels"), 0);
    later = -60; /* the file is of the future */
    opens(file, 1);
    assert_int_equal(files_in("kernels"), 0);
    later = KERNEL_CACHE_AGE_S + 1;
    opens(file, 1);
    assert_int_equal(files_in("kernels"), 1);
    assert_int_equal(unpacked, 3);
}

/* At most two, those used last. */
static void two_are_kept(void **state)
{
    char path[3][PATH_MAX + 8];

    (void)state;
    for (uint8_t i = 0; i < 3; i++) {
        snprintf(path[i], sizeof(path[i]), "%s.%u", file, i);
        write_kernel(path[i], i);
    }
    opens(path[0], 0);
    usleep(20000);
    opens(path[1], 1);
    usleep(20000);
    opens(path[0], 0);
    usleep(20000);
    opens(path[2], 2);
    assert_int_equal(files_in("kernels"), KERNEL_CACHE_MOST);
    opens(path[0], 0);
    opens(path[2], 2);
    assert_int_equal(unpacked, 3);
    opens(path[1], 1);
    assert_int_equal(unpacked, 4);
    assert_int_equal(files_in("kernels"), KERNEL_CACHE_MOST);
    for (unsigned int i = 0; i < 3; i++)
        unlink(path[i]);
}

static void die(void)
{
    raise(SIGKILL);
}

/* Of a child that is killed when it has written so many bytes; 0: while it unpacks. */
static void killed_after(rlim_t bytes)
{
    const struct rlimit limit = {bytes, bytes};
    int status;
    pid_t pid = fork();

    assert_true(pid >= 0);
    if (pid == 0) {
        if (bytes == 0)
            meanwhile = die;
        else
            setrlimit(RLIMIT_FSIZE, &limit); /* SIGXFSZ ends it */
        opens(file, 1);
        _exit(0);
    }
    assert_int_equal(waitpid(pid, &status, 0), pid);
    assert_true(WIFSIGNALED(status));
    assert_int_equal(files_in("kernels"), 0);
    state_sweep();
    assert_int_equal(files_in("tmp"), 0);
}

/* What it leaves is swept; the lock goes with it, and the next one is not kept waiting. */
static void killed_in_the_middle(void **state)
{
    (void)state;
    killed_after(0);
    killed_after(SIZE / 2);
    opens(file, 1);
    assert_int_equal(unpacked, 1);
    assert_int_equal(files_in("kernels"), 1);
}

/* Two want the same: one unpacks, the other waits and finds it. */
static void two_at_once(void **state)
{
    int lock = lock_take(state_path("kernels/lock"), 0), status;
    pid_t pid[2];

    (void)state;
    assert_true(lock >= 0);
    for (unsigned int i = 0; i < 2; i++) {
        pid[i] = fork();
        assert_true(pid[i] >= 0);
        if (pid[i] == 0) {
            close(lock);
            opens(file, 1);
            _exit(unpacked ? 1 : 2);
        }
    }
    usleep(100000); /* both wait, or will */
    assert_int_equal(files_in("kernels"), 0);
    close(lock);
    assert_int_equal(waitpid(pid[0], &status, 0), pid[0]);
    assert_true(WIFEXITED(status));
    lock = WEXITSTATUS(status);
    assert_int_equal(waitpid(pid[1], &status, 0), pid[1]);
    assert_true(WIFEXITED(status));
    assert_int_equal(lock + WEXITSTATUS(status), 1 + 2);
    assert_int_equal(files_in("kernels"), 1);
}

/* No room for it: nothing is kept or left, and the domain begins all the same. */
static void disk_full(void **state)
{
    struct rlimit limit, before;

    (void)state;
    assert_int_equal(getrlimit(RLIMIT_FSIZE, &before), 0);
    limit = before;
    limit.rlim_cur = SIZE / 2;
    signal(SIGXFSZ, SIG_IGN);
    setrlimit(RLIMIT_FSIZE, &limit);
    opens(file, 1);
    setrlimit(RLIMIT_FSIZE, &before);
    signal(SIGXFSZ, SIG_DFL);
    assert_int_equal(files_in("kernels"), 0);
    assert_int_equal(files_in("tmp"), 0);
    opens(file, 1);
    assert_int_equal(files_in("kernels"), 1);
    assert_int_equal(unpacked, 2);
}

/* Without the directory it is unpacked each time. */
static void nowhere_to_keep(void **state)
{
    char path[PATH_MAX];

    (void)state;
    snprintf(path, sizeof(path), "%s", state_path("kernels"));
    remove_in("kernels");
    assert_int_equal(rmdir(path), 0);
    opens(file, 1);
    opens(file, 1);
    assert_int_equal(unpacked, 2);
}

static void memory_short(void **state)
{
    (void)state;
    available = KERNEL_CACHE_LEAVE + SIZE - 1;
    opens(file, 1);
    assert_int_equal(files_in("kernels"), 0);
    available++;
    opens(file, 1);
    assert_int_equal(files_in("kernels"), 1);
    available = KERNEL_CACHE_LEAVE - 1; /* what is kept is let go */
    opens(file, 1);
    assert_int_equal(files_in("kernels"), 0);
    assert_int_equal(unpacked, 3);
}

/* What fitted one domain need not fit the next; and the words are those of the first time. */
static void larger_than_the_domain(void **state)
{
    struct file_image out;
    struct error first = {0}, e = {0};

    (void)state;
    assert_int_equal(kernel_cache_open(file, SIZE - 1, &out, &first), -EFBIG);
    opens(file, 1);
    assert_int_equal(kernel_cache_open(file, SIZE - 1, &out, &e), -EFBIG);
    assert_string_equal(e.text, first.text);
    assert_int_equal(kernel_cache_open(file, SIZE, &out, &e), 0);
    assert_int_equal(out.size, SIZE);
    file_image_close(&out);
}

/* What is not packed is read each time: it is its own copy. */
static void not_packed(void **state)
{
    struct file_image out;
    struct error e = {0};
    FILE *f = fopen(file, "w");

    (void)state;
    fputs("\177ELF\2 and more", f);
    fclose(f);
    assert_int_equal(kernel_cache_open(file, LIMIT, &out, &e), 0);
    assert_int_equal(out.size, 14);
    file_image_close(&out);
    assert_int_equal(files_in("kernels"), 0);
    assert_int_equal(kernel_cache_open("/nowhere", LIMIT, &out, &e), -ENOENT);
    assert_int_equal(kernel_cache_open(run, LIMIT, &out, &e), -EINVAL);
}

uint64_t __real_memory_available(void);

/* The kernel says it. */
static void memory_is_told(void **state)
{
    (void)state;
    assert_in_range(__real_memory_available(), 1, UINT64_MAX);
}

#define T(name) cmocka_unit_test_setup_teardown(name, set_up, clean_up)

int main(void)
{
    const struct CMUnitTest tests[] = {
        T(unpacked_once),     T(known_by_all_of_it), T(changed_in_place), T(replaced),
        T(changed_meanwhile), T(too_young),          T(two_are_kept),     T(killed_in_the_middle),
        T(two_at_once),       T(disk_full),          T(memory_short),     T(larger_than_the_domain),
        T(of_another_disk),   T(without_a_disk),     T(not_packed),       T(memory_is_told),
        T(nowhere_to_keep),
    };
    char command[PATH_MAX];
    int rc;

    if (!mkdtemp(run))
        return 1;
    setenv("PARVIS_RUN", run, 1);
    snprintf(file, sizeof(file), "%s/vmlinuz", run);
    rc = cmocka_run_group_tests(tests, NULL, NULL);
    snprintf(command, sizeof(command), "rm -r %s", run);
    return system(command) ? 1 : rc;
}
