/* SPDX-License-Identifier: MIT */
/*
 * What a paravirtual vCPU has, and a paravirtual domain: a part of struct vcpu and struct domain
 * (hv/arch_vcpu.h), by value, because the ways in and out of a guest touch it each time. core does
 * not look into it.
 *
 * Fields are the vCPU's own: touched by the CPU that runs it, or by anyone while it is paused.
 */
#ifndef PV_PV_VCPU_H
#define PV_PV_VCPU_H

#include <hv/types.h>
#include <xen/xen.h>

struct page_info;

#define PV_CALLBACKS 8

/* The last L1 table that a walk found (pv/page_walk.h). */
struct pv_walked {
    gva_t span; /* 0: none */
    mfn_t base;
    uint64_t when; /* pv_domain.tables_changed */
    struct page_info *table;
};

struct pv_vcpu {
    bool kernel_mode;       /* it runs guest kernel (kernel L4), else guest user (asm-offsets) */
    mfn_t guest_table;      /* kernel L4: holds a general and a type reference */
    mfn_t guest_table_user; /* user L4, or 0 */
    /* Tables whose undoing was put off, the first goes on first, or 0: each holds a general
     * reference (pv/page_type.c) */
    mfn_t old_guest_table[2];
    uint64_t cr3; /* what CR3 is to hold in the present mode */

    struct trap_info *traps; /* 256 entries, the guest's table */
    struct pv_callback {
        uint64_t address;     /* 0: none */
        bool disables_events; /* while it runs, when it is not the event callback */
    } callback[PV_CALLBACKS]; /* by CALLBACKTYPE_* */

    uint64_t kernel_sp; /* stack_switch */
    uint64_t kernel_ss;

    mfn_t gdt_frames[FIRST_RESERVED_GDT_PAGE]; /* each a seg_desc type reference */
    unsigned int gdt_ents;
    gva_t ldt_base;
    unsigned int ldt_ents;  /* pages are brought in when touched: pv/descriptor.c */
    uint32_t ldt_mapped;    /* which are, bit per page: atomic */
    uint64_t *perdomain_l1; /* this vCPU's 32 entries of the per-domain area: 16 GDT, 16 LDT */

    uint64_t fs_base, gs_base_kernel, gs_base_user; /* while not loaded */
    uint16_t ds, es, fs, gs;

    uint64_t ctrlreg[8]; /* guest CR0, CR2 goes to vcpu_info.arch.cr2, CR4 */
    uint64_t debugreg[8];
    uint64_t iopl; /* 0..3, virtual */
    gva_t iobmp;   /* guest's I/O bitmap (physdev set_iobitmap), read when needed; 0: none */
    uint32_t iobmp_limit;
    struct pv_walked walked;
};

struct pv_domain {
    uint64_t *perdomain_l3; /* what slot 260 of each of the domain's L4s points to */
    mfn_t perdomain_l3_mfn;
    uint64_t tables_changed; /* counts (pv/set_pte.h): atomic */
};

#endif
