/* SPDX-License-Identifier: MIT */
/* The kinds of guests, and what they are called wherever a person reads or writes it. */
#ifndef PARVIS_TOOLS_KIND_H
#define PARVIS_TOOLS_KIND_H

enum guest_kind {
    KIND_PV,  /* paravirtual */
    KIND_HVM, /* fully virtualized, and told of no hypervisor */
    KIND_PVH, /* fully virtualized, with Xen's interface */
};
#define NR_KINDS 3u

static inline const char *kind_name(enum guest_kind k)
{
    static const char *const names[NR_KINDS] = {"pv", "hvm", "pvh"};

    return names[k];
}

#endif
