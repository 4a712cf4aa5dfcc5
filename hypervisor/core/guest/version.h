/* SPDX-License-Identifier: MIT */
/* What xen_version answers: core/guest/version.c. */
#ifndef HV_VERSION_H
#define HV_VERSION_H

#define XEN_MAJOR      4
#define XEN_MINOR      17
#define PARVIS_VERSION "0.1"

void version_set_command_line(const char *s);

#endif
