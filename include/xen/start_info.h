/* SPDX-License-Identifier: MIT */
/*
 * Start of day of a PV guest: what it finds when it is entered.
 *
 * The first vCPU starts at the entry address of the kernel's ELF notes with rsi = virtual address
 * of struct start_info, rsp = top of a boot stack, flat segments, events masked, and page tables
 * that map, from the notes' virtual base on and in this order: kernel image, module (initial
 * ramdisk) unless it was asked for by frame number, the p2m list (mfn of each pfn, 8 bytes each)
 * unless it has an address of its own, start_info, store page, console page, the page tables, boot
 * stack, and some free room. The end is at least 512 KiB after the last of them and 4 MiB-aligned.
 *
 * "Machine address" here is what the tables hold; the guest must map it before use. After a
 * suspend/resume the page is filled anew, with new mfns.
 */
#ifndef XEN_START_INFO_H
#define XEN_START_INFO_H

#include <xen/types.h>

#define MAX_GUEST_CMDLINE 1024

struct start_info {
    char magic[32];            /* "xen-3.0-x86_64" */
    unsigned long nr_pages;    /* pages of the domain, all mapped by the p2m list */
    unsigned long shared_info; /* machine address of struct shared_info */
    uint32_t flags;            /* SIF_* */
    xen_pfn_t store_mfn;       /* page shared with xenstored (io/xs_wire.h); control domain: 0 */
    uint32_t store_evtchn;     /* port to xenstored */
    union {
        struct {
            xen_pfn_t mfn;   /* page of the console ring (io/console.h) */
            uint32_t evtchn; /* port to the console daemon */
        } domU;
        struct {
            uint32_t info_off;  /* control domain: offset of dom0_vga_console_info */
            uint32_t info_size; /* and how long it is; 0 when there is no screen */
        } dom0;
    } console;
    unsigned long pt_base;      /* virtual address of the level-4 table */
    unsigned long nr_pt_frames; /* frames of the boot page tables, contiguous from there */
    unsigned long mfn_list;     /* virtual address of the p2m list */
    unsigned long mod_start;    /* virtual address of the module, or its pfn (SIF_MOD_START_PFN) */
    unsigned long mod_len;      /* bytes; 0: none */
    int8_t cmd_line[MAX_GUEST_CMDLINE]; /* NUL-terminated */
    /* Where the p2m list lies when the notes gave it an address outside the normal mapping. */
    unsigned long first_p2m_pfn;
    unsigned long nr_p2m_frames;
};
typedef struct start_info start_info_t;

#define SIF_PRIVILEGED (1 << 0)      /* may make the control calls */
#define SIF_INITDOMAIN (1 << 1)      /* the domain that has the devices */
#define SIF_MULTIBOOT_MOD (1 << 2)   /* mod_start points to a list of xen_multiboot_mod_list */
#define SIF_MOD_START_PFN (1 << 3)   /* mod_start is a pfn, the module is not mapped */
#define SIF_VIRT_P2M_4TOOLS (1 << 4) /* the tools follow arch_shared_info.p2m_vaddr at save */
#define SIF_PM_MASK (0xFF << 8)      /* which of C, P, T states the kernel reports */

/* With SIF_MULTIBOOT_MOD, one per module; addresses relative to mod_start, the last one is zero. */
struct xen_multiboot_mod_list {
    uint32_t mod_start;
    uint32_t mod_end; /* exclusive */
    uint32_t cmdline;
    uint32_t pad;
};

/* What the firmware left on the screen, for the control domain's own console driver. */
#define XEN_VGATYPE_TEXT_MODE_3 0x03
#define XEN_VGATYPE_VESA_LFB 0x23
#define XEN_VGATYPE_EFI_LFB 0x70

typedef struct dom0_vga_console_info {
    uint8_t video_type; /* XEN_VGATYPE_* */
    union {
        struct {
            uint16_t font_height; /* pixels */
            uint16_t cursor_x, cursor_y;
            uint16_t rows, columns;
        } text_mode_3;
        struct {
            uint16_t width, height; /* pixels */
            uint16_t bytes_per_line;
            uint16_t bits_per_pixel;
            uint32_t lfb_base; /* physical address, low half */
            uint32_t lfb_size; /* in units of 64 KiB */
            uint8_t red_pos, red_size;
            uint8_t green_pos, green_size;
            uint8_t blue_pos, blue_size;
            uint8_t rsvd_pos, rsvd_size;
            uint32_t gbl_caps; /* bit 0: screen_info's capability; bit 1: 64-bit base */
            uint16_t mode_attrs;
            uint16_t pad;
            uint32_t ext_lfb_base; /* high half of the address */
        } vesa_lfb;                /* also for EFI */
    } u;
} dom0_vga_console_info_t;
#define xen_vga_console_info dom0_vga_console_info
#define xen_vga_console_info_t dom0_vga_console_info_t

#endif /* XEN_START_INFO_H */
