/* SPDX-License-Identifier: MIT */
/*
 * pvctl rename: a live domain gets another name. Of ours parvisd does it, in an order that leaves
 * one name whoever is killed: in what is kept of it (its next life has it, too), in the store,
 * where its console is kept, and then the name itself. Of others' the store alone says it.
 *
 * The new name is claimed first, as that of a domain that is to be made (state.h): nobody else gets
 * it meanwhile, and nobody who makes another waits. parvisd puts the domain in the claim's place.
 */
#include <errno.h>
#include <unistd.h>

#include "config.h"
#include "daemon.h"
#include "pvctl.h"
#include "state.h"
#include "store.h"

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

static int rename_claimed(const struct call *c, const struct live_domain *l, const char *name,
                          struct error *e)
{
    int rc;

    if (l->ours)
        return tell_daemon(l, name, e);
    rc = store_domain_rename(c->h, l->d.domid, l->d.uuid, name);
    return rc ? error_errno(e, rc, "%s: writing its name into the store", l->name) : 0;
}

static int claim_and_rename(const struct call *c, const struct live_domain *l, const char *name,
                            struct error *e)
{
    uint8_t uuid[16];
    int rc = name_is_free(c, name, e);

    uuid_make(uuid);
    rc = rc ? rc : state_claim_for(c->h, name, l->name, uuid, e);
    if (rc)
        return rc;
    rc = rename_claimed(c, l, name, e);
    state_release(name, UINT32_MAX, uuid); /* unless it is the domain's now */
    return rc;
}

static int run(const struct call *c)
{
    const char *name = c->more[0];
    struct live_domain l;
    struct error e = {0};
    int rc;

    if (!domain_name_ok(name))
        return usage_error(&verb_rename, NAME_RULE, name);
    rc = need_guest(c, "rename", &l);
    if (rc)
        return rc;
    if (l.d.shutdown || l.d.dying) {
        error_set(&e, 0, "%s: it has ended (%s)", l.name, domain_state_text(&l.d));
        return fail(&e);
    }
    return claim_and_rename(c, &l, name, &e) ? fail(&e) : EXIT_OK;
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
