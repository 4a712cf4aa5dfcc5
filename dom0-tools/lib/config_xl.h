/* SPDX-License-Identifier: MIT */
/*
 * Configurations in the format of Xen's command xl.
 *
 * Xen's own library, libxlutil, reads them: what it takes for a string, a list or a disk is what xl
 * takes. It tells lines of faults, but neither which keys a file has nor where they are: a scan of
 * the text does (config_xl_scan.c). Each key is read, passed over or refused, as the table of keys
 * says (config_xl_keys.c); one that is in no table is a mistake, as xl itself would not say. The
 * result is the same struct domain_config as of domain XML, and the same checks follow.
 */
#ifndef PARVIS_TOOLS_CONFIG_XL_H
#define PARVIS_TOOLS_CONFIG_XL_H

#include "config.h"
#include "config_policy.h"

int __must_check config_xl_read(const char *text, size_t len, const struct config_how *how,
                                struct domain_config *out, struct findings *f);

/* A disk, or an interface, as xl's command line has it, becomes c's only one: the code of the first
 * error. The text is changed. */
int __must_check config_xl_disk(char *spec, struct domain_config *c, struct findings *f);
int __must_check config_xl_nic(char *spec, struct domain_config *c, struct findings *f);

#endif
