/* SPDX-License-Identifier: MIT */
/*
 * The loader of a fully virtualized domain: start of day by the PVH boot protocol.
 *
 * Steps, trust, errors and target are those of parvis/loader.h:
 *
 *   loader_pvh_parse()   kernel file (an ELF64 image with the note PHYS32_ENTRY)
 *   loader_pvh_plan()    image + configuration -> struct loader_pvh_layout
 *   loader_pvh_write()   layout + memory of the domain -> memory written
 *   loader_pvh_state()   layout -> how vCPU 0 begins
 *
 * Of the configuration nr_pages, cmdline, ramdisk, ramdisk_size and nr_vcpus count. Of the target,
 * pfn_to_mfn is not asked for: pages are named by the domain's own frame number (gfn), which is all
 * that it ever knows.
 *
 * Guest physical memory, as the guest finds it in its memory map:
 *
 *   0                  RAM, at most HVM_LOW_END
 *   HVM_SPECIAL        one page of ACPI tables, type ACPI: beside the domain's nr_pages
 *   HVM_SPECIAL + 4K   reserved up to HVM_SPECIAL_END: for pages that the hypervisor shares with it
 *   4 GiB              the rest of RAM
 *
 * layout.range is that list. Each page of RAM and of type ACPI has a frame, which the caller
 * allocates before it writes; a reserved range has none.
 *
 * In RAM: the kernel where its segments say (p_paddr); the page that starts with struct
 * hvm_start_info (xen/arch-x86/hvm/start_info.h), as high as it fits below 1 GiB; the ramdisk, as
 * high as it fits below 2 GiB, else below HVM_LOW_END. Nothing but a kernel is put into the first
 * MiB.
 */
#ifndef PARVIS_LOADER_PVH_H
#define PARVIS_LOADER_PVH_H

#include <parvis/loader.h>

#define HVM_LOW_END     0xc0000000ULL /* devices, as far as there are any, lie between it */
#define HVM_HIGH_START  (1ULL << 32)  /* and this */
#define HVM_SPECIAL     0xfc000000ULL
#define HVM_SPECIAL_END 0xfc100000ULL

#define HVM_MIN_PAGES 1024u /* 4 MiB */
#define HVM_MAX_VCPUS 64u   /* the vCPU's number is its APIC id and its ACPI processor UID */

/*
 * The hardware of which the ACPI tables tell: I/O ports and an interrupt line of the pair of 8259A.
 * A sleep type of HVM_ACPI_S5 in PM1a control, with SLP_EN, is power-off. There is no SMI command:
 * ACPI mode is always on.
 */
#define HVM_ACPI_PM1A_EVT  0x600u /* 4 bytes: status, enable */
#define HVM_ACPI_PM1A_CNT  0x604u /* 2 bytes */
#define HVM_ACPI_PM_TMR    0x608u /* 4 bytes, of which 24 bits count */
#define HVM_ACPI_SCI       9u
#define HVM_ACPI_S5        5u
#define HVM_ACPI_RESET     0xcf9u /* one byte; the value below resets the machine */
#define HVM_ACPI_RESET_VAL 6u

/* A range of guest physical memory; type is XEN_HVM_MEMMAP_TYPE_*. */
struct loader_range {
    uint64_t gfn, pages;
    uint32_t type;
};
#define LOADER_PVH_RANGES 4u

struct loader_pvh_layout {
    struct loader_range range[LOADER_PVH_RANGES]; /* in the order of addresses */
    unsigned int nr_ranges;
    unsigned int nr_vcpus;
    uint64_t kernel_gfn, kernel_pages;
    uint64_t ramdisk_gfn, ramdisk_pages; /* LOADER_NONE, 0: there is none */
    uint64_t start_info_gfn;
    uint32_t entry; /* physical */
};

/* A segment register with what is behind the selector. The attributes are those of a descriptor,
 * bits 40 to 47 and 52 to 55, side by side: the form in which an AMD VMCB holds them. */
struct loader_segment {
    uint16_t selector, attributes;
    uint32_t limit;
    uint64_t base;
};

/* vCPU 0 at its first instruction: 32-bit protected mode, paging off. Registers that are not here
 * are 0; FS, GS and LDTR are null. */
struct loader_pvh_state {
    uint32_t eip, ebx, eflags, cr0, cr4;
    struct loader_segment cs, data, tr; /* data: DS, ES, SS */
};

/* Source of all: hypervisor/loader/pvh.c, and acpi.c for the tables. */
int loader_pvh_parse(struct loader_image *image, const void *file, uint64_t size,
                     struct loader_error *error);
int loader_pvh_plan(struct loader_pvh_layout *layout, const struct loader_image *image,
                    const struct loader_config *config, struct loader_error *error);
int loader_pvh_write(const struct loader_pvh_layout *layout, const struct loader_image *image,
                     const struct loader_config *config, const struct loader_target *target,
                     struct loader_error *error);
void loader_pvh_state(struct loader_pvh_state *state, const struct loader_pvh_layout *layout);

#endif
