/* SPDX-License-Identifier: MIT */
/*
 * Registers of the x86-64 architecture that the machine layer alone touches (Intel SDM volumes 3
 * and 4, AMD APM volume 2); hv/x86_bits.h has what pv/ needs too.
 */
#ifndef X86_REGS_H
#define X86_REGS_H

#include <hv/x86_bits.h>

#define MSR_TSC_ADJUST   0x3b
#define MSR_MCG_CTL      0x17b
#define MSR_MC0_CTL      0x400 /* of bank 0; four MSRs a bank */
#define MSR_SYSENTER_CS  0x174
#define MSR_SYSENTER_ESP 0x175
#define MSR_SYSENTER_EIP 0x176
#define MSR_TSC_DEADLINE 0x6e0
#define MSR_X2APIC       0x800
#define MSR_STAR         0xc0000081
#define MSR_LSTAR        0xc0000082
#define MSR_CSTAR        0xc0000083
#define MSR_SFMASK       0xc0000084

/* ABI: the PAT of Xen. Guests' cache bits index it: WB, WT, UC-, UC, WC, WP, UC, UC. */
#define PAT_VALUE 0x0000050100070406ull

#define MSR_AMD_DE_CFG          0xc0011029
#define DE_CFG_LFENCE_SERIALIZE 0x2
#define DE_CFG_ZENBLEED         0x200 /* AMD's bulletin 7008: avoids it */
#define MSR_AMD_FP_CFG          0xc0011028
#define FP_CFG_DIVIDER          0x200 /* bulletin 7053, FP-DSS */
#define MSR_AMD_BP_CFG          0xc001102e
#define BP_CFG_OP_CACHE         (1ull << 33) /* bulletin 7052 */
#define BP_CFG_SPEC_REDUCE      (1u << 4)    /* of AMD's paper on SRSO */

#define PRED_CMD_IBPB         1
#define PRED_CMD_SBPB         0x80
#define MSR_ARCH_CAPABILITIES 0x10a
#define MSR_MCU_OPT_CTRL      0x123
#define MCU_OPT_RNGDS_OFF     (1u << 0)
#define MCU_OPT_GDS_OFF       (1u << 4)
#define EFER_AIBRSE           (1ull << 21)

#define MCG_CTL_P 0x100 /* of MSR_MCG_CAP: there is an MSR_MCG_CTL; below: how many banks */

#endif
