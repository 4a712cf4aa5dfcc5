/* SPDX-License-Identifier: MIT */
/*
 * The control domain's calls about the platform: platform_op(struct xen_platform_op *).
 *
 * The hypervisor has no drivers for firmware services, clock chips and power; the control domain
 * has, and by these calls asks for what only the hypervisor can do, and tells what only it
 * knows. Control domain alone: -XEN_EPERM. -XEN_EACCES another interface version;
 * -XEN_EOPNOTSUPP does not exist or is not offered: docs/abi-coverage.md says which are answered
 * at present.
 *
 * Not offered, and so without structures: memory type ranges (MTRR), microcode, frequencies,
 * hot-plug of CPUs and memory, core parking, MSR access on behalf of tools.
 *
 * Who calls when, in the life of a control domain: at its start firmware_info (UEFI's
 * tables), get_cpuinfo (which CPUs there are), set_processor_pminfo (refused); from
 * then on settime64 each time NTP moves the clock (Linux: every eleven minutes); at
 * its end enter_acpi_sleep.
 *
 *     struct xen_platform_op op = {
 *         .cmd = XENPF_settime64, .interface_version = XENPF_INTERFACE_VERSION,
 *         .u.settime64 = {.secs = 1893456000, .nsecs = 0, .system_time = now}};
 *     platform_op(&op);
 *
 * Results come back in the same structure, on success alone.
 */
#ifndef XEN_PLATFORM_H
#define XEN_PLATFORM_H

#include <xen/platform_efi.h>
#include <xen/platform_pm.h>
#include <xen/xen.h>

#define XENPF_INTERFACE_VERSION 0x03000001

/*
 * settime: the wall clock is secs.nsecs at the given system time: from this the hypervisor
 * computes the wall clock at boot, and shows it to all domains. 32: the older form.
 * -XEN_EINVAL mbz is not 0.
 *
 * The control domain is the only one that knows the time of day: the hypervisor reads
 * the battery clock once, when it starts. After the call every domain's wc_sec and
 * wc_nsec are rewritten under wc_version, so a guest that reads the clock by
 * shared_info.h sees the new time without a call. Guests with a clock discipline of
 * their own are not told otherwise.
 *
 * With secs and nsecs the time of day at the moment when system time was system_time,
 * time at boot is the difference; a caller that was held up between reading and
 * calling loses nothing.
 */
#define XENPF_settime32 17
struct xenpf_settime32 {
    uint32_t secs;
    uint32_t nsecs;
    uint64_t system_time;
};
typedef struct xenpf_settime32 xenpf_settime32_t;

#define XENPF_settime64 62
struct xenpf_settime64 {
    uint64_t secs; /* since 1970 */
    uint32_t nsecs;
    uint32_t mbz;
    uint64_t system_time; /* ns */
};
typedef struct xenpf_settime64 xenpf_settime64_t;
#define XENPF_settime XENPF_settime64
#define xenpf_settime xenpf_settime64
typedef struct xenpf_settime xenpf_settime_t;

/*
 * MTRRs: -XEN_EOPNOTSUPP. Page attributes do what they did.
 *
 * Cacheability of memory is set for single pages by the page tables' attribute bits,
 * which the control domain may use on device memory; ranges stay as firmware has set
 * them up.
 */
#define XENPF_add_memtype  31
#define XENPF_del_memtype  32
#define XENPF_read_memtype 33

/*
 * New microcode comes with firmware, or by the boot loader, before the hypervisor.
 */
#define XENPF_microcode_update 35 /* -XEN_EOPNOTSUPP */

/*
 * platform_quirk: the kernel knows of a fault of the board. Taken note of in the log;
 * 0.
 *
 * It changes nothing here: the hypervisor does not balance interrupts by itself, and
 * reads IOAPICs in the way that both kinds of board take.
 */
#define XENPF_platform_quirk     39
#define QUIRK_NOIRQBALANCING     1
#define QUIRK_IOAPIC_BAD_REGSEL  2
#define QUIRK_IOAPIC_GOOD_REGSEL 3
struct xenpf_platform_quirk {
    uint32_t quirk_id;
};
typedef struct xenpf_platform_quirk xenpf_platform_quirk_t;

/*
 * enter_acpi_sleep: val_a and val_b go to the PM1a and PM1b control registers (or sleep control,
 * status with the flag). State 5, power off, does not return; others: -XEN_EOPNOTSUPP.
 * -XEN_EINVAL the values don't fit the state.
 *
 * The control domain's kernel evaluates what ACPI wants evaluated, asks its devices to
 * go to sleep, and then makes this call in place of the two writes. The hypervisor
 * looks whether they are what the tables say for the state, stops the other CPUs,
 * writes, and never comes back. Guests that still live end with the machine: shut them
 * down first.
 */
#define XENPF_enter_acpi_sleep    51
#define XENPF_ACPI_SLEEP_EXTENDED 0x00000001
struct xenpf_enter_acpi_sleep {
    uint16_t val_a;
    uint16_t val_b;
    uint32_t sleep_state; /* 1 to 5 */
    /* XENPF_ACPI_SLEEP_EXTENDED */
    uint32_t flags;
};
typedef struct xenpf_enter_acpi_sleep xenpf_enter_acpi_sleep_t;

/*
 * From a time when the control domain's kernel chose frequencies by itself.
 */
#define XENPF_change_freq 52 /* -XEN_EOPNOTSUPP */

/*
 * getidletime: ns that physical CPUs were idle. cpumap: which in, which exist out.
 *
 * Not answered; XEN_SYSCTL_getcpuinfo tells the same.
 */
#define XENPF_getidletime 53
struct xenpf_getidletime {
    xen_guest_handle_t cpumap_bitmap; /* in, out: uint8_t[] */
    uint32_t cpumap_nr_cpus;          /* in */
    /* out: uint64_t[cpumap_nr_cpus] */
    xen_guest_handle_t idletime;
    uint64_t now; /* out: system time */
};
typedef struct xenpf_getidletime xenpf_getidletime_t;

/*
 * get_cpuinfo: a physical CPU. max_present: the greatest number. A number that is not in use: flags
 * INVALID. get_cpu_version: vendor, family, model, stepping of it.
 *
 * The kernel walks from 0 to max_present to find which of the machine's CPUs are
 * online under the hypervisor: its own vCPUs are something else. APIC and ACPI ids are
 * the machine's.
 */
#define XENPF_get_cpuinfo      55
#define XEN_PCPU_FLAGS_ONLINE  1
#define XEN_PCPU_FLAGS_INVALID 2
struct xenpf_pcpuinfo {
    uint32_t xen_cpuid;   /* in */
    uint32_t max_present; /* out */
    uint32_t flags;       /* out */
    uint32_t apic_id;     /* out */
    uint32_t acpi_id; /* out: by what the firmware's tables and AML name it; all ones: by nothing */
};
typedef struct xenpf_pcpuinfo xenpf_pcpuinfo_t;

#define XENPF_get_cpu_version 48
struct xenpf_pcpu_version {
    uint32_t xen_cpuid;   /* in */
    uint32_t max_present; /* out */
    char vendor_id[12];   /* out, no NUL */
    /* out; likewise the rest */
    uint32_t family;
    uint32_t model;
    uint32_t stepping;
};
typedef struct xenpf_pcpu_version xenpf_pcpu_version_t;

/*
 * Hot-plug of CPUs and memory, parking of cores: -XEN_EOPNOTSUPP.
 *
 * CPUs are taken at the start and kept. The kernel's files under sysfs that would call
 * these show an error when they are written to.
 */
#define XENPF_cpu_online   56
#define XENPF_cpu_offline  57
#define XENPF_cpu_hotadd   58
#define XENPF_mem_hotadd   59
#define XENPF_core_parking 60
struct xenpf_cpu_ol {
    uint32_t cpuid;
};
typedef struct xenpf_cpu_ol xenpf_cpu_ol_t;

/*
 * Tools of CPU makers read counters of caches and memory bandwidth by it.
 */
#define XENPF_resource_op 61 /* reading and writing MSRs: -XEN_EOPNOTSUPP */

/*
 * get_symbol: symbol number symnum of the hypervisor, in order of addresses; symnum receives the
 * next. namelen: room; out: length with NUL. At the end, symnum stays the same. -XEN_EINVAL beyond.
 *
 * It would let profilers name addresses of the hypervisor. Backtraces have names
 * already, as the table is in the image.
 */
#define XENPF_get_symbol 63
struct xenpf_symdata {
    uint32_t namelen;        /* in, out */
    uint32_t symnum;         /* in, out */
    xen_guest_handle_t name; /* out: char[namelen] */
    uint64_t address;        /* out */
    /* out: as nm prints it */
    char type;
};
typedef struct xenpf_symdata xenpf_symdata_t;

/*
 * The envelope: 128 bytes of argument in every version, whatever the command needs.
 */
struct xen_platform_op {
    uint32_t cmd; /* XENPF_* */
    /* XENPF_INTERFACE_VERSION */
    uint32_t interface_version;
    union {
        xenpf_settime_t settime;
        xenpf_settime32_t settime32;
        xenpf_settime64_t settime64;
        xenpf_platform_quirk_t platform_quirk;
        xenpf_efi_runtime_call_t efi_runtime_call;
        xenpf_firmware_info_t firmware_info;
        xenpf_enter_acpi_sleep_t enter_acpi_sleep;
        xenpf_getidletime_t getidletime;
        xenpf_set_processor_pminfo_t set_pminfo;
        xenpf_pcpuinfo_t pcpu_info;
        xenpf_pcpu_version_t pcpu_version;
        xenpf_cpu_ol_t cpu_ol;
        xenpf_symdata_t symdata;
        uint8_t pad[128];
    } u;
};
typedef struct xen_platform_op xen_platform_op_t;

#endif /* XEN_PLATFORM_H */
