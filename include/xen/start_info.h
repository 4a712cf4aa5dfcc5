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
 *
 * The order in memory, from the virtual base on, with what each is for:
 *
 *     kernel          as its ELF segments say, by physical address
 *     module          the initial ramdisk, page-aligned
 *     p2m list        8 bytes a page of the domain
 *     start_info      this structure, one page
 *     store, console  one page each, shared with their daemons
 *     page tables     pt_base: level 4 first, then 3, 2, 1; mapped read-only
 *     boot stack      one page; rsp is its end
 *
 * All of it is the guest's own memory: it may use each page again when it needs it no
 * longer. The tables are live page tables and pinned: to get their pages back, a
 * kernel first loads tables of its own, then unpins the old ones.
 *
 * How to begin: keep rsi; map shared_info somewhere (update_va_mapping with frame
 * shared_info / 4096, writable); set traps and callbacks; look at flags for what kind
 * of domain this is; set up the console from console.domU; unmask events.
 */
#ifndef XEN_START_INFO_H
#define XEN_START_INFO_H

#include <xen/types.h>

#define MAX_GUEST_CMDLINE 1024

/*
 * Numbers that a kernel computes with: virtual address of pfn n = virtual base + n *
 * 4096 within the initial mapping; mfn of pfn n = ((unsigned long *)mfn_list)[n]. The
 * pages of the initial mapping are all present and writable, but for the page tables.
 *
 * magic begins with "xen-3.0-x86_64" and ends with NUL: a kernel that finds something
 * else was not started by this interface. cmd_line is what the configuration said, cut
 * off never: a longer one is refused when the domain is made.
 */
struct start_info {
    char magic[32]; /* "xen-3.0-x86_64" */
    /* pages of the domain, all mapped by the p2m list */
    unsigned long nr_pages;
    /* machine address of struct shared_info */
    unsigned long shared_info;
    uint32_t flags; /* SIF_* */
    /* page shared with xenstored (io/xs_wire.h); control domain: 0 */
    xen_pfn_t store_mfn;
    uint32_t store_evtchn; /* port to xenstored */
    union {
        struct {
            /* page of the console ring (io/console.h) */
            xen_pfn_t mfn;
            /* port to the console daemon */
            uint32_t evtchn;
        } domU;
        struct {
            /* control domain: offset of dom0_vga_console_info */
            uint32_t info_off;
            /* and how long it is; 0 when there is no screen */
            uint32_t info_size;
        } dom0;
    } console;
    /* virtual address of the level-4 table */
    unsigned long pt_base;
    /* frames of the boot page tables, contiguous from there */
    unsigned long nr_pt_frames;
    /* virtual address of the p2m list */
    unsigned long mfn_list;
    /* virtual address of the module, or its pfn (SIF_MOD_START_PFN) */
    unsigned long mod_start;
    unsigned long mod_len;              /* bytes; 0: none */
    int8_t cmd_line[MAX_GUEST_CMDLINE]; /* NUL-terminated */
    /* Where the p2m list lies when the notes gave it an address outside the normal mapping. */
    unsigned long first_p2m_pfn;
    unsigned long nr_p2m_frames;
};
typedef struct start_info start_info_t;

/*
 * The control domain has both of the first two. A boot-time guest and a guest of the
 * tools have neither, and should not try the control calls: they are refused and noted
 * in the log.
 */
#define SIF_PRIVILEGED      (1 << 0)    /* may make the control calls */
#define SIF_INITDOMAIN      (1 << 1)    /* the domain that has the devices */
#define SIF_MULTIBOOT_MOD   (1 << 2)    /* mod_start points to a list of xen_multiboot_mod_list */
#define SIF_MOD_START_PFN   (1 << 3)    /* mod_start is a pfn, the module is not mapped */
#define SIF_VIRT_P2M_4TOOLS (1 << 4)    /* the tools follow arch_shared_info.p2m_vaddr at save */
#define SIF_PM_MASK         (0xFF << 8) /* which of C, P, T states the kernel reports */

/*
 * With SIF_MULTIBOOT_MOD, one per module; addresses relative to mod_start, the last
 * one is zero.
 *
 * For a boot loader that hands a kernel several files; domains that pvctl or
 * parvis.cfg makes have one module at most, described by mod_start and mod_len.
 */
struct xen_multiboot_mod_list {
    uint32_t mod_start;
    uint32_t mod_end; /* exclusive */
    uint32_t cmdline;
    uint32_t pad;
};

/*
 * What the firmware left on the screen, for the control domain's own console driver.
 *
 * info_off counts from the beginning of start_info. A screen that the hypervisor does
 * not know of is told by info_size 0; then the control domain's kernel looks for none.
 */
#define XEN_VGATYPE_TEXT_MODE_3 0x03
#define XEN_VGATYPE_VESA_LFB    0x23
#define XEN_VGATYPE_EFI_LFB     0x70

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
            /* physical address, low half */
            uint32_t lfb_base;
            uint32_t lfb_size; /* in units of 64 KiB */
            uint8_t red_pos, red_size;
            uint8_t green_pos, green_size;
            uint8_t blue_pos, blue_size;
            uint8_t rsvd_pos, rsvd_size;
            /* bit 0: screen_info's capability; bit 1: 64-bit base */
            uint32_t gbl_caps;
            uint16_t mode_attrs;
            uint16_t pad;
            /* high half of the address */
            uint32_t ext_lfb_base;
        } vesa_lfb; /* also for EFI */
    } u;
} dom0_vga_console_info_t;
#define xen_vga_console_info   dom0_vga_console_info
#define xen_vga_console_info_t dom0_vga_console_info_t

#endif /* XEN_START_INFO_H */
