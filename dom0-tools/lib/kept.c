/* SPDX-License-Identifier: MIT */
/*
 * Changing what is kept of a live domain: see kept.h.
 *
 * Race: the domain may end meanwhile, and its file be moved or removed. So the new file takes the
 * place of one that is there, and of no other: nothing is left of a domain that has gone.
 */
#define _GNU_SOURCE /* renameat2 */
#include "kept.h"

#include <errno.h>
#include <fcntl.h>
#include <limits.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <unistd.h>

#include "lock.h"
#include "state.h"

static int exchange(uint32_t domid, const char *xml)
{
    char tmp[PATH_MAX];
    int rc;

    snprintf(tmp, sizeof(tmp), "%s", state_path("tmp/%d", (int)getpid()));
    rc = state_write_file(tmp, xml);
    if (rc == 0 &&
        renameat2(AT_FDCWD, tmp, AT_FDCWD, state_path("domains/%u.xml", domid), RENAME_EXCHANGE) <
            0 &&
        errno != ENOENT)
        rc = -errno;
    unlink(tmp);
    return rc;
}

static int change_locked(uint32_t domid, const char *name,
                         int (*change)(struct domain_config *cfg, void *arg), void *arg,
                         struct error *e)
{
    struct domain_config cfg;
    char *xml;
    int rc = state_read_xml(domid, &xml);

    if (rc == -ENOENT)
        return 0;
    if (rc)
        return error_errno(e, rc, "%s: its kept configuration", name);
    rc = domain_config_parse(xml, strlen(xml), "kept configuration", &cfg, e);
    free(xml);
    if (rc)
        return rc;
    rc = change(&cfg, arg);
    xml = rc ? NULL : domain_config_to_xml(&cfg, -1);
    domain_config_free(&cfg);
    if (rc)
        return rc;
    rc = xml ? exchange(domid, xml) : -ENOMEM;
    free(xml);
    return rc ? error_errno(e, rc, "%s: keeping its configuration", name) : 0;
}

int kept_change(uint32_t domid, const char *name,
                int (*change)(struct domain_config *cfg, void *arg), void *arg, struct error *e)
{
    int lock = lock_take(state_path("kept.lock"), LOCK_LIMIT_MS), rc;

    if (lock == -ENOENT)
        return 0; /* there is no state at all */
    if (lock < 0)
        return error_errno(e, lock, "%s", state_path("kept.lock"));
    rc = change_locked(domid, name, change, arg, e);
    close(lock);
    return rc;
}

int kept_rename(const char *old_name, const char *new_name)
{
    char from[PATH_MAX];

    snprintf(from, sizeof(from), "%s", state_path("names/%s", old_name));
    if (renameat2(AT_FDCWD, from, AT_FDCWD, state_path("names/%s", new_name), RENAME_NOREPLACE) < 0)
        return -errno;
    unlink(state_path("ended/%s", new_name)); /* of a former domain, as is its console's file */
    unlink(state_path("console/%s.log", new_name));
    return 0;
}

int kept_set_aside(const char *name, const char *other, uint32_t domid, const uint8_t uuid[16])
{
    char text[37], target[64], tmp[PATH_MAX];

    uuid_format(uuid, text);
    snprintf(target, sizeof(target), "%u/%s", domid, text);
    snprintf(tmp, sizeof(tmp), "%s", state_path("tmp/%d", (int)getpid()));
    unlink(tmp);
    if (symlink(target, tmp) < 0 || rename(tmp, state_path("names/%s", other)) < 0)
        return -errno;
    unlink(state_path("names/%s", name));
    return 0;
}
