/* SPDX-License-Identifier: MIT */
/*
 * Changing what is kept of a live domain: see kept.h.
 *
 * The file is its own lock (flock), so a domain has one of its own, nothing is left of it, and who
 * is killed holds none. It is replaced, not written: who has got the lock looks whether that is
 * still the file, and the new one is locked before it has the name.
 *
 * Race: the domain may end meanwhile, and its file be moved (restart.h), removed, or replaced by
 * parvisd, which waits for nobody (parvisd/aside.h). So the new file takes the place of the one
 * that was locked, and of no other: nothing is left of a domain that has gone, what was put aside
 * stays so, and who wanted a change is told that it is lost.
 */
#define _GNU_SOURCE /* renameat2 */
#include "kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <unistd.h>

#include "lock.h"
#include "lock_holder.h"
#include "state.h"
#include "store.h"

#define RENAME_MS 1000u /* for that long parvisd serves nobody, if one who claims is stopped */

static int has_ended(const char *name, struct error *e)
{
    return error_set(e, -ESRCH, "%s: it has ended meanwhile", name);
}

static bool is_file(int fd, const char *path)
{
    struct stat ours, there;

    return fstat(fd, &ours) == 0 && stat(path, &there) == 0 && there.st_ino == ours.st_ino &&
           there.st_dev == ours.st_dev;
}

/* Returns a descriptor whose close() lets the next one; -ENOENT: it is not there any more. */
static int lock_file(uint32_t domid, unsigned int limit_ms)
{
    for (;;) {
        int fd = open(state_path("domains/%u.xml", domid), O_RDWR | O_CLOEXEC), rc;

        if (fd < 0)
            return -errno;
        rc = lock_take_open(fd, limit_ms);
        if (rc == 0 && is_file(fd, state_path("domains/%u.xml", domid)))
            return fd;
        close(fd);
        if (rc)
            return rc;
    }
}

/* The file at tmp for the one that is locked; -ENOENT: that is not there any more. */
static int put_in_place(const char *tmp, uint32_t domid, int locked)
{
    const char *path = state_path("domains/%u.xml", domid);

    if (renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_EXCHANGE) < 0)
        return -errno;
    if (is_file(locked, tmp))
        return 0;
    return renameat2(AT_FDCWD, tmp, AT_FDCWD, path, RENAME_EXCHANGE) < 0 ? -errno : -ENOENT;
}

/* Returns the lock of the new file. */
static int exchange(uint32_t domid, const char *xml, int locked)
{
    char tmp[PATH_MAX];
    int rc, fd;

    snprintf(tmp, sizeof(tmp), "%s", state_path("tmp/%d", (int)getpid()));
    rc = state_write_file(tmp, xml);
    if (rc)
        return rc;
    fd = open(tmp, O_RDWR | O_CLOEXEC);
    rc = fd < 0 ? -errno : lock_take_open(fd, 0);
    rc = rc ? rc : put_in_place(tmp, domid, locked);
    unlink(tmp);
    if (rc && fd >= 0)
        close(fd);
    return rc ? rc : fd;
}

static int change_locked(uint32_t domid, const char *name, const struct kept_change *k, int locked,
                         struct error *e)
{
    struct domain_config cfg;
    char *xml;
    int rc = state_read_xml(domid, &xml), lock;

    if (rc)
        return error_errno(e, rc, "%s: its kept configuration", name);
    rc = domain_config_parse(xml, strlen(xml), "kept configuration", &cfg, e);
    free(xml);
    if (rc)
        return rc;
    rc = k->change(&cfg, k->arg);
    xml = rc ? NULL : domain_config_to_xml(&cfg, -1);
    domain_config_free(&cfg);
    if (rc)
        return rc;
    lock = xml ? exchange(domid, xml, locked) : -ENOMEM;
    free(xml);
    if (lock == -ENOENT)
        return has_ended(name, e);
    if (lock < 0)
        return error_errno(e, lock, "%s: keeping its configuration", name);
    if (k->then)
        k->then(k->arg);
    close(lock);
    return 0;
}

static int is_being_changed(uint32_t domid, const char *name, struct error *e)
{
    char holder[LOCK_HOLDER] = "another process";
    struct stat st;

    if (stat(state_path("domains/%u.xml", domid), &st) == 0)
        lock_holder(&st, holder);
    return error_set(e, -EBUSY, "%s: %s is changing it", name, holder);
}

int kept_change_of(uint32_t domid, const char *name, const struct kept_change *k, struct error *e)
{
    int lock = lock_file(domid, k->limit_ms), rc;

    if (lock == -ENOENT)
        return has_ended(name, e);
    if (lock == -EBUSY)
        return is_being_changed(domid, name, e);
    if (lock < 0)
        return error_errno(e, lock, "%s", state_path("domains/%u.xml", domid));
    rc = change_locked(domid, name, k, lock, e);
    close(lock);
    return rc;
}

int kept_change(const struct live_domain *l, int (*change)(struct domain_config *cfg, void *arg),
                void *arg, struct error *e)
{
    const struct kept_change k = {.change = change, .arg = arg, .limit_ms = LOCK_LIMIT_MS};

    return l->ours ? kept_change_of(l->d.domid, l->name, &k, e) : 0;
}

static int put_name(struct domain_config *cfg, void *name)
{
    char *copy = strdup(name);

    if (!copy)
        return -ENOMEM;
    free(cfg->name);
    cfg->name = copy;
    return 0;
}

int kept_write_name(struct host *h, const struct live_domain *l, const char *name, struct error *e)
{
    char copy[65];
    const struct kept_change k = {.change = put_name, .arg = copy};
    int rc;

    snprintf(copy, sizeof(copy), "%s", name);
    rc = kept_change_of(l->d.domid, l->name, &k, e);
    if (rc)
        return e->code ? rc : error_errno(e, rc, "%s: keeping its name", l->name);
    rc = store_domain_rename(h, l->d.domid, l->d.uuid, name);
    return rc ? error_errno(e, rc, "%s: writing its name into the store", l->name) : 0;
}

int kept_settle_name(struct host *h, const struct live_domain *l, struct error *e)
{
    struct error none = {0};
    struct domain_config cfg;
    char *name = NULL, *xml;
    bool same = store_domain_name(h, l->d.domid, &name) == 0 && strcmp(name, l->name) == 0;
    int rc = state_read_xml(l->d.domid, &xml);

    free(name);
    if (rc == -ENOENT)
        return 0; /* it has ended */
    if (rc)
        return error_errno(e, rc, "%s: its kept configuration", l->name);
    if (domain_config_parse(xml, strlen(xml), "kept configuration", &cfg, &none) == 0) {
        same = same && strcmp(cfg.name, l->name) == 0;
        domain_config_free(&cfg);
    }
    free(xml);
    return same ? 0 : kept_write_name(h, l, l->name, e);
}

bool kept_is_claimed(const char *name, pid_t claimer)
{
    struct state_entry s;

    return state_get(name, &s) == 0 && s.maker == claimer && !s.abandoned && s.domid == UINT32_MAX;
}

static int rename_locked(const char *old_name, const char *new_name, pid_t claimer)
{
    char from[PATH_MAX];

    if (!kept_is_claimed(new_name, claimer))
        return -EEXIST;
    snprintf(from, sizeof(from), "%s", state_path("names/%s", old_name));
    if (rename(from, state_path("names/%s", new_name)) < 0)
        return -errno;
    unlink(state_path("making/%s", new_name));
    unlink(state_path("ended/%s", new_name)); /* of a former domain, as is its console's file */
    unlink(state_path("console/%s.log", new_name));
    return 0;
}

/* Who claims a name looks at it first, then writes its claim over what is there: without a claim of
 * it a name could be given between the two. Race: that of a process that is killed now may be
 * another's before we have put the domain in its place. */
int kept_rename(const char *old_name, const char *new_name, pid_t claimer)
{
    int lock = state_lock(RENAME_MS), rc;

    if (lock < 0)
        return lock;
    rc = rename_locked(old_name, new_name, claimer);
    close(lock);
    return rc;
}

static int put_entry(const char *name, uint32_t domid, const uint8_t uuid[16], const char *former)
{
    char text[37], target[128];

    uuid_format(uuid, text);
    snprintf(target, sizeof(target), "%u/%s/%s", domid, text, former);
    return state_write_link(state_path("names/%s", name), target);
}

/* Killed at any point it has one name: the entry that does not say the domain's uuid is nobody's.
 */
static int set_aside(struct host *h, const char *name, const char *other, uint32_t domid,
                     const uint8_t uuid[16])
{
    int rc = put_entry(other, domid, uuid, name);

    if (rc)
        return rc;
    rc = h->ops->domain_set_uuid(h, domid, uuid);
    unlink(state_path("names/%s", rc ? other : name));
    return rc;
}

/* Race: when its uuid is another one its name seems to be free, and a claim that is made then would
 * go with its entry. If somebody is at it for longer, it is put aside all the same. */
int kept_set_aside(struct host *h, const char *name, const char *other, uint32_t domid,
                   const uint8_t uuid[16])
{
    int lock = state_lock(RENAME_MS), rc = set_aside(h, name, other, domid, uuid);

    if (lock >= 0)
        close(lock);
    return rc;
}
