/* SPDX-License-Identifier: MIT */
/*
 * Where the devices of domains stand in the store: each has a directory of its back end's, in the
 * control domain's part, and one of its front end's, in the domain's own.
 */
#ifndef PARVIS_TOOLS_DEVICE_PATH_H
#define PARVIS_TOOLS_DEVICE_PATH_H

#include "error.h"
#include "host.h"

#define DEVICE_PATH 160

/* What an end says of itself in its entry "state". */
#define XENBUS_INITIALISING "1"
#define XENBUS_CONNECTED    "4"
#define XENBUS_CLOSING      "5"
#define XENBUS_CLOSED       "6"

/* kind: "vbd" or "vif". key: "/state", say; "" is the directory itself. */
void device_back_path(char out[DEVICE_PATH], const char *kind, uint32_t domid, unsigned int id,
                      const char *key);
void device_front_path(char out[DEVICE_PATH], const char *kind, uint32_t domid, unsigned int id,
                       const char *key);
/* The directory of all of the domain's of this kind. */
void device_backs_path(char out[DEVICE_PATH], const char *kind, uint32_t domid);

/* Shows each back end of this kind, of all domains, with its directory. Ends at the first that says
 * other than 0, and returns that. */
typedef int (*device_look_t)(struct host *h, host_txn_t t, uint32_t domid, unsigned int id,
                             const char *dir, void *arg);
int __must_check device_each_back(struct host *h, host_txn_t t, const char *kind,
                                  device_look_t look, void *arg);

#endif
