/* SPDX-License-Identifier: MIT */
/*
 * The element <iotune> of a disk: limits of its rate, in libvirt's words.
 */
#ifndef PARVIS_TOOLS_CONFIG_RATES_H
#define PARVIS_TOOLS_CONFIG_RATES_H

#include <stdio.h>

#include <libxml/tree.h>

#include "disk_rate.h"
#include "findings.h"

/* Less would hold a request of a page for longer than a second; the most is libvirt's. */
#define CONFIG_MIN_RATE_BYTES UINT64_C(4096)
#define CONFIG_MAX_RATE_BYTES UINT64_C(1000000000000000)
#define CONFIG_MAX_RATE_IOPS  UINT64_C(999999999)

void config_rates_fill(xmlNodePtr disk, struct disk_rates *r, struct findings *f);
void config_rates_put(FILE *f, const struct disk_rates *r);

#endif
