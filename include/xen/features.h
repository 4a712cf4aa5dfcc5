/* SPDX-License-Identifier: MIT */
/*
 * Feature bits: what XENVER_get_features answers, and what a kernel states in its ELF note
 * FEATURES ("name|name|!name") that it can do without or needs.
 *
 * The comment says what Parvis answers a PV guest: yes, no, or when.
 *
 * A guest asks once, at its start, and chooses its code by the bits: with
 * writable_page_tables absent it makes a page read-only before it uses it as a page
 * table; with mmu_pt_update_preserve_ad it changes protections without losing accessed
 * and dirty bits; with gnttab_map_avail_bits it marks entries of mapped grants for
 * itself.
 *
 * The loader refuses a kernel that requires what a PV guest of Parvis cannot have
 * (auto_translated_physmap, supervisor_mode_kernel), and goes on past names that it
 * does not know: kernels are newer than hypervisors. A kernel that has the note
 * SUPPORTED_FEATURES says by bit `dom0` that it can be the control domain.
 */
#ifndef XEN_FEATURES_H
#define XEN_FEATURES_H

#define XENFEAT_writable_page_tables       0  /* no: guests make their page tables read-only */
#define XENFEAT_writable_descriptor_tables 1  /* no: likewise GDT and LDT */
#define XENFEAT_auto_translated_physmap    2  /* no: guests translate frames by themselves */
#define XENFEAT_supervisor_mode_kernel     3  /* no: kernels run in ring 3 */
#define XENFEAT_pae_pgdir_above_4gb        4  /* when VMASST pae_extended_cr3 is on */
#define XENFEAT_mmu_pt_update_preserve_ad  5  /* yes: MMU_PT_UPDATE_PRESERVE_AD works */
#define XENFEAT_highmem_assist             6  /* yes; for 32-bit guests */
#define XENFEAT_gnttab_map_avail_bits      7  /* yes: GNTMAP_guest_avail_mask is honoured */
#define XENFEAT_hvm_callback_vector        8  /* fully virtualized guests only */
#define XENFEAT_hvm_safe_pvclock           9  /* fully virtualized guests only */
#define XENFEAT_hvm_pirqs                  10 /* fully virtualized guests only */
#define XENFEAT_dom0                       11 /* control domain only: has the devices */
#define XENFEAT_memory_op_vnode_supported  13 /* yes: XENMEMF_vnode is a known flag */
#define XENFEAT_ARM_SMCCC_supported        14 /* other architecture */
#define XENFEAT_linux_rsdp_unrestricted    15 /* in notes only: takes the RSDP from anywhere */
#define XENFEAT_not_direct_mapped          16 /* yes: a pfn is not an mfn */
#define XENFEAT_direct_mapped              17 /* no */

/*
 * A submap is one word of bits; asking for one beyond the last is -XEN_EINVAL.
 */
#define XENFEAT_NR_SUBMAPS 1 /* 32 bits each */

#endif /* XEN_FEATURES_H */
