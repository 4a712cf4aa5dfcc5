/* SPDX-License-Identifier: MIT */
/*
 * What the toolstack remembers of its domains: see state.h.
 *
 * Files are written beside their place and renamed, so a reader sees the old or the new one.
 */
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"

#define MAX_KEPT (4u << 20)

const char *state_path(const char *fmt, ...)
{
    static _Thread_local char path[PATH_MAX];
    const char *dir = getenv("PARVIS_RUN");
    size_t n = (size_t)snprintf(path, sizeof(path), "%s/", dir && *dir ? dir : "/run/parvis");
    va_list ap;

    if (n < sizeof(path)) {
        va_start(ap, fmt);
        vsnprintf(path + n, sizeof(path) - n, fmt, ap);
        va_end(ap);
    }
    return path;
}

int state_prepare(struct error *e)
{
    static const char *const dirs[] = {"", "names", "domains", "ended", "console"};

    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        const char *p = state_path("%s", dirs[i]);

        if (mkdir(p, 0700) < 0 && errno != EEXIST) {
            return error_errno(e, -errno, "%s", p);
        }
    }
    return 0;
}

static int write_file(const char *path, const char *text)
{
    char tmp[PATH_MAX];
    size_t len = strlen(text);
    int fd, rc = 0;

    if ((size_t)snprintf(tmp, sizeof(tmp), "%s.%d", path, (int)getpid()) >= sizeof(tmp)) {
        return -ENAMETOOLONG;
    }
    fd = open(tmp, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600);
    if (fd < 0) {
        return -errno;
    }
    if (write(fd, text, len) != (ssize_t)len) {
        rc = -EIO;
    }
    close(fd);
    if (rc == 0 && rename(tmp, path) < 0) {
        rc = -errno;
    }
    if (rc) {
        unlink(tmp);
    }
    return rc;
}

static int read_file(const char *path, char **out)
{
    FILE *f = fopen(path, "re");
    char *buf;
    size_t n;

    if (!f) {
        return -errno;
    }
    buf = malloc(MAX_KEPT + 1);
    if (!buf) {
        fclose(f);
        return -ENOMEM;
    }
    n = fread(buf, 1, MAX_KEPT, f);
    buf[n] = '\0';
    fclose(f);
    *out = realloc(buf, n + 1);
    return 0;
}

static bool parse_link(const char *target, struct state_entry *s, pid_t *maker)
{
    const char *slash = strchr(target, '/');
    char *end;

    *maker = 0;
    if (!slash || !uuid_parse(slash + 1, s->uuid)) {
        return false;
    }
    if (strncmp(target, "starting.", 9) == 0) {
        s->domid = UINT32_MAX;
        *maker = (pid_t)strtol(target + 9, &end, 10);
    } else {
        s->domid = (uint32_t)strtoul(target, &end, 10);
    }
    return end == slash;
}

static int get_entry(const char *name, struct state_entry *out, pid_t *maker)
{
    char target[128];
    ssize_t n;

    /* A name is checked before it becomes part of a path. */
    if (!domain_name_ok(name)) {
        return -ENOENT;
    }
    n = readlink(state_path("names/%s", name), target, sizeof(target) - 1);
    if (n < 0) {
        return -errno;
    }
    target[n] = '\0';
    snprintf(out->name, sizeof(out->name), "%s", name);
    return parse_link(target, out, maker) ? 0 : -ENOENT;
}

int state_get(const char *name, struct state_entry *out)
{
    pid_t maker;

    return get_entry(name, out, &maker);
}

bool state_matches(const struct state_entry *s, const struct host_domain *d)
{
    return s->domid == d->domid && memcmp(s->uuid, d->uuid, 16) == 0;
}

/* Is the holder of this name alive? 1, 0, or a negative errno. */
static int holder_lives(struct host *h, const struct state_entry *s, pid_t maker)
{
    struct host_domain d;
    unsigned int n = 0;
    int rc;

    if (s->domid == UINT32_MAX) {
        return kill(maker, 0) == 0 || errno == EPERM;
    }
    rc = h->ops->domain_list(h, s->domid, &d, 1, &n);
    if (rc) {
        return rc;
    }
    return n == 1 && state_matches(s, &d);
}

static int set_link(const char *name, const char *holder, const uint8_t uuid[16])
{
    char text[37], target[128], tmp[PATH_MAX];

    uuid_format(uuid, text);
    snprintf(target, sizeof(target), "%s/%s", holder, text);
    snprintf(tmp, sizeof(tmp), "%s", state_path("names/.%s.%d", name, (int)getpid()));
    unlink(tmp);
    if (symlink(target, tmp) < 0) {
        return -errno;
    }
    if (rename(tmp, state_path("names/%s", name)) < 0) {
        int err = errno;

        unlink(tmp);
        return -err;
    }
    return 0;
}

static int claim_locked(struct host *h, const char *name, const uint8_t uuid[16], struct error *e)
{
    struct state_entry s;
    char holder[32];
    pid_t maker;
    int rc = get_entry(name, &s, &maker);

    if (rc == 0) {
        rc = holder_lives(h, &s, maker);
        if (rc < 0) {
            return error_errno(e, rc, "%s: listing the domains", name);
        }
        if (rc == 1 && s.domid == UINT32_MAX) {
            return error_set(e, -EEXIST, "%s: a domain of this name is being created", name);
        }
        if (rc == 1) {
            return error_set(e, -EEXIST, "%s: a domain of this name exists already (domain %u)",
                             name, s.domid);
        }
        unlink(state_path("domains/%u.xml", s.domid));
    }
    snprintf(holder, sizeof(holder), "starting.%d", (int)getpid());
    rc = set_link(name, holder, uuid);
    return rc ? error_errno(e, rc, "%s", state_path("names/%s", name)) : 0;
}

int state_claim(struct host *h, const char *name, const uint8_t uuid[16], struct error *e)
{
    int rc = state_prepare(e), fd;

    if (rc) {
        return rc;
    }
    fd = open(state_path("lock"), O_RDWR | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0) {
        return error_errno(e, -errno, "%s", state_path("lock"));
    }
    rc = flock(fd, LOCK_EX) < 0 ? error_errno(e, -errno, "%s", state_path("lock"))
                                : claim_locked(h, name, uuid, e);
    close(fd);
    return rc;
}

int state_commit(const char *name, uint32_t domid, const uint8_t uuid[16], const char *xml,
                 struct error *e)
{
    char holder[16];
    int rc = write_file(state_path("domains/%u.xml", domid), xml);

    if (rc == 0) {
        unlink(state_path("ended/%s", name)); /* of a former domain */
        snprintf(holder, sizeof(holder), "%u", domid);
        rc = set_link(name, holder, uuid);
    }
    return rc ? error_errno(e, rc, "%s: keeping its configuration", name) : 0;
}

void state_release(const char *name, uint32_t domid)
{
    struct state_entry s;

    if (domid != UINT32_MAX) {
        unlink(state_path("domains/%u.xml", domid));
    }
    /* The name may belong to a successor by now. */
    if (state_get(name, &s) == 0 && s.domid == domid) {
        unlink(state_path("names/%s", name));
    }
}

int state_list(struct state_entry **out, size_t *nr)
{
    DIR *dir = opendir(state_path("names"));
    struct state_entry *list = NULL;
    size_t n = 0, room = 0;
    const struct dirent *de;

    if (!dir && errno != ENOENT) {
        return -errno;
    }
    while (dir && (de = readdir(dir)) != NULL) {
        if (n == room) {
            struct state_entry *more = realloc(list, (room = room ? 2 * room : 16) * sizeof(*more));

            if (!more) {
                free(list);
                closedir(dir);
                return -ENOMEM;
            }
            list = more;
        }
        if (state_get(de->d_name, &list[n]) == 0) {
            n++;
        }
    }
    if (dir) {
        closedir(dir);
    }
    *out = list;
    *nr = n;
    return 0;
}

int state_read_xml(uint32_t domid, char **xml)
{
    return read_file(state_path("domains/%u.xml", domid), xml);
}

void state_write_ended(const char *name, const char *how)
{
    if (domain_name_ok(name)) {
        write_file(state_path("ended/%s", name), how);
    }
}

char *state_read_ended(const char *name)
{
    char *text = NULL;

    if (!domain_name_ok(name) || read_file(state_path("ended/%s", name), &text) < 0) {
        return NULL;
    }
    return text;
}
