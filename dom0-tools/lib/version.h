/* SPDX-License-Identifier: MIT */
/*
 * The version of the tools. It is the project's, not that of the ABI (which is Xen's 4.17).
 */
#ifndef PARVIS_TOOLS_VERSION_H
#define PARVIS_TOOLS_VERSION_H

#define PARVIS_VERSION "0.1"

#endif
