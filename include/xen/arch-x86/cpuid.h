/* SPDX-License-Identifier: MIT */
/*
 * How a guest learns by CPUID that it runs on Xen's ABI.
 *
 * Leaves from 0x40000000 (ask by the forced-emulation prefix, XEN_CPUID):
 *   +0  eax = last leaf; ebx, ecx, edx = "XenVMMXenVMM"
 *   +1  eax = version, 16 bits major, 16 bits minor
 *   +2  eax = number of hypercall pages, ebx = MSR by which one is filled, ecx = features below
 *   +3  time: sub-leaf 0: eax bit 0 TSC is emulated, ebx TSC mode, ecx guest TSC kHz, edx
 *       incarnation; 1: eax/ebx offset, ecx scale, edx shift; 2: eax host TSC kHz
 *   +4  fully virtualized guests only: eax XEN_HVM_CPUID_*, ebx vCPU, ecx domain
 *   +5  PV guests only: ebx bits 0-7: width of machine addresses, so that a guest knows which
 *       bits of a page-table entry are address
 */
#ifndef XEN_ARCH_X86_CPUID_H
#define XEN_ARCH_X86_CPUID_H

#define XEN_CPUID_FIRST_LEAF 0x40000000
#define XEN_CPUID_LEAF(i)    (XEN_CPUID_FIRST_LEAF + (i))

/*
 * A kernel compares the three words to know whose hypervisor this is, and looks from
 * 0x40000000 on in steps of 0x100, as another interface may stand first on machines
 * that offer several; here it is first.
 */
#define XEN_CPUID_SIGNATURE_EBX 0x566e6558 /* "XenV" */
#define XEN_CPUID_SIGNATURE_ECX 0x65584d4d /* "MMXe" */
#define XEN_CPUID_SIGNATURE_EDX 0x4d4d566e /* "nVMM" */

/* Leaf +2, ecx: MMU_PT_UPDATE_PRESERVE_AD can be used. */
#define _XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD 0
#define XEN_CPUID_FEAT1_MMU_PT_UPDATE_PRESERVE_AD  (1u << 0)

/* Leaf +4, eax: here the two that say that vCPU and domain are told. */
#define XEN_HVM_CPUID_APIC_ACCESS_VIRT (1u << 0)
#define XEN_HVM_CPUID_X2APIC_VIRT      (1u << 1)
#define XEN_HVM_CPUID_IOMMU_MAPPINGS   (1u << 2)
#define XEN_HVM_CPUID_VCPU_ID_PRESENT  (1u << 3)
#define XEN_HVM_CPUID_DOMID_PRESENT    (1u << 4)
#define XEN_HVM_CPUID_EXT_DEST_ID      (1u << 5)
#define XEN_HVM_CPUID_UPCALL_VECTOR    (1u << 6)

/* Leaf +5, ebx. */
#define XEN_CPUID_MACHINE_ADDRESS_WIDTH_MASK (0xffu << 0)

#define XEN_CPUID_MAX_NUM_LEAVES 5 /* leaves after the first */

#endif /* XEN_ARCH_X86_CPUID_H */
