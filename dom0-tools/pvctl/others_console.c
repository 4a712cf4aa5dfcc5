/* SPDX-License-Identifier: MIT */
/*
 * The console of a domain that another program made: the terminal that its console daemon
 * (xenconsoled) serves and names in the store.
 *
 * Of several that have a terminal open each gets a part. So xenconsole, which `xl console` is,
 * holds a file while it has it; this does the same, with the same file.
 */
#include <errno.h>
#include <fcntl.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "pvctl.h"

static char lock_path[64];
static int lock = -1;

/* Its holder unlinks it before letting go: what is locked then is no longer the file. */
static bool is_the_file(int fd)
{
    struct stat held, there;

    return fstat(fd, &held) == 0 && stat(lock_path, &there) == 0 && held.st_ino == there.st_ino;
}

static int take_lock(uint32_t domid, const char *which, struct error *e)
{
    snprintf(lock_path, sizeof(lock_path), "/var/lock/xenconsole.%u", domid);
    do {
        if (lock >= 0)
            close(lock);
        lock = open(lock_path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
        if (lock < 0)
            return 0; /* nobody else can have it either */
        if (flock(lock, LOCK_EX | LOCK_NB) < 0) {
            close(lock);
            lock = -1;
            return error_set(e, -EBUSY, "%s: its console is in use already (%s is locked)", which,
                             lock_path);
        }
    } while (!is_the_file(lock));
    return 0;
}

void others_console_done(void)
{
    if (lock < 0)
        return;
    unlink(lock_path);
    close(lock);
    lock = -1;
}

/* Its path, malloc'ed, or NULL. Only the control domain writes there. */
static char *terminal_of(struct host *h, uint32_t domid)
{
    char node[64], *path = NULL;

    snprintf(node, sizeof(node), "/local/domain/%u/console/tty", domid);
    if (h->ops->store_read(h, 0, node, &path) || strncmp(path, "/dev/pts/", 9) == 0)
        return path;
    free(path);
    return NULL;
}

int others_console(struct host *h, const char *which, struct error *e)
{
    struct error cause = {0};
    struct live_domain l;
    char *path = NULL;
    int fd = lifecycle_find(h, which, &l, &cause);

    if (fd == 0)
        path = terminal_of(h, l.d.domid);
    if (!path)
        return -ENODATA;
    e->code = 0; /* there is one: what is said of it from here on counts */
    fd = take_lock(l.d.domid, which, e);
    if (fd == 0 && (fd = open(path, O_RDWR | O_NOCTTY | O_NONBLOCK | O_CLOEXEC)) < 0)
        fd = error_errno(e, -errno, "%s: its console, %s", which, path);
    if (fd < 0)
        others_console_done();
    free(path);
    return fd;
}
