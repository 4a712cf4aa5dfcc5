/* SPDX-License-Identifier: MIT */
/*
 * The script of an interface: see config_script.h.
 */
#define _GNU_SOURCE /* asprintf */
#include "config_script.h"

#include <errno.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

int config_script(const char *given, const char *word, long line, struct nic_config *nic,
                  struct findings *f)
{
    const char *slash = strrchr(given, '/'), *name = slash ? slash + 1 : given;

    free(nic->script);
    nic->script = NULL;
    if (!*name) {
        findings_error(f, -EINVAL, line, "%s: '%.64s' names no file", word, given);
        return 0;
    }
    if (strcmp(name, "vif-bridge") == 0)
        return 0;
    if (*given == '/')
        nic->script = strdup(given);
    else if (asprintf(&nic->script, CONFIG_SCRIPT_FOLDER "/%s", given) < 0)
        nic->script = NULL;
    return nic->script ? 0 : -ENOMEM;
}
