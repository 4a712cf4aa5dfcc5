/* SPDX-License-Identifier: MIT */
/*
 * What the toolstack remembers of its domains: see state.h. Files: state_file.c.
 */
#define _GNU_SOURCE /* locks of open file descriptions */
#include "state.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "config.h"
#include "lock.h"
#include "restart.h"
#include "store.h"

#define LAST_MADE  "tmp" /* of the directories: where it is, the others are */
#define RELEASE_MS 1000u /* a claim that cannot be given up within that ends with its process */

int state_prepare(struct error *e)
{
    static const char *const dirs[] = {"",        "names",   "making",  "domains", "ended",
                                       "restart", "carried", "console", "kernels", LAST_MADE};

    for (size_t i = 0; i < sizeof(dirs) / sizeof(dirs[0]); i++) {
        const char *p = state_path("%s", dirs[i]);

        if (mkdir(p, 0700) < 0 && errno != EEXIST)
            return error_errno(e, -errno, "%s", p);
    }
    return 0;
}

/* "7/UUID", "7/UUID/NAME", "making.123/UUID", "making.123/UUID/NAME", "making.123.7/UUID",
 * "ending.7/UUID" */
static bool parse_link(const char *target, struct state_entry *s)
{
    const char *slash = strchr(target, '/'), *of = slash ? strchr(slash + 1, '/') : NULL;
    char *end = (char *)(uintptr_t)target, uuid[128] = "";

    s->domid = UINT32_MAX;
    s->maker = 0;
    if (slash)
        snprintf(uuid, sizeof(uuid), "%.*s", (int)strcspn(slash + 1, "/"), slash + 1);
    if (!uuid_parse(uuid, s->uuid))
        return false;
    snprintf(s->former, sizeof(s->former), "%.64s", of ? of + 1 : "");
    if (strncmp(target, "making.", 7) == 0) {
        s->maker = (pid_t)strtol(target + 7, &end, 10);
        end += *end == '.';
    }
    s->ending = strncmp(target, "ending.", 7) == 0;
    if (s->ending)
        end += 7;
    if (end != slash)
        s->domid = (uint32_t)strtoul(end, &end, 10);
    return end == slash;
}

static int get_entry_at(int dir, const char *path, const char *name, struct state_entry *out)
{
    char target[128];
    ssize_t n = readlinkat(dir, path, target, sizeof(target) - 1);

    if (n < 0)
        return -errno;
    target[n] = '\0';
    memset(out, 0, sizeof(*out));
    memcpy(out->name, name, strlen(name)); /* of a length that a name may have */
    return parse_link(target, out) ? 0 : -ENOENT;
}

static int get_entry(const char *name, struct state_entry *out)
{
    /* A name is checked before it becomes part of a path. */
    if (!domain_name_ok(name))
        return -ENOENT;
    return get_entry_at(AT_FDCWD, state_path("names/%s", name), name, out);
}

/* The lock is asked for, not taken: who looks is never taken for a maker. What a maker has is not
 * anybody's because we have no descriptor left. */
static bool maker_lives(const char *name)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(state_path("making/%s", name), O_RDWR | O_CLOEXEC);
    bool lives;

    if (fd < 0)
        return errno != ENOENT;
    lives = fcntl(fd, F_OFD_GETLK, &lock) < 0 || lock.l_type != F_UNLCK;
    close(fd);
    return lives;
}

/* Race: a maker may finish between our look at the link and at its lock. It changes the link
 * first, so a maker that seems to be gone is one if the link is still the same. */
int state_get(const char *name, struct state_entry *out)
{
    struct state_entry again;
    int rc = get_entry(name, out);

    while (rc == 0 && out->maker && !maker_lives(name)) {
        rc = get_entry(name, &again);
        if (rc == 0 && memcmp(&again, out, sizeof(again)) == 0) {
            out->abandoned = true;
            break;
        }
        *out = again;
    }
    return rc;
}

/* What has run is whole, and has an entry with its number. */
bool state_matches(const struct state_entry *s, const struct host_domain *d)
{
    return memcmp(s->uuid, d->uuid, 16) == 0 &&
           (s->domid == d->domid ||
            (s->domid == UINT32_MAX && !d->dying && d->paused && d->cpu_time_ns == 0));
}

static int set_link(const char *name, const char *holder, const uint8_t uuid[16])
{
    char text[37], target[128];

    uuid_format(uuid, text);
    snprintf(target, sizeof(target), "%s/%s", holder, text);
    return state_write_link(state_path("names/%s", name), target);
}

/* The lock that says that we live; a process makes one domain at a time. */
static int claim_lock = -1;

static int take_claim_lock(const char *name)
{
    struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET};
    int fd = open(state_path("making/%s", name), O_RDWR | O_CREAT | O_CLOEXEC, 0600), rc = 0;

    if (fd < 0)
        return -errno;
    if (fcntl(fd, F_OFD_SETLK, &lock) < 0) {
        rc = errno == EAGAIN || errno == EACCES ? -EEXIST : -errno;
        close(fd);
        return rc;
    }
    claim_lock = fd;
    return 0;
}

static void drop_claim_lock(void)
{
    if (claim_lock >= 0) {
        close(claim_lock);
        claim_lock = -1;
    }
}

static int refuse_holder(const struct state_entry *s, const char *name, struct error *e)
{
    bool same_name = strcmp(s->name, name) == 0;

    if (s->maker && same_name && s->former[0])
        return error_set(e, -EEXIST, "%s: %s is being given this name, by process %d", name,
                         s->former, (int)s->maker);
    if (s->maker && same_name)
        return error_set(e, -EEXIST, "%s: a domain of this name is being created by process %d",
                         name, (int)s->maker);
    if (s->maker)
        return error_set(e, -EEXIST, "%s: <uuid>: %s, which is being created, has this uuid", name,
                         s->name);
    if (same_name)
        return error_set(e, -EEXIST, "%s: a domain of this name exists already (domain %u)", name,
                         s->domid);
    return error_set(e, -EEXIST, "%s: <uuid>: domain %u (%s) has this uuid already", name, s->domid,
                     s->name);
}

int state_lives(struct host *h, const struct state_entry *s)
{
    struct host_domain d;
    unsigned int n = 0;
    int rc = h->ops->domain_list(h, s->domid, &d, 1, &n);

    return rc ? rc : n == 1 && state_matches(s, &d) && !d.dying;
}

/* Those who may have the name or, where it is not new, the uuid. */
static int candidates(const char *name, bool new_uuid, struct state_entry **out, size_t *n)
{
    if (!new_uuid)
        return state_list(out, n);
    *out = malloc(sizeof(**out));
    *n = *out && state_get(name, *out) == 0;
    return *out ? 0 : -ENOMEM;
}

static int refuse_holders(struct host *h, const char *name, const uint8_t uuid[16], bool new_uuid,
                          struct error *e)
{
    struct state_entry *all;
    size_t n;
    int rc = candidates(name, new_uuid, &all, &n);

    if (rc)
        return error_errno(e, rc, "%s", state_path("names"));
    for (size_t i = 0; i < n && rc == 0; i++) {
        if (strcmp(all[i].name, name) != 0 && memcmp(all[i].uuid, uuid, 16) != 0)
            continue;
        rc = all[i].maker ? !all[i].abandoned : state_lives(h, &all[i]);
        rc = rc < 0          ? error_errno(e, rc, "%s: listing the domains", name)
             : rc > 0        ? refuse_holder(&all[i], name, e)
             : all[i].ending ? store_refuse_left(h, all[i].domid, all[i].uuid, name, e)
                             : 0;
    }
    free(all);
    return rc;
}

static int claim_locked(const char *name, const char *former, const uint8_t uuid[16],
                        struct error *e)
{
    char text[37], target[128];
    int rc = take_claim_lock(name);

    if (rc)
        return error_errno(e, rc, "%s", state_path("making/%s", name));
    uuid_format(uuid, text);
    snprintf(target, sizeof(target), "making.%d/%s%s%.64s", (int)getpid(), text, *former ? "/" : "",
             former);
    rc = state_write_link(state_path("names/%s", name), target);
    if (rc) {
        unlink(state_path("making/%s", name));
        drop_claim_lock();
        return error_errno(e, rc, "%s", state_path("names/%s", name));
    }
    return 0;
}

int state_lock(unsigned int limit_ms)
{
    return lock_take(state_path("lock"), limit_ms);
}

static int claim(struct host *h, const char *name, const char *former, const uint8_t uuid[16],
                 bool new_uuid, struct error *e)
{
    int rc = access(state_path(LAST_MADE), F_OK) < 0 ? state_prepare(e) : 0, lock;

    if (rc)
        return rc;
    lock = state_lock(LOCK_LIMIT_MS);
    if (lock < 0)
        return lock_refused(e, lock, state_path("lock"));
    rc = refuse_holders(h, name, uuid, new_uuid, e);
    rc = rc ? rc : claim_locked(name, former, uuid, e);
    close(lock);
    return rc;
}

int state_claim(struct host *h, const char *name, const uint8_t uuid[16], bool new_uuid,
                struct error *e)
{
    return claim(h, name, "", uuid, new_uuid, e);
}

int state_claim_for(struct host *h, const char *name, const char *former, const uint8_t uuid[16],
                    struct error *e)
{
    return claim(h, name, former, uuid, true, e);
}

int state_claim_number(const char *name, uint32_t domid, const uint8_t uuid[16], struct error *e)
{
    char holder[48];
    int rc;

    snprintf(holder, sizeof(holder), "making.%d.%u", (int)getpid(), domid);
    rc = set_link(name, holder, uuid);
    return rc ? error_errno(e, rc, "%s", state_path("names/%s", name)) : 0;
}

int state_keep(const char *name, uint32_t domid, const char *xml, struct error *e)
{
    int rc = 0;

    if (!restart_keeps(name, domid, xml))
        rc = state_write_file(state_path("domains/%u.xml", domid), xml);
    if (rc)
        return error_errno(e, rc, "%s: keeping its configuration in %s", name,
                           state_path("domains"));
    unlink(state_path("ended/%s", name));
    return 0;
}

static int commit_locked(const char *name, uint32_t domid, const uint8_t uuid[16], struct error *e)
{
    struct state_entry s;
    char holder[16];
    int rc;

    /* It may have ended by now, and its name been given back. */
    if (get_entry(name, &s) == 0 && s.maker == getpid() && s.domid == domid) {
        snprintf(holder, sizeof(holder), "%u", domid);
        rc = set_link(name, holder, uuid);
        if (rc)
            return error_errno(e, rc, "%s", state_path("names/%s", name));
        unlink(state_path("making/%s", name));
        /* Moved by now, it is what follows this life, which has ended: restart_intend(). */
        if (access(state_path("domains/%u.xml", domid), F_OK) == 0)
            restart_forget(name);
    }
    drop_claim_lock();
    return 0;
}

/* Race: behind our look at the entry its name may be given back and claimed by another. */
int state_commit(const char *name, uint32_t domid, const uint8_t uuid[16], struct error *e)
{
    int lock = state_lock(LOCK_LIMIT_MS), rc;

    if (lock < 0)
        return lock_refused(e, lock, state_path("lock"));
    rc = commit_locked(name, domid, uuid, e);
    close(lock);
    return rc;
}

static int mark_locked(const char *name, uint32_t domid, const uint8_t uuid[16])
{
    struct state_entry s;
    char holder[32];

    if (get_entry(name, &s) || s.maker || s.ending || s.domid != domid ||
        memcmp(s.uuid, uuid, 16) != 0)
        return 0;
    snprintf(holder, sizeof(holder), "ending.%u", domid);
    return set_link(name, holder, uuid);
}

/* Race: the same, where two take it away. */
int state_mark_ending(const char *name, uint32_t domid, const uint8_t uuid[16])
{
    int lock = state_lock(RELEASE_MS), rc;

    if (lock < 0)
        return lock;
    rc = mark_locked(name, domid, uuid);
    close(lock);
    return rc;
}

/* A claim without number yet is its maker's, or, when that one is gone, anybody's. */
static bool may_release(const struct state_entry *s, uint32_t domid, const uint8_t uuid[16])
{
    return memcmp(s->uuid, uuid, 16) == 0 &&
           (s->domid == domid || (s->domid == UINT32_MAX && s->maker &&
                                  (s->maker == getpid() || !maker_lives(s->name))));
}

void state_release(const char *name, uint32_t domid, const uint8_t uuid[16])
{
    if (domid != UINT32_MAX)
        unlink(state_path("domains/%u.xml", domid));
    state_release_name(name, domid, uuid);
}

static void release_name(const char *name, uint32_t domid, const uint8_t uuid[16])
{
    struct state_entry s;

    if (get_entry(name, &s) || !may_release(&s, domid, uuid))
        return; /* the name belongs to a successor by now */
    unlink(state_path("names/%s", name));
    if (s.maker)
        unlink(state_path("making/%s", name));
    if (s.maker == getpid())
        drop_claim_lock();
}

/* Race: a claim may become somebody else's, or a domain's entry (kept_rename()), behind our look
 * at it; and who claims the name of a domain that is gone writes over its entry. If somebody is at
 * it for longer, a domain's name is free all the same. */
void state_release_name(const char *name, uint32_t domid, const uint8_t uuid[16])
{
    int lock = state_lock(RELEASE_MS);

    if (domid != UINT32_MAX || lock >= 0)
        release_name(name, domid, uuid);
    if (lock >= 0)
        close(lock);
}

/* A maker may be killed before its claim is written, or when the name is its domain's already.
 * While we look nobody claims; who is just claiming is not waited for. */
static void sweep_claims(void)
{
    int lock = state_lock(0);
    DIR *dir = lock >= 0 ? opendir(state_path("making")) : NULL;
    const struct dirent *de;
    struct state_entry s;

    while (dir && (de = readdir(dir)) != NULL) {
        if (domain_name_ok(de->d_name) && !maker_lives(de->d_name) &&
            (get_entry(de->d_name, &s) || !s.maker))
            unlinkat(dirfd(dir), de->d_name, 0);
    }
    if (dir)
        closedir(dir);
    if (lock >= 0)
        close(lock);
}

void state_sweep(void)
{
    DIR *dir = opendir(state_path("tmp"));
    const struct dirent *de;

    while (dir && (de = readdir(dir)) != NULL) {
        char *end;
        long pid = strtol(de->d_name, &end, 10);

        if (pid > 0 && *end == '\0' && kill((pid_t)pid, 0) < 0 && errno == ESRCH)
            unlinkat(dirfd(dir), de->d_name, 0);
    }
    if (dir)
        closedir(dir);
    sweep_claims();
}

/* One of the open directory: most are whole, and need no second look. */
static int get_listed(int dir, const char *name, struct state_entry *out)
{
    int rc = domain_name_ok(name) ? get_entry_at(dir, name, name, out) : -ENOENT;

    return rc == 0 && out->maker ? state_get(name, out) : rc;
}

int state_list(struct state_entry **out, size_t *nr)
{
    DIR *dir = opendir(state_path("names"));
    struct state_entry *list = NULL;
    size_t n = 0, room = 0;
    const struct dirent *de;

    if (!dir && errno != ENOENT)
        return -errno;
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
        if (get_listed(dirfd(dir), de->d_name, &list[n]) == 0)
            n++;
    }
    if (dir)
        closedir(dir);
    *out = list;
    *nr = n;
    return 0;
}

int state_read_xml(uint32_t domid, char **xml)
{
    return state_read_file(state_path("domains/%u.xml", domid), xml);
}

int state_write_ended(const char *name, const char *how)
{
    int rc;

    if (!domain_name_ok(name))
        return 0;
    rc = state_write_file(state_path("ended/%s", name), how);
    restart_forget(name);
    return rc;
}

char *state_read_ended(const char *name)
{
    char *text = NULL;

    if (!domain_name_ok(name) || state_read_file(state_path("ended/%s", name), &text) < 0)
        return NULL;
    return text;
}
