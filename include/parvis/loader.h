/* SPDX-License-Identifier: MIT */
/*
 * The loader: how a 64-bit paravirtual domain looks at its first instruction.
 *
 * There is one implementation (hypervisor/loader/). The hypervisor uses it for boot-time domains
 * and the control domain, the toolstack for every domain it creates. It has three steps:
 *
 *   loader_parse()   kernel file (an ELF64 image)  -> struct loader_image   what the kernel asks
 * for loader_plan()    image + configuration         -> struct loader_layout  where everything goes
 *   loader_write()   layout + memory of the domain -> memory written        may run for long
 *
 * The first two are pure: they touch no domain, so that a kernel that does not fit is refused
 * before a domain exists. Then the caller allocates nr_pages pages for the domain (in whatever
 * order it likes; the machine-to-physical table is its business), opens the domain's event channels
 * and writes. After loader_write() the caller
 *   - fills the hypercall page at layout.hypercall_pfn, if the kernel has one;
 *   - pins the frame of layout.cr3_pfn as an L4 table: every rule that a guest must keep for its
 *     page tables holds already, there is no special case for the first tables;
 *   - gives vCPU 0 the context that loader_context() makes.
 *
 * Pages are named by pfn: the domain's own numbering, 0 to nr_pages - 1. In the initial mapping the
 * page pfn is found at virt_base + pfn * 4096.
 *
 * Pages need not be zero: what the guest may rely on is written, what lies between is left as it is
 * (and must therefore hold nothing that is not the guest's to see).
 *
 * Trust: the kernel and ramdisk may be any bytes. Nothing outside them is read, nothing outside the
 * pages 0 to nr_pages - 1 is written. There is no allocation, no global state, and no lock: calls
 * for different domains may run side by side.
 *
 * Errors: a negative XEN_E* and, in struct loader_error, one sentence that names the field and the
 * rule. -XEN_ENOEXEC: not a kernel that can be started. -XEN_ENOMEM: the domain is too small.
 * -XEN_EINVAL: the configuration is wrong. -XEN_EFAULT: a page of the domain could not be mapped.
 *
 * A fully virtualized domain begins in another way, with other plans and the same errors, kernel
 * file, configuration and target: parvis/loader_pvh.h.
 */
#ifndef PARVIS_LOADER_H
#define PARVIS_LOADER_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>

#define LOADER_NONE (~0ULL) /* an address or pfn that is not there */
#define LOADER_TEXT 64      /* longest string of an ELF note that is kept, with its NUL */

struct vcpu_guest_context; /* xen/arch-x86/xen.h */

struct loader_error {
    char text[192];
};

/* What a kernel file asks for. The file stays where it is: image->file is read by loader_write().
 */
struct loader_image {
    const uint8_t *file;
    uint64_t size;
    uint64_t phys_start; /* first and last + 1 byte of its segments, by p_paddr */
    uint64_t phys_end;
    uint64_t pvh_entry; /* LOADER_NONE: it has no entry for full virtualization */

    uint64_t virt_base;    /* pfn 0 is mapped here */
    uint64_t paddr_offset; /* taken off each p_paddr before virt_base is added */
    uint64_t virt_start;   /* first and last + 1 byte of the kernel, page aligned */
    uint64_t virt_end;
    uint64_t entry;
    uint64_t hypercall_page; /* LOADER_NONE: the kernel makes hypercalls without the page */
    uint64_t init_p2m;  /* where the kernel wants its p2m list; LOADER_NONE: after the ramdisk */
    bool mod_start_pfn; /* the ramdisk need not be mapped; mod_start is then a pfn */

    uint32_t features_supported; /* bits XENFEAT_*, submap 0 */
    uint32_t features_required;
    bool has_supported_features; /* the kernel has the note; then it says whether it can be dom0 */

    char guest_os[LOADER_TEXT];
    char guest_version[LOADER_TEXT];
    char xen_version[LOADER_TEXT];
    char loader[LOADER_TEXT];
};

/* What the caller wants. The bytes that are pointed to are read by plan and write. */
struct loader_config {
    uint64_t nr_pages;   /* the domain's memory */
    const char *cmdline; /* NULL: empty. At most MAX_GUEST_CMDLINE - 1 bytes */
    const void *ramdisk; /* NULL: none */
    uint64_t ramdisk_size;
    uint32_t nr_vcpus; /* full virtualization alone: its tables list them */
    bool control;      /* the control domain: SIF_PRIVILEGED | SIF_INITDOMAIN; no ring pages */
    uint32_t flags;    /* further SIF_*; SIF_MOD_START_PFN is the loader's own */

    /* Known only when the domain exists: needed by loader_write(), not by loader_plan(). */
    uint64_t shared_info;  /* machine address of the shared info frame */
    uint32_t store_evtchn; /* ports in the domain; 0 for the control domain */
    uint32_t console_evtchn;
    const void *dom0_console; /* control domain: struct dom0_vga_console_info, or NULL */
    uint32_t dom0_console_size;
};

/* A run of page tables of one level l. A table maps the addresses whose bits 47 to 12 + 9l are its
 * index. */
struct loader_tables {
    uint64_t index;
    uint64_t count;
    uint64_t pfn;
};

/* A run of virtual addresses and the pages that are mapped there. */
struct loader_area {
    uint64_t va;
    uint64_t nr_pages; /* 0: the area is not there */
    uint64_t pfn;
    struct loader_tables tables[4]; /* [0] holds the L1 tables, [3] the L4 table */
};

/* Where everything goes. A pfn that is not there is LOADER_NONE. */
struct loader_layout {
    uint64_t kernel_pfn, kernel_pages;
    uint64_t ramdisk_pfn, ramdisk_pages;
    uint64_t p2m_pfn, p2m_pages; /* with the page tables that map only it, if it is apart */
    uint64_t start_info_pfn;
    uint64_t store_pfn, console_pfn;   /* LOADER_NONE for the control domain */
    uint64_t tables_pfn, tables_pages; /* start_info's pt_base and nr_pt_frames */
    uint64_t stack_pfn;
    uint64_t hypercall_pfn;
    uint64_t cr3_pfn;           /* the L4 table */
    uint64_t pages_used;        /* no page from this one on holds anything or is mapped */
    struct loader_area area[2]; /* the initial mapping; the p2m list when it is apart */

    uint64_t virt_base, virt_end; /* the initial mapping, end on a multiple of 4 MiB */
    uint64_t entry;               /* rip */
    uint64_t stack;               /* rsp */
    uint64_t start_info;          /* rsi */
    uint64_t p2m;                 /* start_info's mfn_list */
};

/*
 * The memory of the domain. map() makes at least one and at most *count pages from pfn on
 * accessible for writing, side by side, sets *count to how many it made, and returns where; NULL on
 * failure. Every map() is paired with an unmap() of the same address and count before the next one,
 * so that one window is enough. pfn_to_mfn() cannot fail for a pfn below nr_pages.
 */
struct loader_target {
    void *ctx;
    void *(*map)(void *ctx, uint64_t pfn, uint64_t *count);
    void (*unmap)(void *ctx, void *va, uint64_t count);
    uint64_t (*pfn_to_mfn)(void *ctx, uint64_t pfn);
};

/* Source of all three: hypervisor/loader/{parse,plan,write}.c. 0 or -XEN_E*; error may be NULL. */
int loader_parse(struct loader_image *image, const void *file, uint64_t size,
                 struct loader_error *error);
int loader_plan(struct loader_layout *layout, const struct loader_image *image,
                const struct loader_config *config, struct loader_error *error);
int loader_write(const struct loader_layout *layout, const struct loader_image *image,
                 const struct loader_config *config, const struct loader_target *target,
                 struct loader_error *error);

/* The context of vCPU 0; cr3_mfn is the frame of layout->cr3_pfn. Clears the rest of *context. */
void loader_context(struct vcpu_guest_context *context, const struct loader_layout *layout,
                    uint64_t cr3_mfn);

#endif
