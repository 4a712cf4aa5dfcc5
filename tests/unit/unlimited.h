/* SPDX-License-Identifier: MIT */
/*
 * The part of a model of the control domain's Linux (struct device_system) for tests that are about
 * neither limits of disks nor disks that this domain has mounted: there are none.
 */
#ifndef PARVIS_TESTS_UNLIMITED_H
#define PARVIS_TESTS_UNLIMITED_H

#include "devices.h"

static inline int not_held(const char *path, const struct disk_id *id, bool readonly)
{
    (void)path, (void)id, (void)readonly;
    return 0;
}

static inline int no_limit(unsigned int major, unsigned int minor, const struct disk_rates *rates)
{
    (void)major, (void)minor, (void)rates;
    return 0;
}

static inline void no_unlimit(const char *device, unsigned int major, unsigned int minor)
{
    (void)device, (void)major, (void)minor;
}

static inline void no_sweep(void)
{
}

#define UNLIMITED                                                                                  \
    .held = not_held, .limit = no_limit, .unlimit = no_unlimit, .sweep_limits = no_sweep

#endif
