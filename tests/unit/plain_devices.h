/* SPDX-License-Identifier: MIT */
/*
 * The part of a model of the control domain's Linux (struct device_system) for tests of disks on
 * loop devices: names of block devices, back ends that serve and are gone when they are let go, and
 * drivers that have all come.
 */
#ifndef PARVIS_TESTS_PLAIN_DEVICES_H
#define PARVIS_TESTS_PLAIN_DEVICES_H

#include <errno.h>
#include <stdio.h>

#include "devices.h"

static inline int loop_number(const char *path, unsigned int *major, unsigned int *minor)
{
    *major = 7;
    return sscanf(path, "/dev/loop%u", minor) == 1 ? 0 : -ENOTBLK;
}

static inline bool none_lives(const char *device)
{
    (void)device;
    return false;
}

static inline bool each_serves(const char *device)
{
    (void)device;
    return true;
}

static inline bool all_have_come(void)
{
    return false;
}

#define PLAIN_DEVICES                                                                              \
    .block_number = loop_number, .backend_lives = none_lives, .backend_serves = each_serves,       \
    .starting = all_have_come

#endif
