/* SPDX-License-Identifier: MIT */
/*
 * A device's entries in the store: a directory of its front end, which the guest writes, and one of
 * its back end, which the guest may read. Both are written at once, and then the back end's driver
 * is waited for.
 */
#ifndef PARVIS_TOOLS_DEVICE_ENTRY_H
#define PARVIS_TOOLS_DEVICE_ENTRY_H

#include "error.h"
#include "host.h"

#define DEVICE_STEP_MS 20u
#define DEVICE_WAIT_MS 15000u

/* One entry of a device's directory; value NULL: there is none. */
struct device_field {
    const char *key, *value;
};

/* A device to be written: both ends. */
struct device_entry {
    const char *kind; /* "vbd", "vif" */
    uint32_t domid;
    unsigned int id; /* the device's number in the guest */
    const struct device_field *front, *back;
    size_t nr_front, nr_back;
};

/* -EEXIST: there is a device of this number. */
int __must_check device_entry_put(struct host *h, host_txn_t t, const struct device_entry *d);
/* Waits until the back end's driver has taken the device up. */
int __must_check device_entry_wait(struct host *h, const struct device_entry *d);

#endif
