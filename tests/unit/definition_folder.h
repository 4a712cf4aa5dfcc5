/* SPDX-License-Identifier: MIT */
/*
 * A folder of definitions that a test has for itself: made before its tests, gone behind them.
 */
#ifndef DEFINITION_FOLDER_H
#define DEFINITION_FOLDER_H

#include <stdio.h>
#include <stdlib.h>

static char folder[] = "/tmp/parvis-test-XXXXXX";

static int make_folder(void **state)
{
    (void)state;
    if (!mkdtemp(folder))
        return -1;
    setenv("PARVIS_SCHEMA", "dom0-tools/schema/domain.rng", 1);
    return setenv("PARVIS_DOMAINS", folder, 1);
}

static int remove_folder(void **state)
{
    char command[64];

    (void)state;
    snprintf(command, sizeof(command), "rm -r %s", folder);
    return system(command) ? -1 : 0;
}

#endif
