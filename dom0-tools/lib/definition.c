/* SPDX-License-Identifier: MIT */
/*
 * Domains that are known whether they run or not: see definition.h.
 */
#include "definition.h"

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
#include "folder.h"
#include "lock.h"
#include "write_all.h"

#define FOLDER "/etc/parvis/domains"
#define END    ".xml"

static const char *folder(void)
{
    const char *dir = getenv("PARVIS_DOMAINS");

    return dir && *dir ? dir : FOLDER;
}

__attribute__((format(printf, 1, 2))) static const char *path_of(const char *fmt, ...)
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

/* Not error_errno(): its words for some errors are those of a hypervisor. */
static int not_told(struct error *e, int rc, const char *path)
{
    return error_set(e, rc, "%s: %s", path, strerror(-rc));
}

int definition_find(const char *name, struct error *e)
{
    char file[80], alike[NAME_MAX + 1];
    int rc = 0;

    if (domain_name_ok(name)) {
        snprintf(file, sizeof(file), "%s" END, name);
        rc = fat_finds(folder(), file, alike);
    }
    if (rc < 0)
        return not_told(e, rc, folder());
    return rc ? 0 : error_set(e, -ESRCH, "%s: no domain of this name is defined", name);
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

static int find_mark(const char *name, int *out, struct error *e)
{
    int rc;
    DIR *dir = folder_open(path_of("autostart"), &rc);
    const char *file, *marked;

    *out = AUTOSTART_NONE;
    while ((file = folder_next(dir, &rc)) != NULL) {
        int order = parse_mark(file, &marked);

        if (order != AUTOSTART_NONE && strcmp(marked, name) == 0 &&
            (*out == AUTOSTART_NONE || order < *out))
            *out = order;
    }
    folder_close(dir);
    return rc ? not_told(e, rc, path_of("autostart")) : 0;
}

/* Its marks go, however many somebody has made, but for the one of the order `keep`. */
static int forget_marks(const char *name, int keep, struct error *e)
{
    int rc;
    DIR *dir = folder_open(path_of("autostart"), &rc);
    const char *file, *marked;

    while ((file = folder_next(dir, &rc)) != NULL) {
        int order = parse_mark(file, &marked);

        if (order != AUTOSTART_NONE && order != keep && strcmp(marked, name) == 0 &&
            unlinkat(dirfd(dir), file, 0) < 0 && errno != ENOENT)
            rc = -errno;
    }
    if (dir)
        fsync(dirfd(dir)); /* before what follows */
    folder_close(dir);
    return rc ? not_told(e, rc, path_of("autostart")) : 0;
}

/* ---- reading ---- */

/* A configuration from the file of this name, whatever name it says. -ENOENT, -EINVAL: there is no
 * file, or none that says one; another error: what it says is not known. */
static int parse_file(const char *name, struct domain_config *out, struct error *why)
{
    const struct config_how how = {0};
    struct findings f = {0};
    char path[PATH_MAX];
    int rc;

    snprintf(path, sizeof(path), "%s", definition_path(name));
    rc = config_file_read(path, &how, out, &f);
    rc = rc ? findings_first(&f, path, why) : 0;
    if (rc && rc != -ENOENT && !f.unread)
        rc = why->code = -EINVAL;
    findings_free(&f);
    return rc;
}

static bool is_unknown(int rc)
{
    return rc && rc != -ENOENT && rc != -EINVAL;
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
    if (rc)
        return rc;
    rc = find_mark(name, &out->order, why);
    if (rc)
        domain_config_free(&out->cfg);
    return rc;
}

int definition_read(const char *name, struct definition *out, struct error *e)
{
    int rc = definition_find(name, e);

    return rc ? rc : read_file(name, out, e);
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
    bad->unread |= is_unknown(why.code);
    return false;
}

/* Who is to be started with the machine, and is not defined. */
static void check_marks(struct findings *bad)
{
    int rc;
    DIR *dir = folder_open(path_of("autostart"), &rc);
    const char *file, *name;

    while ((file = folder_next(dir, &rc)) != NULL) {
        struct error why = {0};

        if (file[0] == '.')
            continue;
        if (parse_mark(file, &name) == AUTOSTART_NONE)
            findings_error(bad, -EINVAL, 0, "%s: files here are called NN-NAME",
                           path_of("autostart/%s", file));
        else if (definition_find(name, &why) == -ESRCH)
            findings_error(bad, -ENOENT, 0, "%s: no domain of this name is defined",
                           path_of("autostart/%s", file));
        else if (why.code)
            findings_error(bad, why.code, 0, "%s", why.text);
    }
    folder_close(dir);
    if (rc)
        findings_error(bad, rc, 0, "%s: %s", path_of("autostart"), strerror(-rc));
}

int definition_list(struct definition **out, size_t *nr, struct findings *bad)
{
    int rc;
    DIR *dir = folder_open(folder(), &rc);
    struct definition *list = NULL;
    size_t n = 0, room = 0;
    const char *file;

    while (rc == 0 && (file = folder_next(dir, &rc)) != NULL) {
        if (n == room) {
            struct definition *more = realloc(list, (room = room ? 2 * room : 16) * sizeof(*more));

            rc = more ? 0 : -ENOMEM;
            list = more ? more : list;
        }
        if (rc == 0 && take_entry(file, &list[n], bad))
            n++;
    }
    folder_close(dir);
    if (rc) {
        findings_error(bad, rc, 0, "%s: %s", folder(), strerror(-rc));
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

/* The same, of one that is defined. */
static int begin_with(const char *name, struct error *e)
{
    int rc = definition_find(name, e), lock = rc ? rc : begin_writing(e);

    rc = lock < 0 ? lock : definition_find(name, e); /* it may have gone before our turn came */
    if (rc && lock >= 0)
        close(lock);
    return rc ? rc : lock;
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

/* Of what lies there something may have the uuid that is looked for: it could not be read. */
static int refuse_unknown(const struct findings *bad, struct error *e)
{
    for (size_t i = 0; i < bad->nr; i++)
        if (is_unknown(bad->list[i].code))
            return error_set(e, bad->list[i].code, "%s", bad->list[i].text);
    return bad->unread ? error_set(e, -EIO, "%s: not all of it can be read", folder()) : 0;
}

/* No other definition has the uuid; one that is none has none. */
static int refuse_uuid_of_others(const struct domain_config *cfg, struct error *e)
{
    struct definition *list = NULL;
    struct findings bad = {0};
    size_t n = 0;
    int rc = definition_list(&list, &n, &bad), unknown = refuse_unknown(&bad, e);

    rc = unknown ? unknown : rc ? not_told(e, rc, folder()) : 0;
    for (size_t i = 0; rc == 0 && i < n; i++) {
        const struct domain_config *other = &list[i].cfg;

        if (strcmp(other->name, cfg->name) != 0 && other->uuid_given &&
            memcmp(other->uuid, cfg->uuid, 16) == 0)
            rc = error_set(e, -EEXIST, "%s: <uuid>: %s is defined with this uuid", cfg->name,
                           other->name);
    }
    findings_free(&bad);
    definition_list_free(list, n);
    return rc;
}

/* What the definition before it has, and it has not. */
static int inherit(struct domain_config *cfg, struct error *e)
{
    struct domain_config former;
    struct error why = {0};
    char text[37];
    int rc = definition_find(cfg->name, &why);

    if (rc == -ESRCH)
        return 0;
    rc = rc ? rc : parse_file(cfg->name, &former, &why);
    if (is_unknown(rc))
        return error_set(e, rc, "%s", why.text);
    if (rc)
        return 0; /* what is no definition is replaced */
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
    int lock = begin_with(name, e), rc;

    if (lock < 0)
        return lock;
    /* Cut off between, it is defined, and the next undefine forgets it: a mark that is left alone
     * would be that of the next of this name. */
    rc = forget_marks(name, AUTOSTART_NONE, e);
    if (rc == 0 && unlink(definition_path(name)) < 0 && errno != ENOENT)
        rc = error_errno(e, -errno, "%s: %s", name, definition_path(name));
    sync_folder();
    close(lock);
    return rc;
}

static int mark(const char *name, int order, struct error *e)
{
    char dir[PATH_MAX], file[80];
    int fd, rc;

    snprintf(dir, sizeof(dir), "%s", path_of("autostart"));
    snprintf(file, sizeof(file), "%02d-%s", order, name);
    if (mkdir(dir, 0700) < 0 && errno != EEXIST)
        return error_errno(e, -errno, "%s", dir);
    rc = fat_refuses(dir, file, name, e);
    if (rc)
        return rc;
    fd = open(path_of("autostart/%s", file), O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0)
        return not_told(e, -errno, path_of("autostart/%s", file));
    fsync(fd);
    close(fd);
    return forget_marks(name, order, e); /* cut off between it has two, and the lower counts */
}

int definition_autostart(const char *name, int order, struct error *e)
{
    struct error why = {0};
    int lock = begin_with(name, &why), rc;

    if (lock < 0)
        return error_set(e, lock, "%s%s", why.text,
                         lock == -ESRCH ? ": `pvctl define` goes before" : "");
    rc = order == AUTOSTART_NONE ? forget_marks(name, AUTOSTART_NONE, e) : mark(name, order, e);
    close(lock);
    return rc;
}

bool definition_is_lost_at_the_end(void)
{
    struct statfs s;

    return statfs(folder(), &s) == 0 &&
           (s.f_type == TMPFS_MAGIC || (unsigned long)s.f_type == RAMFS_MAGIC);
}
