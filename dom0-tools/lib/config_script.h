/* SPDX-License-Identifier: MIT */
/*
 * Which file the script of an interface is, by what a configuration says of it.
 *
 * vif-bridge, wherever it is said to be, is what we do ourselves: no script. Another is a path from
 * the root on, or in the folder of Xen's scripts.
 */
#ifndef PARVIS_TOOLS_CONFIG_SCRIPT_H
#define PARVIS_TOOLS_CONFIG_SCRIPT_H

#include "config.h"

#define CONFIG_SCRIPT_FOLDER "/etc/xen/scripts"

/* In the place of what nic has. `word` is how the file calls it, `line` where. -ENOMEM, or 0. */
int __must_check config_script(const char *given, const char *word, long line,
                               struct nic_config *nic, struct findings *f);

#endif
