/* SPDX-License-Identifier: MIT */
/*
 * pvctl rename: a live domain gets another name: in the store, in what is kept of it (its next life
 * has it, too), and where parvisd keeps its console, which does the last step: then the name is its
 * own. What was written before is taken back where it is refused.
 *
 * Nobody claims a name meanwhile: we hold the lock of claims.
 */
#include <errno.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "config.h"
#include "daemon.h"
#include "kept.h"
#include "lock.h"
#include "pvctl.h"
#include "state.h"
#include "store.h"

static int keep(struct domain_config *cfg, void *name)
{
    char *copy = strdup(name);

    if (!copy)
        return -ENOMEM;
    free(cfg->name);
    cfg->name = copy;
    return 0;
}

/* In the store and in what is kept. */
static int write_name(const struct call *c, const struct live_domain *l, const char *name,
                      struct error *e)
{
    char uuid[37], path[80], copy[65];
    int rc;

    snprintf(copy, sizeof(copy), "%s", name);
    rc = kept_change(l, keep, copy, e);
    if (rc)
        return error_errno(e, rc, "%s: keeping its name", l->name);
    uuid_format(l->d.uuid, uuid);
    snprintf(path, sizeof(path), "/vm/%s/name", uuid);
    rc = store_domain_set(c->h, l->d.domid, "name", name);
    rc = rc ? rc : c->h->ops->store_write(c->h, 0, path, name);
    return rc ? error_errno(e, rc, "%s: writing its name into the store", l->name) : 0;
}

static int tell_daemon(const struct live_domain *l, const char *name, struct error *e)
{
    char text[160];
    int fd;

    snprintf(text, sizeof(text), "%u %s %s", l->d.domid, l->name, name);
    fd = daemon_ask(D_RENAME, text, e);
    if (fd >= 0)
        close(fd);
    return fd < 0 ? fd : 0;
}

/* Nobody has it, or is to live again by it. */
static int name_is_free(const struct call *c, const char *name, struct error *e)
{
    struct error none = {0};
    struct live_domain other;
    int rc = lifecycle_find(c->h, name, &other, &none);

    if (rc == 0)
        return error_set(e, -EEXIST, "%s: a domain of this name exists already (domain %u)", name,
                         other.d.domid);
    if (rc != -ESRCH)
        return error_set(e, rc, "%s", none.text);
    if (lifecycle_restarts(name))
        return error_set(e, -EEXIST, "%s: a domain of this name is being started again", name);
    return 0;
}

static int rename_locked(const struct call *c, const struct live_domain *l, const char *name,
                         struct error *e)
{
    struct error ignored = {0};
    int rc = name_is_free(c, name, e);

    if (rc)
        return rc;
    rc = write_name(c, l, name, e);
    if (rc == 0 && l->ours)
        rc = tell_daemon(l, name, e);
    if (rc && write_name(c, l, l->name, &ignored))
        fprintf(stderr, "pvctl: %s\n", ignored.text);
    return rc;
}

static int run(const struct call *c)
{
    const char *name = c->more[0];
    struct live_domain l;
    struct error e = {0};
    int rc, lock;

    if (!domain_name_ok(name))
        return usage_error(&verb_rename, NAME_RULE, name);
    rc = need_guest(c, "rename", &l);
    if (rc)
        return rc;
    if (l.d.shutdown || l.d.dying) {
        error_set(&e, 0, "%s: it has ended (%s)", l.name, domain_state_text(&l.d));
        return fail(&e);
    }
    rc = state_prepare(&e);
    lock = rc ? rc : lock_take(state_path("lock"), LOCK_LIMIT_MS);
    if (lock < 0)
        error_errno(&e, lock, "%s", state_path("lock"));
    else
        rename_locked(c, &l, name, &e);
    if (lock >= 0)
        close(lock);
    return e.code ? fail(&e) : EXIT_OK;
}

const struct verb verb_rename = {
    .name = "rename",
    .arg = "NAME NEWNAME",
    .run = run,
    .summary = "give a live domain another name",
    .help = "Its console, what is kept of it and its next lives have the new name, too. Its file "
            "is not\n"
            "changed. One that has ended, and is preserved, keeps its name.\n",
    .examples = "pvctl rename web web-old\n",
};
