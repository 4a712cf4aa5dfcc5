/* SPDX-License-Identifier: MIT */
/*
 * Who am I running on: xen_version(cmd, void *arg).
 *
 * Any domain may ask. The hypervisor's command line and changeset are the control domain's,
 * others read "<denied>". Strings end with NUL.
 *
 * XENVER_version takes no argument and changes nothing: it is the cheapest hypercall and serves
 * to measure the cost of one, and (in Linux) to have pending events looked at.
 *
 * A guest that wants to know whether it runs on Parvis or on Xen compares the extra
 * version; it should not: what differs is answered operation by operation, and
 * features are asked for by XENVER_get_features and by errors. Tools show all of it
 * (`pvctl info`).
 *
 * Operations that fill a fixed array write the whole array, zeros behind the text.
 * Those that answer by a number take a null argument. An operation that does not
 * exist: -XEN_ENOSYS.
 */
#ifndef XEN_VERSION_H
#define XEN_VERSION_H

#include <xen/xen.h>
#include <xen/features.h>

/* Returns major << 16 | minor: 4.17, the ABI that is spoken. */
#define XENVER_version 0

/* out: char[16], ".0-parvis-" and its own version. What distinguishes Parvis from Xen. */
#define XENVER_extraversion 1
typedef char xen_extraversion_t[16];
#define XEN_EXTRAVERSION_LEN (sizeof(xen_extraversion_t))

/* out: how it was built. */
#define XENVER_compile_info 2
struct xen_compile_info {
    char compiler[64];
    char compile_by[16];
    char compile_domain[32];
    char compile_date[32];
};
typedef struct xen_compile_info xen_compile_info_t;

/* out: kinds of guests, separated by blanks: "xen-3.0-x86_64". */
#define XENVER_capabilities 3
typedef char xen_capabilities_info_t[1024];
#define XEN_CAPABILITIES_INFO_LEN (sizeof(xen_capabilities_info_t))

/* out: char[64], which source it was built from: its name and version. */
#define XENVER_changeset 4
typedef char xen_changeset_info_t[64];
#define XEN_CHANGESET_INFO_LEN (sizeof(xen_changeset_info_t))

/* out: where the hypervisor's hole in the address space begins. */
#define XENVER_platform_parameters 5
struct xen_platform_parameters {
    xen_ulong_t virt_start;
};
typedef struct xen_platform_parameters xen_platform_parameters_t;

/*
 * in: submap_idx, 0 up to XENFEAT_NR_SUBMAPS - 1; out: submap, bit per XENFEAT_*.
 *
 * The kernel asks for submap 0 at its start and keeps the word. Bits have names in
 * features.h; a bit that a guest does not know is to be ignored.
 */
#define XENVER_get_features 6
struct xen_feature_info {
    /* in: -XEN_EINVAL beyond the last */
    unsigned int submap_idx;
    uint32_t submap; /* out */
};
typedef struct xen_feature_info xen_feature_info_t;

/* Returns 4096. No argument. */
#define XENVER_pagesize 7

/*
 * out: xen_domain_handle_t, the UUID that the builder gave the calling domain.
 *
 * 16 bytes, the same that XEN_DOMCTL_createdomain was given: a name for the domain
 * that lives longer than its number, for logs and licences.
 */
#define XENVER_guest_handle 8

/* out: char[1024], the hypervisor's own command line. */
#define XENVER_commandline 9
typedef char xen_commandline_t[1024];

/*
 * out: the build id of the hypervisor's image. in: len, room in buf. Returns its length; with arg
 * null, only that. -XEN_ENOBUFS when it does not fit, -XEN_ENODATA when the image has none (as
 * Parvis has not).
 */
#define XENVER_build_id 10
struct xen_build_id {
    uint32_t len;        /* in */
    unsigned char buf[]; /* out */
};
typedef struct xen_build_id xen_build_id_t;

#endif /* XEN_VERSION_H */
