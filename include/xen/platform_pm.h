/* SPDX-License-Identifier: MIT */
/*
 * platform_op: set_processor_pminfo, power states of CPUs. Included by platform.h.
 *
 * ACPI describes a CPU's sleep and performance states in a language that only the control
 * domain's kernel interprets; its driver (xen-acpi-processor) uploads the tables. Parvis idles
 * by HLT and leaves the frequency alone, so it answers -XEN_EOPNOTSUPP.
 */
#ifndef XEN_PLATFORM_PM_H
#define XEN_PLATFORM_PM_H

#include <xen/types.h>

#define XENPF_set_processor_pminfo 54

/* In start_info flags, SIF_PM_MASK: what the kernel should upload. */
#define XEN_PROCESSOR_PM_CX 1
#define XEN_PROCESSOR_PM_PX 2
#define XEN_PROCESSOR_PM_TX 4

/* type */
#define XEN_PM_CX 0
#define XEN_PM_PX 1
#define XEN_PM_TX 2
#define XEN_PM_PDC 3

/* flags of perf: which of the ACPI objects are in it. */
#define XEN_PX_PCT 1
#define XEN_PX_PSS 2
#define XEN_PX_PPC 4
#define XEN_PX_PSD 8

/* A register as ACPI's generic address has it. */
struct xen_power_register {
    uint32_t space_id;
    uint32_t bit_width;
    uint32_t bit_offset;
    uint32_t access_size;
    uint64_t address;
};

struct xen_processor_csd { /* CPUs that change state together */
    uint32_t domain;
    uint32_t coord_type;
    uint32_t num;
};
typedef struct xen_processor_csd xen_processor_csd_t;

struct xen_processor_cx {
    struct xen_power_register reg; /* how to enter it */
    uint8_t type;                  /* C1, C2, C3 */
    uint32_t latency;              /* us */
    uint32_t power;                /* mW */
    uint32_t dpcnt;
    xen_guest_handle_t dp; /* xen_processor_csd_t[dpcnt] */
};
typedef struct xen_processor_cx xen_processor_cx_t;

struct xen_processor_flags {
    uint32_t bm_control : 1;
    uint32_t bm_check : 1;
    uint32_t has_cst : 1;
    uint32_t power_setup_done : 1;
    uint32_t bm_rld_set : 1;
};

struct xen_processor_power {
    uint32_t count;
    struct xen_processor_flags flags;
    xen_guest_handle_t states; /* xen_processor_cx_t[count] */
};

struct xen_pct_register {
    uint8_t descriptor;
    uint16_t length;
    uint8_t space_id;
    uint8_t bit_width;
    uint8_t bit_offset;
    uint8_t reserved;
    uint64_t address;
};

struct xen_processor_px {
    uint64_t core_frequency; /* MHz */
    uint64_t power;          /* mW */
    uint64_t transition_latency;
    uint64_t bus_master_latency;
    uint64_t control;
    uint64_t status;
};
typedef struct xen_processor_px xen_processor_px_t;

struct xen_psd_package {
    uint64_t num_entries;
    uint64_t revision;
    uint64_t domain;
    uint64_t coord_type;
    uint64_t num_processors;
};

#define XEN_CPUPERF_SHARED_TYPE_HW 1
#define XEN_CPUPERF_SHARED_TYPE_ALL 2
#define XEN_CPUPERF_SHARED_TYPE_ANY 3
struct xen_processor_performance {
    uint32_t flags; /* XEN_PX_* */
    uint32_t platform_limit;
    struct xen_pct_register control_register;
    struct xen_pct_register status_register;
    uint32_t state_count;
    xen_guest_handle_t states; /* xen_processor_px_t[state_count] */
    struct xen_psd_package domain_info;
    uint32_t shared_type; /* XEN_CPUPERF_SHARED_TYPE_* */
};
typedef struct xen_processor_performance xen_processor_performance_t;

struct xenpf_set_processor_pminfo {
    uint32_t id;   /* ACPI id */
    uint32_t type; /* XEN_PM_* */
    union {
        struct xen_processor_power power;
        struct xen_processor_performance perf;
        xen_guest_handle_t pdc; /* uint32_t[]: revision, count, words */
    } u;
};
typedef struct xenpf_set_processor_pminfo xenpf_set_processor_pminfo_t;

#endif /* XEN_PLATFORM_PM_H */
