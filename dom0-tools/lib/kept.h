/* SPDX-License-Identifier: MIT */
/*
 * The kept configuration of a live domain, changed as the domain is: its next life begins with
 * that, and `pvctl dumpxml` shows it.
 */
#ifndef PARVIS_TOOLS_KEPT_H
#define PARVIS_TOOLS_KEPT_H

#include "config.h"
#include "error.h"

/* Reads the configuration that was kept of the domain, lets `change` change it, and keeps that. One
 * process at a time does so. A domain that these tools did not make has none: that is no error, and
 * nothing is called. What `change` returns is returned. */
int __must_check kept_change(uint32_t domid, const char *name,
                             int (*change)(struct domain_config *cfg, void *arg), void *arg,
                             struct error *e);

/* The name of a live domain becomes another one, at once; -EEXIST: that one is somebody's. Who
 * calls holds the lock of claims (state.h). */
int __must_check kept_rename(const char *old_name, const char *new_name);
/* One that has ended gives its name back for another one, which nobody has, and has another uuid
 * (state.h's names). */
int __must_check kept_set_aside(const char *name, const char *other, uint32_t domid,
                                const uint8_t uuid[16]);

#endif
