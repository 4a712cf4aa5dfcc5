/* SPDX-License-Identifier: MIT */
/*
 * platform_op: set_processor_pminfo, power states of CPUs. Included by platform.h.
 *
 * ACPI describes a CPU's sleep and performance states in a language that only the control
 * domain's kernel interprets; its driver (xen-acpi-processor) uploads the tables. Parvis idles
 * by HLT and leaves the frequency alone, so it answers -XEN_EOPNOTSUPP.
 *
 * How it goes on a hypervisor that takes the tables: for each CPU of ACPI the driver
 * fills one xenpf_set_processor_pminfo, once with the sleep states (XEN_PM_CX) and
 * once with the performance states (XEN_PM_PX); the hypervisor then chooses among them
 * by itself. CPUs are named by ACPI id, since the driver sees more of them than its
 * own domain has vCPUs.
 *
 *     id      ACPI's number of the CPU, as in the MADT
 *     type    which of the three kinds follows, or _PDC: what the system can cope with
 *     u       power (C states), perf (P states), pdc (words for the method _PDC)
 *
 * SIF_PM_MASK in start_info's flags tells the kernel which kinds to upload: none is
 * set by Parvis, so a stock driver does not even try, and a driver that does gets
 * -XEN_EOPNOTSUPP and leaves the tables alone.
 *
 * The structures follow ACPI: who reads them should have the specification's chapter
 * on processor configuration at hand. Names in capitals there (_CST, _PSS, _PCT, _PSD,
 * _PPC) are given below where a structure holds one of them.
 */
#ifndef XEN_PLATFORM_PM_H
#define XEN_PLATFORM_PM_H

#include <xen/types.h>

#define XENPF_set_processor_pminfo 54

/*
 * In start_info flags, SIF_PM_MASK: what the kernel should upload.
 *
 * Shifted by 8 into the flags of start_info.
 */
#define XEN_PROCESSOR_PM_CX 1
#define XEN_PROCESSOR_PM_PX 2
#define XEN_PROCESSOR_PM_TX 4

/* type */
#define XEN_PM_CX  0
#define XEN_PM_PX  1
#define XEN_PM_TX  2
#define XEN_PM_PDC 3

/*
 * flags of perf: which of the ACPI objects are in it.
 *
 * A driver may upload in pieces: first PCT, PSS and PSD together, later PPC alone each
 * time the firmware lowers the limit.
 */
#define XEN_PX_PCT 1
#define XEN_PX_PSS 2
#define XEN_PX_PPC 4
#define XEN_PX_PSD 8

/*
 * A register as ACPI's generic address has it.
 *
 * space_id is 0 for memory, 1 for ports, 0x7f for a register of the CPU itself; widths
 * and offsets in bits; access_size 1 to 4 for 8 to 64 bits.
 */
struct xen_power_register {
    uint32_t space_id;
    uint32_t bit_width;
    uint32_t bit_offset;
    uint32_t access_size;
    uint64_t address;
};

/*
 * One row of _CSD: the group (domain), how its members agree (coord_type), and how
 * many there are.
 */
struct xen_processor_csd { /* CPUs that change state together */
    uint32_t domain;
    uint32_t coord_type;
    uint32_t num;
};
typedef struct xen_processor_csd xen_processor_csd_t;

/*
 * One row of _CST. The register says how the state is entered: space_id 0x7f means an
 * instruction (MWAIT, its hint in address), 1 an I/O port that is read.
 */
struct xen_processor_cx {
    struct xen_power_register reg; /* how to enter it */
    uint8_t type;                  /* C1, C2, C3 */
    uint32_t latency;              /* us */
    uint32_t power;                /* mW */
    uint32_t dpcnt;
    /* xen_processor_csd_t[dpcnt] */
    xen_guest_handle_t dp;
};
typedef struct xen_processor_cx xen_processor_cx_t;

/*
 * Bits by which a driver tells how a C3 state must be entered: bus masters are to be
 * watched or held; and whether the states came from _CST or from older tables.
 */
struct xen_processor_flags {
    uint32_t bm_control : 1;
    uint32_t bm_check : 1;
    uint32_t has_cst : 1;
    uint32_t power_setup_done : 1;
    uint32_t bm_rld_set : 1;
};

/*
 * All C states of one CPU: count rows of xen_processor_cx_t, shallowest first.
 */
struct xen_processor_power {
    uint32_t count;
    struct xen_processor_flags flags;
    /* xen_processor_cx_t[count] */
    xen_guest_handle_t states;
};

/*
 * One register of _PCT: where a performance state is asked for (control) or read back
 * (status). The first two bytes are the descriptor's kind and length as ACPI's byte
 * code has them.
 */
struct xen_pct_register {
    uint8_t descriptor;
    uint16_t length;
    uint8_t space_id;
    uint8_t bit_width;
    uint8_t bit_offset;
    uint8_t reserved;
    uint64_t address;
};

/*
 * One row of _PSS, fastest first. control is what is written to reach the state,
 * status what is then read; latencies in us.
 */
struct xen_processor_px {
    uint64_t core_frequency; /* MHz */
    uint64_t power;          /* mW */
    uint64_t transition_latency;
    uint64_t bus_master_latency;
    uint64_t control;
    uint64_t status;
};
typedef struct xen_processor_px xen_processor_px_t;

/*
 * _PSD: CPUs that must change together, and who coordinates them: 0xfc software, all;
 * 0xfd software, any; 0xfe hardware.
 */
struct xen_psd_package {
    uint64_t num_entries;
    uint64_t revision;
    uint64_t domain;
    uint64_t coord_type;
    uint64_t num_processors;
};

/*
 * The same coordination in the words of a cpufreq driver. platform_limit is _PPC: the
 * fastest state that may be used, as an index of the rows.
 */
#define XEN_CPUPERF_SHARED_TYPE_HW  1
#define XEN_CPUPERF_SHARED_TYPE_ALL 2
#define XEN_CPUPERF_SHARED_TYPE_ANY 3

/*
 * All P states of one CPU, with the registers by which they are entered.
 */
struct xen_processor_performance {
    uint32_t flags; /* XEN_PX_* */
    uint32_t platform_limit;
    struct xen_pct_register control_register;
    struct xen_pct_register status_register;
    uint32_t state_count;
    /* xen_processor_px_t[state_count] */
    xen_guest_handle_t states;
    struct xen_psd_package domain_info;
    /* XEN_CPUPERF_SHARED_TYPE_* */
    uint32_t shared_type;
};
typedef struct xen_processor_performance xen_processor_performance_t;

/*
 * One upload. The handle of pdc points to words: revision, count, then count
 * capabilities.
 */
struct xenpf_set_processor_pminfo {
    uint32_t id;   /* ACPI id */
    uint32_t type; /* XEN_PM_* */
    union {
        struct xen_processor_power power;
        struct xen_processor_performance perf;
        /* uint32_t[]: revision, count, words */
        xen_guest_handle_t pdc;
    } u;
};
typedef struct xenpf_set_processor_pminfo xenpf_set_processor_pminfo_t;

#endif /* XEN_PLATFORM_PM_H */
