/* SPDX-License-Identifier: MIT */
/*
 * The domain builder: from a configuration to a paused domain that is ready to run.
 *
 * It reads the kernel and ramdisk, makes the domain, gives it memory, lays it out with the
 * loader through foreign mappings, opens its store and console channels, writes the two
 * grant entries by which the control domain reaches those rings, and sets vCPU 0.
 *
 * On failure nothing is left: a domain that was created is destroyed again.
 */
#ifndef PARVIS_TOOLS_BUILD_H
#define PARVIS_TOOLS_BUILD_H

#include "config.h"
#include "error.h"
#include "host.h"

struct build_result {
    uint32_t domid;
    uint64_t store_mfn, console_mfn;   /* machine frames of the two rings */
    uint32_t store_port, console_port; /* the domain's ends, unbound, for domain 0 */
};

int __must_check domain_build(struct host *h, const struct domain_config *cfg,
                              struct build_result *out, struct error *e);

#endif
