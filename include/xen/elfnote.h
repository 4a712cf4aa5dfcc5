/* SPDX-License-Identifier: MIT */
/*
 * What a kernel image says about itself: ELF notes of name "Xen" in its PT_NOTE segments.
 *
 * Each has a number and a value, which is a string (S), a 64-bit address or a number (N; 4 or 8
 * bytes), or nothing. A PV kernel must have at least XEN_VERSION or GUEST_OS, and ENTRY unless
 * e_entry is it. All addresses are virtual, but for PHYS32_ENTRY. The loader (hypervisor/loader)
 * reads them.
 *
 * Older kernels have the same in one string in section __xen_guest ("VIRT_BASE=...,"); not read.
 *
 * In assembly, as guests write them (a note is: length of name, length of value,
 * number, name, value, each part padded to 4 bytes):
 *
 *     .section .note.Xen, "a", @note
 *     .long 4, 8, 1                 # ENTRY
 *     .asciz "Xen"
 *     .quad start
 *
 * A note that is given twice counts as its last. Numbers that the loader does not know
 * are skipped, so a kernel may carry notes for newer interfaces. What follows the
 * notes in the same segment and is none ends the list, without harm.
 *
 * The address of a segment in the file (p_paddr) and where it appears are tied by
 * virtual = p_paddr - PADDR_OFFSET + VIRT_BASE. The loader goes by that and not by
 * p_vaddr, since some kernels have segments whose p_vaddr means something else.
 */
#ifndef XEN_ELFNOTE_H
#define XEN_ELFNOTE_H

/*
 * What each does here:
 *
 *     ENTRY, VIRT_BASE, PADDR_OFFSET   where the kernel lies and where it begins
 *     HYPERCALL_PAGE    the page in the kernel's image is filled before its first instruction; a
 * kernel without the note executes syscall by itself INIT_P2M          the p2m list is mapped
 * there, in page tables of its own, and takes no place in the initial mapping: for domains whose
 * list is large MOD_START_PFN     the same for the ramdisk: start_info tells its pfn XEN_VERSION
 * must begin with xen-3.0, the name of the interface for all of its versions LOADER            must
 * begin with generic, unless GUEST_OS is linux FEATURES, SUPPORTED_FEATURES   what the kernel needs
 * and what it can live without GUEST_OS, GUEST_VERSION        for messages all others        are
 * skipped
 */
#define XEN_ELFNOTE_INFO               0  /* free text */
#define XEN_ELFNOTE_ENTRY              1  /* N: where it starts */
#define XEN_ELFNOTE_HYPERCALL_PAGE     2  /* N: page for the stubs of hypercalls; optional */
#define XEN_ELFNOTE_VIRT_BASE          3  /* N: virtual address of pfn 0 */
#define XEN_ELFNOTE_PADDR_OFFSET       4  /* N: p_paddr of that address; absent: 0 */
#define XEN_ELFNOTE_XEN_VERSION        5  /* S: "xen-3.0" */
#define XEN_ELFNOTE_GUEST_OS           6  /* S: "linux" */
#define XEN_ELFNOTE_GUEST_VERSION      7  /* S */
#define XEN_ELFNOTE_LOADER             8  /* S: "generic" */
#define XEN_ELFNOTE_PAE_MODE           9  /* S: 32-bit kernels only */
#define XEN_ELFNOTE_FEATURES           10 /* S: names of features.h; see there */
#define XEN_ELFNOTE_BSD_SYMTAB         11 /* S: "yes": load the symbol table after the image */
#define XEN_ELFNOTE_HV_START_LOW       12 /* N: lowest address that the hypervisor may use */
#define XEN_ELFNOTE_L1_MFN_VALID       13 /* pairs of N: mask, value of entries with an mfn */
#define XEN_ELFNOTE_SUSPEND_CANCEL     14 /* N: 1: copes with shutdown(suspend) returning 1 */
#define XEN_ELFNOTE_INIT_P2M           15 /* N: where the p2m list is to be mapped */
#define XEN_ELFNOTE_MOD_START_PFN      16 /* N: 1: takes the module by pfn, unmapped */
#define XEN_ELFNOTE_SUPPORTED_FEATURES 17 /* N: bit per XENFEAT_*, instead of the string */
#define XEN_ELFNOTE_PHYS32_ENTRY       18 /* N: physical entry, full virtualization */
#define XEN_ELFNOTE_MAX                XEN_ELFNOTE_PHYS32_ENTRY

/* In a crash image of the hypervisor. */
#define XEN_ELFNOTE_CRASH_INFO 0x1000001
#define XEN_ELFNOTE_CRASH_REGS 0x1000002

/* In a core file of a guest. */
#define XEN_ELFNOTE_DUMPCORE_NONE           0x2000000
#define XEN_ELFNOTE_DUMPCORE_HEADER         0x2000001
#define XEN_ELFNOTE_DUMPCORE_XEN_VERSION    0x2000002
#define XEN_ELFNOTE_DUMPCORE_FORMAT_VERSION 0x2000003

#endif /* XEN_ELFNOTE_H */
