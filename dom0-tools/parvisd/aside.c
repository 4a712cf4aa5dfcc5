/* SPDX-License-Identifier: MIT */
/*
 * What is put aside of a domain that has ended: see aside.h.
 */
#define _GNU_SOURCE /* strverscmp */
#include "aside.h"

#include <errno.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>
#include <sys/stat.h>
#include <time.h>
#include <unistd.h>

#include "config.h"
#include "folder.h"
#include "kept.h"
#include "lifecycle.h"
#include "new_file.h"
#include "restart.h"
#include "state.h"
#include "store.h"

#define FOLDER     "/var/lib/parvis/dump"
#define AHEAD_MOST 60u /* seconds that a core may be called later than it was */
#define END        ".core"
/* What stands behind a name there, with digits for 0. */
#define TIME_END "-00000000T000000Z" END

/* 20261128T155801Z, so many seconds from now */
static void time_text(char out[24], unsigned int ahead)
{
    time_t now = time(NULL) + (time_t)ahead;
    struct tm tm;

    gmtime_r(&now, &tm);
    strftime(out, 24, "%Y%m%dT%H%M%SZ", &tm);
}

/* NAME-TIME.core, and not of another domain whose name only begins so, or a person's. */
static bool is_core_of(const char *file, const char *name)
{
    static const char like[] = TIME_END;
    size_t len = strlen(name);

    if (strncmp(file, name, len) != 0 || strlen(file) != len + strlen(like))
        return false;
    for (size_t i = 0; like[i]; i++) {
        char c = file[len + i];

        if (like[i] == '0' ? c < '0' || c > '9' : c != like[i])
            return false;
    }
    return true;
}

/* The oldest, of which the name is the least; how many there are. */
static unsigned int oldest_core(const char *folder, const char *name, char out[NAME_MAX + 1])
{
    int rc;
    DIR *dir = folder_open(folder, &rc);
    const char *file;
    unsigned int n = 0;

    while ((file = folder_next(dir, &rc)) != NULL) {
        if (is_core_of(file, name) && (n++ == 0 || strcmp(file, out) < 0))
            snprintf(out, NAME_MAX + 1, "%s", file);
    }
    folder_close(dir);
    return n;
}

static const char *dumps(void)
{
    const char *folder = getenv("PARVIS_DUMPS");

    return folder && *folder ? folder : FOLDER;
}

void aside_sweep(void)
{
    new_file_sweep(dumps(), NULL);
}

/* The name that this core is called by. */
static void name_of_core(const char *core, char name[NAME_MAX + 1])
{
    const char *slash = strrchr(core, '/'), *base = slash ? slash + 1 : core;

    snprintf(name, NAME_MAX + 1, "%.*s", (int)(strlen(base) - strlen(TIME_END)), base);
}

unsigned int aside_cores(const char *core)
{
    char oldest[NAME_MAX + 1], name[NAME_MAX + 1];

    name_of_core(core, name);
    return oldest_core(dumps(), name, oldest);
}

void aside_drop_cores(const char *core)
{
    char file[NAME_MAX + 1], path[PATH_MAX], name[NAME_MAX + 1];

    name_of_core(core, name);
    while (oldest_core(dumps(), name, file) > ASIDE_CORES) {
        snprintf(path, sizeof(path), "%s/%s", dumps(), file);
        if (unlink(path) < 0)
            break;
    }
}

/* Is there one of this name, whole or being written, or does a dumper begin one? 1, 0 or -errno.
 * FAT takes two names that differ in the case of letters for one. */
static int is_taken(const char *core)
{
    const char *name = strrchr(core, '/') + 1, *file;
    int rc, found = 0;
    DIR *dir = folder_open(dumps(), &rc);

    while ((file = folder_next(dir, &rc)) != NULL)
        found |= strncasecmp(file, name, strlen(name)) == 0;
    folder_close(dir);
    for (const struct console *c = consoles; c; c = c->next)
        found |= c->dumper && strcasecmp(c->core, core) == 0;
    return rc ? rc : found;
}

static int put_path(const char *name, unsigned int ahead, char *out, size_t size, struct error *e)
{
    char when[24];
    int len;

    time_text(when, ahead);
    len = snprintf(out, size, "%s/%s-%s" END, dumps(), name, when);
    if ((size_t)len < size)
        return 0;
    return error_set(e, -ENAMETOOLONG,
                     "$PARVIS_DUMPS makes its path %d characters long, %zu at most are taken", len,
                     size - 1);
}

int aside_path(const char *name, char *out, size_t size, struct error *e)
{
    int rc = put_path(name, 0, out, size, e);

    if (rc)
        return rc;
    if (mkdir(dumps(), 0700) < 0 && errno != EEXIST)
        return error_errno(e, -errno, "%.60s", out);
    aside_sweep();
    rc = is_taken(out);
    for (unsigned int ahead = 1; rc > 0 && ahead < AHEAD_MOST; ahead++) {
        rc = put_path(name, ahead, out, size, e);
        rc = rc ? rc : is_taken(out);
    }
    return rc ? error_errno(e, rc < 0 ? rc : -EEXIST, "%.60s", out) : 0;
}

/* A name that nobody has: the first 44 characters of its own, and the time. */
static int free_name(const char *name, char other[65])
{
    char when[24];

    time_text(when, 0);
    for (unsigned int i = 1; i < 100; i++) {
        struct state_entry s;
        char number[8] = "";

        if (i > 1)
            snprintf(number, sizeof(number), ".%u", i);
        snprintf(other, 65, "%.44s-%.16s%.3s", name, when, number);
        if (state_get(other, &s) == -ENOENT && !console_by_name(other))
            return 0;
    }
    return -EEXIST;
}

/* Its configuration, as that of the domain that stays. */
static int keep(const struct host_domain *d, struct domain_config *cfg, const char *other)
{
    char *copy = strdup(other), *kept;
    int rc;

    if (!copy)
        return -ENOMEM;
    free(cfg->name);
    cfg->name = copy;
    memcpy(cfg->uuid, d->uuid, 16);
    cfg->on_poweroff = cfg->on_reboot = cfg->on_crash = END_PRESERVE;
    kept = domain_config_to_xml(cfg, -1);
    rc = kept ? state_write_file(state_path("domains/%u.xml", d->domid), kept) : -ENOMEM;
    free(kept);
    return rc;
}

static void tell_not_kept(const char *name, int rc)
{
    fprintf(stderr, "parvisd: %s: keeping its configuration: %s\n", name, strerror(-rc));
}

/* The store says who it is; what cannot be written there is told, and no more: it has ended. */
static void tell_store(struct host *h, const struct host_domain *d, const char *other)
{
    char vm[STORE_VM_LEN], path[STORE_VM_LEN + 8];
    int rc;

    store_vm_path(vm, d->domid, d->uuid);
    snprintf(path, sizeof(path), "%s/name", vm);
    rc = store_domain_set(h, d->domid, "name", other);
    rc = rc ? rc : store_domain_set(h, d->domid, "vm", vm);
    rc = rc ? rc : h->ops->store_write(h, 0, path, other);
    if (rc)
        fprintf(stderr, "parvisd: %s: its name in the store: %s\n", other, strerror(-rc));
}

static int set_aside(struct host *h, struct host_domain *d, struct console *c,
                     struct domain_config *cfg, const char *xml, const char *other)
{
    char name[65];
    int rc;

    snprintf(name, sizeof(name), "%s", c->name);
    uuid_make(d->uuid);
    rc = state_write_file(restart_path(name), xml);
    rc = rc ? rc : kept_set_aside(h, name, other, d->domid, d->uuid);
    if (rc)
        return rc;
    rc = keep(d, cfg, other);
    if (rc)
        tell_not_kept(other, rc);
    console_rename(c, other);
    snprintf(c->aside_of, sizeof(c->aside_of), "%s", name);
    tell_store(h, d, other);
    return 0;
}

int aside_domain(struct host *h, struct host_domain *d, struct console *c, char other[65],
                 struct error *e)
{
    struct host_domain aside = *d;
    struct domain_config cfg;
    char *xml;
    int rc = state_read_xml(d->domid, &xml);

    if (rc)
        return error_errno(e, rc, "its configuration");
    rc = domain_config_parse(xml, strlen(xml), "kept configuration", &cfg, e);
    if (rc == 0) {
        rc = free_name(c->name, other);
        rc = rc ? rc : set_aside(h, &aside, c, &cfg, xml, other);
        if (rc)
            error_errno(e, rc, "giving it another name");
        else
            *d = aside;
        domain_config_free(&cfg);
    }
    free(xml);
    return rc;
}

void aside_settle(struct host *h, const struct host_domain *d, const char *name)
{
    struct domain_config cfg;
    struct error e = {0};
    char *xml;
    int rc = state_read_xml(d->domid, &xml);

    if (rc == 0) {
        rc = domain_config_parse(xml, strlen(xml), "kept configuration", &cfg, &e);
        free(xml);
        if (rc == 0) {
            rc = keep(d, &cfg, name);
            domain_config_free(&cfg);
        }
    }
    if (rc)
        tell_not_kept(name, rc);
    tell_store(h, d, name);
}

static int by_name(const void *a, const void *b)
{
    const struct state_entry *x = a, *y = b;

    return strverscmp(x->name, y->name); /* of one second the tenth comes behind the second */
}

/* A name alone says nothing: a person may have given it. The entry says what it was called. */
static bool is_preserved(const struct state_entry *s, const char *name,
                         const struct host_domain *all, size_t nr)
{
    const struct host_domain *d = lifecycle_domain(all, nr, s->domid);

    return strcmp(s->former, name) == 0 && d && state_matches(s, d) && d->shutdown && !d->dying;
}

struct state_entry *aside_surplus(struct host *h, const char *name, size_t *n)
{
    struct state_entry *names = NULL;
    struct host_domain *all = NULL;
    size_t nr = 0, there = 0, some = 0;
    int rc = state_list(&names, &there);

    *n = 0;
    rc = rc ? rc : lifecycle_domains(h, &all, &nr);
    if (rc)
        fprintf(stderr, "parvisd: %s: those of it that are preserved: %s\n", name, strerror(-rc));
    for (size_t i = 0; rc == 0 && i < there; i++) {
        if (is_preserved(&names[i], name, all, nr))
            names[some++] = names[i];
    }
    free(all);
    if (some)
        qsort(names, some, sizeof(*names), by_name); /* the oldest first */
    *n = some > ASIDE_DOMAINS ? some - ASIDE_DOMAINS : 0;
    return names;
}
