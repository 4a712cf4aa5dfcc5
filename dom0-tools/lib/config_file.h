/* SPDX-License-Identifier: MIT */
/*
 * A configuration as people have it: a file, or the standard input; domain XML, or xl's format. Its
 * content tells which, never its name: XML begins with a <.
 */
#ifndef PARVIS_TOOLS_CONFIG_FILE_H
#define PARVIS_TOOLS_CONFIG_FILE_H

#include "config.h"

/* path "-": the standard input. As domain_config_xml() of config.h. */
int __must_check config_file_read(const char *path, const struct config_how *how,
                                  struct domain_config *out, struct findings *f);
/* Of text that is read already. */
int __must_check config_text_read(const char *text, size_t len, const struct config_how *how,
                                  struct domain_config *out, struct findings *f);
/* Whether each disk is a file or a block device, as it is there. */
void config_settle_disks(struct domain_config *c);
/* What messages call it: "standard input" for "-". */
const char *config_file_name(const char *path);

#endif
