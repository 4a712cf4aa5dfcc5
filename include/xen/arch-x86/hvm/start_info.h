/* SPDX-License-Identifier: MIT */
/*
 * Start of day of a fully virtualized guest: the PVH boot protocol.
 *
 * A kernel that can be started so has the ELF note XEN_ELFNOTE_PHYS32_ENTRY (../../elfnote.h), the
 * physical address of its entry. Its segments are copied to where their p_paddr says. Then vCPU 0
 * begins there in 32-bit protected mode:
 *
 *     ebx      physical address of struct hvm_start_info
 *     cr0      PE, and ET which cannot be cleared: paging is off
 *     cr4      0
 *     cs       code, read and execute, base 0, limit 4 GiB - 1; its selector may be anything
 *     ds es ss data, read and write, base 0, limit 4 GiB - 1; likewise
 *     tr       a busy 32-bit TSS, base 0, limit 67h
 *     eflags   VM, IF and TF clear
 *
 * Nothing is said of the other registers: there is no stack, and before a kernel loads a selector
 * it needs a GDT of its own. A kernel that is not told of a hypervisor may be started so too: the
 * protocol asks for no hypercall.
 *
 * All addresses are physical. What they point to lies in the guest's RAM, but for the ACPI
 * tables, and is the guest's own: it may use the memory again when it has read it. Nothing is
 * at address 0, which therefore says that a thing is not there.
 */
#ifndef XEN_ARCH_X86_HVM_START_INFO_H
#define XEN_ARCH_X86_HVM_START_INFO_H

#include <xen/types.h>

#define XEN_HVM_START_MAGIC_VALUE 0x336ec578 /* "xEn3", the E with bit 7 */

/* A kernel checks magic, then reads memmap_* only if version is at least 1. Here it is 1. */
struct hvm_start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;          /* SIF_* of ../../start_info.h */
    uint32_t nr_modules;     /* entries of modlist; the first is the initial ramdisk */
    uint64_t modlist_paddr;  /* array of struct hvm_modlist_entry */
    uint64_t cmdline_paddr;  /* ends with NUL */
    uint64_t rsdp_paddr;     /* where the ACPI tables begin */
    uint64_t memmap_paddr;   /* array of struct hvm_memmap_table_entry */
    uint32_t memmap_entries; /* 0: there is no map */
    uint32_t reserved;       /* 0 */
};

struct hvm_modlist_entry {
    uint64_t paddr;
    uint64_t size; /* bytes */
    uint64_t cmdline_paddr;
    uint64_t reserved;
};

/* Ranges do not overlap. What no range has is not there. */
struct hvm_memmap_table_entry {
    uint64_t addr;
    uint64_t size; /* bytes */
    uint32_t type; /* below */
    uint32_t reserved;
};

/*
 * The numbers are those of ACPI's address range types. A guest uses RAM as it likes, and ACPI when
 * it has read the tables there; it keeps what is at NVS; it stays away from all the others.
 */
#define XEN_HVM_MEMMAP_TYPE_RAM      1
#define XEN_HVM_MEMMAP_TYPE_RESERVED 2
#define XEN_HVM_MEMMAP_TYPE_ACPI     3
#define XEN_HVM_MEMMAP_TYPE_NVS      4
#define XEN_HVM_MEMMAP_TYPE_UNUSABLE 5
#define XEN_HVM_MEMMAP_TYPE_DISABLED 6
#define XEN_HVM_MEMMAP_TYPE_PMEM     7

#endif /* XEN_ARCH_X86_HVM_START_INFO_H */
