/* SPDX-License-Identifier: MIT */
/*
 * What may follow a domain's end: the words for it.
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
