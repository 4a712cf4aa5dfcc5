/* SPDX-License-Identifier: MIT */
/*
 * What may follow a domain's end: names of it, and what of it is done.
 */
#include <string.h>

#include "config.h"

static const char *const end_names[NR_END_ACTIONS] = {
    [END_DESTROY] = "destroy",
    [END_RESTART] = "restart",
    [END_PRESERVE] = "preserve",
    [END_RENAME_RESTART] = "rename-restart",
    [END_COREDUMP_DESTROY] = "coredump-destroy",
    [END_COREDUMP_RESTART] = "coredump-restart",
};

const char *end_action_name(enum end_action a)
{
    return end_names[a];
}

bool end_action_find(const char *name, enum end_action *a)
{
    for (unsigned int i = 0; i < NR_END_ACTIONS; i++) {
        if (strcmp(end_names[i], name) == 0) {
            *a = (enum end_action)i;
            return true;
        }
    }
    return false;
}

/* Without a new name the ended one keeps its own: it stays, as with libvirt. */
enum end_action end_action_done(enum end_action a)
{
    switch (a) {
    case END_RENAME_RESTART:
        return END_PRESERVE;
    case END_COREDUMP_DESTROY:
        return END_DESTROY;
    case END_COREDUMP_RESTART:
        return END_RESTART;
    default:
        return a;
    }
}
