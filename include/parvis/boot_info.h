/* SPDX-License-Identifier: MIT */
/*
 * What the boot code hands to the hypervisor, however the machine was started (UEFI or direct): one
 * struct boot_info. Nothing after boot/ knows which it was. All addresses are machine physical; the
 * strings and arrays lie in memory that the map calls BOOT_MEM_LOADER and stay there until boot is
 * over.
 */
#ifndef PARVIS_BOOT_INFO_H
#define PARVIS_BOOT_INFO_H

#include <stdint.h>

enum boot_mem_type {
    BOOT_MEM_RAM = 1, /* free: the same numbers as E820 for 1 to 5 */
    BOOT_MEM_RESERVED = 2,
    BOOT_MEM_ACPI = 3,
    BOOT_MEM_NVS = 4,
    BOOT_MEM_UNUSABLE = 5,
    /* RAM that holds modules, boot_info, strings: reusable when boot is over */
    BOOT_MEM_LOADER = 100,
    BOOT_MEM_IMAGE = 101, /* RAM that holds the hypervisor itself */
};

struct boot_mem {
    uint64_t start, size; /* bytes */
    uint32_t type;        /* enum boot_mem_type */
    uint32_t reserved;
};

#define BOOT_MAX_MEM     256
#define BOOT_MAX_MODULES 256 /* each domain may have a kernel and a ramdisk of its own */
#define BOOT_MAX_DOMAINS 128
#define BOOT_MAX_CPUS    64
#define BOOT_STRING      512

struct boot_module {
    char name[64]; /* file name without folders: how parvis.cfg refers to it */
    /* Bytes; start is page aligned when UEFI loaded it, any under direct start. */
    uint64_t start, size;
};

/* One [control] or [domain NAME] section of parvis.cfg. */
struct boot_domain {
    char name[32];
    uint32_t is_control;
    int32_t kernel, ramdisk; /* index into modules; ramdisk -1: none */
    char cmdline[BOOT_STRING];
    uint64_t memory; /* bytes; 0: what fits (control) */
    uint32_t vcpus;  /* 0: one for each CPU (control), or 1 */
    uint32_t weight; /* 0: the usual one */
    uint32_t cap;    /* percent of one CPU; 0: none */
    uint32_t kind;   /* of guest: 0 paravirtual, 1 fully virtualized, 2 that and told of Xen */
    /* Where its vCPUs may run, bit per CPU, those that no machine has too; 0: anywhere */
    uint64_t affinity;
};

struct boot_info {
    uint32_t nr_mem, nr_modules, nr_domains;
    struct boot_mem mem[BOOT_MAX_MEM]; /* sorted, not overlapping */
    struct boot_module modules[BOOT_MAX_MODULES];
    struct boot_domain domains[BOOT_MAX_DOMAINS];
    uint64_t rsdp;             /* ACPI RSDP; 0: none given, look in the BIOS area */
    uint64_t efi_system_table; /* 0: not UEFI */
    char cmdline[BOOT_STRING]; /* global keys may be given here too: "loglevel=debug" */
    char loader[32];           /* "UEFI", "direct": for the log alone */
    /* global keys of parvis.cfg */
    uint32_t console;     /* 1: com1, 2: com2 */
    uint32_t loglevel;    /* enum log_level */
    uint32_t debug_exit;  /* I/O port of QEMU's debug-exit device; 0: none */
    uint32_t halt_on_end; /* on_end = halt */
    uint32_t cpus;        /* at most so many are started; 0: as many as can be */
    uint32_t no_smt;      /* smt = no: one thread of each core */
    uint32_t tsc_stable;  /* tsc = stable */
    /* spec-ctrl: measures that are left out, and taken (parvis/speculation.h) */
    uint32_t spec_off, spec_on;
};

#endif
