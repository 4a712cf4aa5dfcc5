/* SPDX-License-Identifier: MIT */
/*
 * A file that has its name only when it is whole: see new_file.h.
 */
#define _GNU_SOURCE
#include "new_file.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <libgen.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "write_all.h"

#define END ".part"

/* Not error_errno(): its words for some errors are those of a hypervisor. */
static int failed(const struct new_file *f, int rc, struct error *e)
{
    return error_set(e, rc, "%s: %s", f->path, strerror(-rc));
}

/* Whose part this is, of a file of this name (NULL: any); 0: it is none. */
static pid_t writer_of(const char *part, const char *name)
{
    size_t len = name ? strlen(name) : 0, all = strlen(part);
    const char *end = all < strlen(END) ? part : part + all - strlen(END), *number = end;
    char *behind;
    long pid;

    if (all < len + strlen(END) || strcmp(end, END) != 0 ||
        strncmp(part, name ? name : "", len) != 0)
        return 0;
    while (number > part + len && number[-1] >= '0' && number[-1] <= '9')
        number--;
    if (number <= part + 1 || number[-1] != '.' || (name && number != part + len + 1))
        return 0;
    pid = strtol(number, &behind, 10);
    return behind == end && pid <= INT_MAX ? (pid_t)pid : 0;
}

void new_file_sweep(const char *folder, const char *name)
{
    DIR *dir = opendir(folder);
    const struct dirent *de;

    while (dir && (de = readdir(dir)) != NULL) {
        pid_t pid = writer_of(de->d_name, name);

        if (pid > 0 && kill(pid, 0) < 0 && errno == ESRCH)
            unlinkat(dirfd(dir), de->d_name, 0);
    }
    if (dir)
        closedir(dir);
}

static void sweep_beside(const char *path)
{
    char folder[PATH_MAX], name[PATH_MAX];

    snprintf(folder, sizeof(folder), "%s", path);
    snprintf(name, sizeof(name), "%s", path);
    new_file_sweep(dirname(folder), basename(name));
}

int new_file_open(struct new_file *f, const char *path, struct error *e)
{
    struct stat st;

    f->fd = -1;
    if ((size_t)snprintf(f->path, sizeof(f->path), "%s", path) >= sizeof(f->path) ||
        (size_t)snprintf(f->part, sizeof(f->part), "%s.%d" END, path, (int)getpid()) >=
            sizeof(f->part))
        return error_set(e, -ENAMETOOLONG, "%.64s...: %s", path, strerror(ENAMETOOLONG));
    if (stat(path, &st) == 0 && !S_ISREG(st.st_mode))
        return error_set(e, -EEXIST, "%s: it is %s, not a regular file", path,
                         S_ISDIR(st.st_mode) ? "a directory" : "a device, a pipe or a socket");
    sweep_beside(path);
    f->fd = open(f->part, O_RDWR | O_CREAT | O_EXCL | O_NOFOLLOW | O_CLOEXEC, 0600);
    return f->fd < 0 ? failed(f, -errno, e) : 0;
}

bool new_file_in_memory(const struct new_file *f)
{
    struct statfs s;

    return fstatfs(f->fd, &s) == 0 &&
           (s.f_type == TMPFS_MAGIC || (unsigned long)s.f_type == RAMFS_MAGIC);
}

int new_file_write(struct new_file *f, const void *data, size_t size, uint64_t at, struct error *e)
{
    int rc = write_all_at(f->fd, data, size, at);

    return rc ? failed(f, rc, e) : 0;
}

/* The new name outlives a power cut, too; a folder that cannot be written so has it all the same.
 */
static void sync_folder_of(const char *path)
{
    char folder[PATH_MAX];
    int fd;

    snprintf(folder, sizeof(folder), "%s", path);
    fd = open(dirname(folder), O_RDONLY | O_DIRECTORY | O_CLOEXEC);
    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

int new_file_keep(struct new_file *f, uint64_t size, struct error *e)
{
    int rc = ftruncate(f->fd, (off_t)size) < 0 || fsync(f->fd) < 0 ? -errno : 0;

    if (close(f->fd) < 0 && rc == 0)
        rc = -errno;
    f->fd = -1;
    if (rc == 0 && rename(f->part, f->path) < 0)
        rc = -errno;
    if (rc) {
        unlink(f->part);
        return failed(f, rc, e);
    }
    sync_folder_of(f->path);
    return 0;
}

void new_file_drop(struct new_file *f)
{
    if (f->fd < 0)
        return;
    close(f->fd);
    unlink(f->part);
    f->fd = -1;
}
