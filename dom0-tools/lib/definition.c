/* SPDX-License-Identifier: MIT */
/*
 * Domains that are known whether they run or not: see definition.h.
 */
#include "definition.h"

#include <dirent.h>
#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/stat.h>
#include <sys/statfs.h>
#include <unistd.h>

#include <linux/magic.h>

#include "config_file.h"
#include "config_identity.h"
#include "fat_name.h"
#include "lock.h"
#include "write_all.h"

#define FOLDER "/etc/parvis/domains"
#define END    ".xml"

static const char *folder(void)
{
    const char *dir = getenv("PARVIS_DOMAINS");

    return dir && *dir ? dir : FOLDER;
}

static const char *path_of(const char *fmt, ...) __attribute__((format(printf, 1, 2)));

static const char *path_of(const char *fmt, ...)
{
    static _Thread_local char path[PATH_MAX];
    size_t n = (size_t)snprintf(path, sizeof(path), "%s/", folder());
    va_list ap;

    if (n < sizeof(path)) {
        va_start(ap, fmt);
        vsnprintf(path + n, sizeof(path) - n, fmt, ap);
        va_end(ap);
    }
    return path;
}

const char *definition_path(const char *name)
{
    return path_of("%s" END, name);
}

bool definition_exists(const char *name)
{
    char file[80], alike[NAME_MAX + 1];

    if (!domain_name_ok(name))
        return false;
    snprintf(file, sizeof(file), "%s" END, name);
    return fat_finds(folder(), file, alike);
}

/* ---- autostart ---- */

/* "NN-NAME": the number, or AUTOSTART_NONE. */
static int parse_mark(const char *file, const char **name)
{
    if (file[0] < '0' || file[0] > '9' || file[1] < '0' || file[1] > '9' || file[2] != '-')
        return AUTOSTART_NONE;
    *name = file + 3;
    return (file[0] - '0') * 10 + (file[1] - '0');
}

/* The order of this name. forget: its marks are taken away, however many somebody has made, but for
 * the one of the order `keep`. */
static int look_at_marks(const char *name, bool forget, int keep)
{
    DIR *dir = opendir(path_of("autostart"));
    const struct dirent *de;
    const char *marked;
    int found = AUTOSTART_NONE;

    while (dir && (de = readdir(dir)) != NULL) {
        int order = parse_mark(de->d_name, &marked);

        if (order == AUTOSTART_NONE || strcmp(marked, name) != 0)
            continue;
        if (forget && order != keep)
            unlinkat(dirfd(dir), de->d_name, 0);
        if (found == AUTOSTART_NONE || order < found)
            found = order;
    }
    if (dir && forget)
        fsync(dirfd(dir)); /* before what follows */
    if (dir)
        closedir(dir);
    return found;
}

static int find_mark(const char *name)
{
    return look_at_marks(name, false, AUTOSTART_NONE);
}

static void forget_marks(const char *name, int keep)
{
    look_at_marks(name, true, keep);
}

/* ---- reading ---- */

/* A configuration from the file of this name, whatever name it says. */
static int parse_file(const char *name, struct domain_config *out, struct error *why)
{
    const struct config_how how = {0};
    struct findings f = {0};
    char path[PATH_MAX];
    int rc;

    snprintf(path, sizeof(path), "%s", definition_path(name));
    rc = config_file_read(path, &how, out, &f);
    rc = rc ? findings_first(&f, path, why) : 0;
    findings_free(&f);
    return rc;
}

/* A file of another domain is not this name's definition. */
static int want_name(const char *name, struct domain_config *cfg, struct error *why)
{
    int rc;

    if (strcmp(cfg->name, name) == 0)
        return 0;
    rc = error_set(why, -EINVAL, "%s: it is of a domain %s, and not of %s", definition_path(name),
                   cfg->name, name);
    domain_config_free(cfg);
    return rc;
}

/* A definition from its file; *why: the first error, with the file's path. */
static int read_file(const char *name, struct definition *out, struct error *why)
{
    int rc = parse_file(name, &out->cfg, why);

    rc = rc ? rc : want_name(name, &out->cfg, why);
    out->order = rc ? AUTOSTART_NONE : find_mark(name);
    return rc;
}

int definition_read(const char *name, struct definition *out, struct error *e)
{
    if (!definition_exists(name))
        return error_set(e, -ESRCH, "%s: no domain of this name is defined", name);
    return read_file(name, out, e);
}

/* The name that a file of the folder is of; false: it is none of ours. */
static bool name_of_file(const char *file, char name[65])
{
    size_t len = strlen(file), end = strlen(END);

    if (len <= end || len - end > 64 || strcmp(file + len - end, END) != 0)
        return false;
    snprintf(name, 65, "%.*s", (int)(len - end), file);
    return domain_name_ok(name);
}

static int by_name(const void *a, const void *b)
{
    const struct definition *x = a, *y = b;

    return strcmp(x->cfg.name, y->cfg.name);
}

/* One entry of the folder, into *out. */
static bool take_entry(const char *file, struct definition *out, struct findings *bad)
{
    struct error why = {0};
    char name[65];

    if (file[0] == '.' || strcmp(file, "autostart") == 0)
        return false;
    if (!name_of_file(file, name)) {
        findings_error(bad, -EINVAL, 0, "%s: it is no definition: those are called NAME" END,
                       path_of("%s", file));
        return false;
    }
    if (read_file(name, out, &why) == 0)
        return true;
    findings_error(bad, why.code, 0, "%s", why.text);
    return false;
}

static int no_memory(struct findings *bad)
{
    findings_error(bad, -ENOMEM, 0, "%s: %s", folder(), strerror(ENOMEM));
    return -ENOMEM;
}

/* Who is to be started with the machine, and is not defined. */
static void check_marks(struct findings *bad)
{
    DIR *dir = opendir(path_of("autostart"));
    const struct dirent *de;
    const char *name;

    while (dir && (de = readdir(dir)) != NULL) {
        if (de->d_name[0] == '.')
            continue;
        if (parse_mark(de->d_name, &name) == AUTOSTART_NONE)
            findings_error(bad, -EINVAL, 0, "%s: files here are called NN-NAME",
                           path_of("autostart/%s", de->d_name));
        else if (!definition_exists(name))
            findings_error(bad, -ENOENT, 0, "%s: no domain of this name is defined",
                           path_of("autostart/%s", de->d_name));
    }
    if (dir)
        closedir(dir);
}

int definition_list(struct definition **out, size_t *nr, struct findings *bad)
{
    DIR *dir = opendir(folder());
    struct definition *list = NULL;
    size_t n = 0, room = 0;
    const struct dirent *de;
    int rc = 0;

    if (!dir && errno != ENOENT) {
        rc = -errno;
        findings_error(bad, rc, 0, "%s: %s", folder(), strerror(-rc));
    }
    while (dir && rc == 0 && (de = readdir(dir)) != NULL) {
        if (n == room) {
            struct definition *more = realloc(list, (room = room ? 2 * room : 16) * sizeof(*more));

            rc = more ? 0 : no_memory(bad);
            list = more ? more : list;
        }
        if (rc == 0 && take_entry(de->d_name, &list[n], bad))
            n++;
    }
    if (dir)
        closedir(dir);
    if (rc) {
        definition_list_free(list, n);
        return rc;
    }
    if (n)
        qsort(list, n, sizeof(*list), by_name);
    check_marks(bad);
    *out = list;
    *nr = n;
    return 0;
}

void definition_list_free(struct definition *list, size_t nr)
{
    for (size_t i = 0; i < nr; i++)
        domain_config_free(&list[i].cfg);
    free(list);
}

/* ---- writing ---- */

/* One at a time writes: a descriptor whose close() lets the next one. */
static int begin_writing(struct error *e)
{
    int lock;

    if (mkdir(folder(), 0700) < 0 && errno != EEXIST)
        return error_errno(e, -errno, "%s", folder());
    lock = lock_take(path_of(".lock"), LOCK_LIMIT_MS);
    return lock < 0 ? lock_refused(e, lock, path_of(".lock")) : lock;
}

static int write_and_sync(const char *path, const char *text)
{
    int fd = open(path, O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0600), rc;

    if (fd < 0)
        return -errno;
    rc = write_all(fd, text, strlen(text));
    if (rc == 0 && fsync(fd) < 0)
        rc = -errno;
    if (close(fd) < 0 && rc == 0)
        rc = -errno;
    return rc;
}

/* What is renamed is there after a power cut only when the folder is written, too. */
static void sync_folder(void)
{
    int fd = open(folder(), O_RDONLY | O_DIRECTORY | O_CLOEXEC);

    if (fd >= 0) {
        fsync(fd);
        close(fd);
    }
}

static int put(const struct domain_config *cfg, struct error *e)
{
    char new[PATH_MAX], *xml = domain_config_to_xml(cfg, -1);
    int rc;

    snprintf(new, sizeof(new), "%s", path_of(".new"));
    rc = xml ? write_and_sync(new, xml) : -ENOMEM;
    free(xml);
    if (rc == 0 && rename(new, definition_path(cfg->name)) < 0)
        rc = -errno;
    if (rc) {
        unlink(new);
        return error_errno(e, rc, "%s: %s", cfg->name, definition_path(cfg->name));
    }
    sync_folder();
    return 0;
}

/* No other definition has the uuid; one that cannot be read has none. */
static int refuse_uuid_of_others(const struct domain_config *cfg, struct error *e)
{
    struct definition *list;
    struct findings ignored = {0};
    size_t n;
    int rc = definition_list(&list, &n, &ignored);

    if (rc)
        rc = findings_first(&ignored, "", e);
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct domain_config *other = &list[i].cfg;

        if (strcmp(other->name, cfg->name) != 0 && other->uuid_given &&
            memcmp(other->uuid, cfg->uuid, 16) == 0)
            rc = error_set(e, -EEXIST, "%s: <uuid>: %s is defined with this uuid", cfg->name,
                           other->name);
    }
    findings_free(&ignored);
    if (rc == 0 || rc == -EEXIST)
        definition_list_free(list, n);
    return rc;
}

/* What the definition before it has, and it has not. */
static int inherit(struct domain_config *cfg, struct error *e)
{
    struct domain_config former;
    struct error ignored = {0};
    char text[37];
    int rc;

    if (!definition_exists(cfg->name) || parse_file(cfg->name, &former, &ignored))
        return 0; /* what cannot be read is replaced */
    rc = want_name(cfg->name, &former, e);
    if (rc)
        return rc;
    if (former.uuid_given && !cfg->uuid_given) {
        memcpy(cfg->uuid, former.uuid, 16);
        cfg->uuid_given = true;
    }
    if (former.uuid_given && memcmp(cfg->uuid, former.uuid, 16) != 0) {
        uuid_format(former.uuid, text);
        rc = error_set(e, -EEXIST,
                       "%s: <uuid>: it is defined with another one, %s; `pvctl undefine %s` goes "
                       "before, if it is another domain",
                       cfg->name, text, cfg->name);
    }
    for (size_t i = 0; i < cfg->nr_nics && i < former.nr_nics; i++) {
        struct nic_config *n = &cfg->nics[i], *f = &former.nics[i];

        if (!n->mac_given && f->mac_given) {
            memcpy(n->mac, f->mac, 6);
            n->mac_given = true;
        }
    }
    domain_config_free(&former);
    return rc;
}

int definition_write(struct domain_config *cfg, struct error *e)
{
    char file[80];
    int lock = begin_writing(e), rc;

    if (lock < 0)
        return lock;
    snprintf(file, sizeof(file), "%s" END, cfg->name);
    rc = fat_refuses(folder(), file, cfg->name, e);
    rc = rc ? rc : inherit(cfg, e);
    if (rc == 0) {
        config_identity(cfg);
        rc = refuse_uuid_of_others(cfg, e);
    }
    rc = rc ? rc : put(cfg, e);
    close(lock);
    return rc;
}

int definition_remove(const char *name, struct error *e)
{
    int lock, rc = 0;

    if (!definition_exists(name))
        return error_set(e, -ESRCH, "%s: no domain of this name is defined", name);
    lock = begin_writing(e);
    if (lock < 0)
        return lock;
    /* Cut off between, it is defined, and the next undefine forgets it: a mark that is left alone
     * would be that of the next of this name. */
    forget_marks(name, AUTOSTART_NONE);
    if (unlink(definition_path(name)) < 0 && errno != ENOENT)
        rc = error_errno(e, -errno, "%s: %s", name, definition_path(name));
    sync_folder();
    close(lock);
    return rc;
}

static int mark(const char *name, int order, struct error *e)
{
    char dir[PATH_MAX], file[80];
    const char *path;
    int fd, rc;

    snprintf(dir, sizeof(dir), "%s", path_of("autostart"));
    snprintf(file, sizeof(file), "%02d-%s", order, name);
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return error_errno(e, -errno, "%s", dir);
    rc = fat_refuses(dir, file, name, e);
    if (rc)
        return rc;
    path = path_of("autostart/%s", file);
    fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return error_errno(e, -errno, "%s: %s", name, path);
    fsync(fd);
    close(fd);
    forget_marks(name, order); /* cut off between it has two, and the lower counts */
    return 0;
}

int definition_autostart(const char *name, int order, struct error *e)
{
    int lock, rc = 0;

    if (!definition_exists(name))
        return error_set(e, -ESRCH,
                         "%s: no domain of this name is defined: `pvctl define` goes before", name);
    lock = begin_writing(e);
    if (lock < 0)
        return lock;
    if (order == AUTOSTART_NONE)
        forget_marks(name, AUTOSTART_NONE);
    else
        rc = mark(name, order, e);
    close(lock);
    return rc;
}

bool definition_is_lost_at_the_end(void)
{
    struct statfs s;

    return statfs(folder(), &s) == 0 &&
           (s.f_type == TMPFS_MAGIC || (unsigned long)s.f_type == RAMFS_MAGIC);
}
