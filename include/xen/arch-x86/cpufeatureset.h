/* SPDX-License-Identifier: MIT */
/*
 * CPU features by number, and the order of words in a "featureset".
 *
 * A featureset is an array of 32-bit words, each the contents of one CPUID register; a feature is
 * word * 32 + bit. XEN_SYSCTL_get_cpu_featureset answers with such an array, and the tools store
 * it in the configuration of a guest that shall be able to move to another machine.
 *
 * The words, in order (XEN_X86_FEATURESET_TABLE): word number, leaf, sub-leaf, register; words 16
 * and 17 are the two halves of an MSR (IA32_ARCH_CAPABILITIES). The features listed below are those
 * that Parvis itself looks at: to use them or to decide what a PV guest sees.
 *
 * Why features have numbers of their own: CPUID gives them in a dozen registers of
 * several leaves, with names that two makers chose. A number that is a place in an
 * array can be compared, masked and stored; the array grows at its end as CPUs do.
 *
 * What a PV guest sees of them is an allow-list (hypervisor/pv/cpuid.c): what works in
 * ring 3 without the hypervisor's doing, and what it keeps for each vCPU. That is what
 * programs use: SSE to SSE4.2, AVX and AVX2, AES, SHA, RDRAND and RDSEED, BMI, ADX,
 * FSGSBASE, SYSCALL, NX, XSAVE with the state of x87, SSE and AVX. Not shown is what
 * only a kernel in ring 0 can use (VME, PSE, PGE, SMEP, SMAP, PCID, VMX, SVM, UMIP,
 * MONITOR), state that is not saved (AVX-512, protection keys), and the controls of
 * speculation. HYPERVISOR is set: leaves from 0x40000000 mean something (cpuid.h). A
 * program that executes CPUID plainly sees the CPU's own answer; the guest's kernel
 * asks by XEN_CPUID.
 *
 * How to read an entry: XEN_X86_FEATURE_AESNI is word 1, bit 25, so CPUID leaf 1, ecx,
 * bit 25; in C,
 *
 *     bool has(const uint32_t *set, unsigned int feature)
 *     {
 *         return set[feature / 32] >> (feature % 32) & 1;
 *     }
 *
 * The words one by one. 0, 1: the features that every maker has, in leaf 1. 2, 3:
 * those of AMD's extended leaf, whose words partly repeat words 0 and 1 (repeated bits
 * are left out). 4: forms of XSAVE. 5, 6, 9: leaf 7, where most of what is new has
 * gone. 7: power and clocks; the TSC's is the one that matters, since a clock that
 * stops or changes its rate cannot be a time base. 8: speculation controls in AMD's
 * numbering, and a few instructions. 10, 12, 13, 14, 15: sub-leaves of leaf 7. 11:
 * AMD's newest leaf. 16, 17: what a CPU says of itself as not vulnerable to.
 *
 * Controls of speculation (IBRSB, STIBP, SSBD, IBPB and AMD's twins, MD_CLEAR,
 * L1D_FLUSH) are listed so that two machines can be compared; bits of ARCH_CAPS say
 * which of the troubles a CPU has not.
 *
 * A toolstack that wants guests to move between two machines gives them the bits that
 * both have: AND of the two sets, word by word. A bit may only be taken away from a
 * guest before it runs.
 *
 * Where each word is used: the hypervisor looks at words 0 to 2, 5 and 7 when it
 * starts, to decide how it maps itself (1 GiB pages), how it keeps programs' memory
 * from being executed or read by mistake (SMEP, SMAP, UMIP), how it saves state (XSAVE
 * and its forms), and which clock it shows (ITSC). Nothing of this must be there but
 * long mode, NX, SYSCALL and a local APIC.
 */
#ifndef XEN_ARCH_X86_CPUFEATURESET_H
#define XEN_ARCH_X86_CPUFEATURESET_H

/* clang-format off */

/*
 * ROW(word, leaf, sub-leaf, register): expand it with a macro that reads CPUID to make
 * a set of this CPU, or with one that prints to show where a word comes from:
 *
 *     #define ROW(word, leaf, sub, reg) printf("%u: %#x.%u %s\n", word, leaf, sub, #reg);
 *     XEN_X86_FEATURESET_TABLE(ROW)
 *
 * Words 16 and 17 are not in the table, as no leaf holds them.
 */
#define XEN_X86_FEATURESET_TABLE(ROW)   \
    ROW( 0, 0x00000001, 0, edx)         \
    ROW( 1, 0x00000001, 0, ecx)         \
    ROW( 2, 0x80000001, 0, edx)         \
    ROW( 3, 0x80000001, 0, ecx)         \
    ROW( 4, 0x0000000d, 1, eax)         \
    ROW( 5, 0x00000007, 0, ebx)         \
    ROW( 6, 0x00000007, 0, ecx)         \
    ROW( 7, 0x80000007, 0, edx)         \
    ROW( 8, 0x80000008, 0, ebx)         \
    ROW( 9, 0x00000007, 0, edx)         \
    ROW(10, 0x00000007, 1, eax)         \
    ROW(11, 0x80000021, 0, eax)         \
    ROW(12, 0x00000007, 1, ebx)         \
    ROW(13, 0x00000007, 2, edx)         \
    ROW(14, 0x00000007, 1, ecx)         \
    ROW(15, 0x00000007, 1, edx)         \
    ROW(18, 0x80000021, 0, ecx)

/*
 * Names are those of the makers' manuals, in their order within a word. A feature that
 * is not listed has a number all the same: compute it. Remarks stand where the name
 * does not say it.
 */
enum {
    XEN_X86_FEATURE_FPU        = 0 * 32 + 0,
    XEN_X86_FEATURE_VME        = 0 * 32 + 1,
    XEN_X86_FEATURE_DE         = 0 * 32 + 2,  /* I/O breakpoints */
    XEN_X86_FEATURE_PSE        = 0 * 32 + 3,
    XEN_X86_FEATURE_TSC        = 0 * 32 + 4,
    XEN_X86_FEATURE_MSR        = 0 * 32 + 5,
    XEN_X86_FEATURE_PAE        = 0 * 32 + 6,
    XEN_X86_FEATURE_MCE        = 0 * 32 + 7,
    XEN_X86_FEATURE_CX8        = 0 * 32 + 8,
    XEN_X86_FEATURE_APIC       = 0 * 32 + 9,
    XEN_X86_FEATURE_SEP        = 0 * 32 + 11, /* sysenter */
    XEN_X86_FEATURE_MTRR       = 0 * 32 + 12,
    XEN_X86_FEATURE_PGE        = 0 * 32 + 13, /* global pages */
    XEN_X86_FEATURE_MCA        = 0 * 32 + 14,
    XEN_X86_FEATURE_CMOV       = 0 * 32 + 15,
    XEN_X86_FEATURE_PAT        = 0 * 32 + 16,
    XEN_X86_FEATURE_PSE36      = 0 * 32 + 17,
    XEN_X86_FEATURE_CLFLUSH    = 0 * 32 + 19,
    XEN_X86_FEATURE_ACPI       = 0 * 32 + 22,
    XEN_X86_FEATURE_MMX        = 0 * 32 + 23,
    XEN_X86_FEATURE_FXSR       = 0 * 32 + 24,
    XEN_X86_FEATURE_SSE        = 0 * 32 + 25,
    XEN_X86_FEATURE_SSE2       = 0 * 32 + 26,
    XEN_X86_FEATURE_HTT        = 0 * 32 + 28,

    XEN_X86_FEATURE_SSE3       = 1 * 32 + 0,
    XEN_X86_FEATURE_PCLMULQDQ  = 1 * 32 + 1,
    XEN_X86_FEATURE_MONITOR    = 1 * 32 + 3,
    XEN_X86_FEATURE_VMX        = 1 * 32 + 5,
    XEN_X86_FEATURE_SSSE3      = 1 * 32 + 9,
    XEN_X86_FEATURE_FMA        = 1 * 32 + 12,
    XEN_X86_FEATURE_CX16       = 1 * 32 + 13,
    XEN_X86_FEATURE_PDCM       = 1 * 32 + 15,
    XEN_X86_FEATURE_PCID       = 1 * 32 + 17,
    XEN_X86_FEATURE_SSE4_1     = 1 * 32 + 19,
    XEN_X86_FEATURE_SSE4_2     = 1 * 32 + 20,
    XEN_X86_FEATURE_X2APIC     = 1 * 32 + 21,
    XEN_X86_FEATURE_MOVBE      = 1 * 32 + 22,
    XEN_X86_FEATURE_POPCNT     = 1 * 32 + 23,
    XEN_X86_FEATURE_TSC_DEADLINE = 1 * 32 + 24,
    XEN_X86_FEATURE_AESNI      = 1 * 32 + 25,
    XEN_X86_FEATURE_XSAVE      = 1 * 32 + 26,
    XEN_X86_FEATURE_OSXSAVE    = 1 * 32 + 27, /* CR4.OSXSAVE as the guest set it */
    XEN_X86_FEATURE_AVX        = 1 * 32 + 28,
    XEN_X86_FEATURE_F16C       = 1 * 32 + 29,
    XEN_X86_FEATURE_RDRAND     = 1 * 32 + 30,
    XEN_X86_FEATURE_HYPERVISOR = 1 * 32 + 31, /* set: leaves from 0x40000000 mean something */

    XEN_X86_FEATURE_SYSCALL    = 2 * 32 + 11,
    XEN_X86_FEATURE_NX         = 2 * 32 + 20,
    XEN_X86_FEATURE_FFXSR      = 2 * 32 + 25,
    XEN_X86_FEATURE_PAGE1GB    = 2 * 32 + 26,
    XEN_X86_FEATURE_RDTSCP     = 2 * 32 + 27,
    XEN_X86_FEATURE_LM         = 2 * 32 + 29,

    XEN_X86_FEATURE_LAHF_LM    = 3 * 32 + 0,
    XEN_X86_FEATURE_CMP_LEGACY = 3 * 32 + 1,
    XEN_X86_FEATURE_SVM        = 3 * 32 + 2,
    XEN_X86_FEATURE_EXTAPIC    = 3 * 32 + 3,
    XEN_X86_FEATURE_ABM        = 3 * 32 + 5,
    XEN_X86_FEATURE_SSE4A      = 3 * 32 + 6,
    XEN_X86_FEATURE_OSVW       = 3 * 32 + 9,
    XEN_X86_FEATURE_IBS        = 3 * 32 + 10,
    XEN_X86_FEATURE_SKINIT     = 3 * 32 + 12,
    XEN_X86_FEATURE_WDT        = 3 * 32 + 13,
    XEN_X86_FEATURE_LWP        = 3 * 32 + 15,
    XEN_X86_FEATURE_TOPOEXT    = 3 * 32 + 22,
    XEN_X86_FEATURE_DBEXT      = 3 * 32 + 26,

    XEN_X86_FEATURE_XSAVEOPT   = 4 * 32 + 0,
    XEN_X86_FEATURE_XSAVEC     = 4 * 32 + 1,
    XEN_X86_FEATURE_XGETBV1    = 4 * 32 + 2,
    XEN_X86_FEATURE_XSAVES     = 4 * 32 + 3,

    XEN_X86_FEATURE_FSGSBASE   = 5 * 32 + 0,
    XEN_X86_FEATURE_TSC_ADJUST = 5 * 32 + 1,
    XEN_X86_FEATURE_SGX        = 5 * 32 + 2,
    XEN_X86_FEATURE_BMI1       = 5 * 32 + 3,
    XEN_X86_FEATURE_HLE        = 5 * 32 + 4,
    XEN_X86_FEATURE_AVX2       = 5 * 32 + 5,
    XEN_X86_FEATURE_SMEP       = 5 * 32 + 7,
    XEN_X86_FEATURE_BMI2       = 5 * 32 + 8,
    XEN_X86_FEATURE_ERMS       = 5 * 32 + 9,
    XEN_X86_FEATURE_INVPCID    = 5 * 32 + 10,
    XEN_X86_FEATURE_RTM        = 5 * 32 + 11,
    XEN_X86_FEATURE_PQM        = 5 * 32 + 12,
    XEN_X86_FEATURE_MPX        = 5 * 32 + 14,
    XEN_X86_FEATURE_PQE        = 5 * 32 + 15,
    XEN_X86_FEATURE_AVX512F    = 5 * 32 + 16,
    XEN_X86_FEATURE_RDSEED     = 5 * 32 + 18,
    XEN_X86_FEATURE_ADX        = 5 * 32 + 19,
    XEN_X86_FEATURE_SMAP       = 5 * 32 + 20,
    XEN_X86_FEATURE_CLFLUSHOPT = 5 * 32 + 23,
    XEN_X86_FEATURE_CLWB       = 5 * 32 + 24,
    XEN_X86_FEATURE_PROC_TRACE = 5 * 32 + 25,
    XEN_X86_FEATURE_SHA        = 5 * 32 + 29,

    XEN_X86_FEATURE_UMIP       = 6 * 32 + 2,
    XEN_X86_FEATURE_PKU        = 6 * 32 + 3,
    XEN_X86_FEATURE_OSPKE      = 6 * 32 + 4,
    XEN_X86_FEATURE_CET_SS     = 6 * 32 + 7,
    XEN_X86_FEATURE_GFNI       = 6 * 32 + 8,
    XEN_X86_FEATURE_VAES       = 6 * 32 + 9,
    XEN_X86_FEATURE_VPCLMULQDQ = 6 * 32 + 10,
    XEN_X86_FEATURE_RDPID      = 6 * 32 + 22,
    XEN_X86_FEATURE_ENQCMD     = 6 * 32 + 29,

    XEN_X86_FEATURE_ITSC       = 7 * 32 + 8,  /* TSC runs at one rate in all states */

    XEN_X86_FEATURE_CLZERO     = 8 * 32 + 0,
    XEN_X86_FEATURE_WBNOINVD   = 8 * 32 + 9,
    XEN_X86_FEATURE_IBPB       = 8 * 32 + 12,
    XEN_X86_FEATURE_IBRS       = 8 * 32 + 14,
    XEN_X86_FEATURE_AMD_STIBP  = 8 * 32 + 15,
    XEN_X86_FEATURE_AMD_SSBD   = 8 * 32 + 24,

    XEN_X86_FEATURE_FSRM       = 9 * 32 + 4,
    XEN_X86_FEATURE_MD_CLEAR   = 9 * 32 + 10,
    XEN_X86_FEATURE_CET_IBT    = 9 * 32 + 20,
    XEN_X86_FEATURE_IBRSB      = 9 * 32 + 26,
    XEN_X86_FEATURE_STIBP      = 9 * 32 + 27,
    XEN_X86_FEATURE_L1D_FLUSH  = 9 * 32 + 28,
    XEN_X86_FEATURE_ARCH_CAPS  = 9 * 32 + 29,
    XEN_X86_FEATURE_CORE_CAPS  = 9 * 32 + 30,
    XEN_X86_FEATURE_SSBD       = 9 * 32 + 31,
};
/* clang-format on */

#endif /* XEN_ARCH_X86_CPUFEATURESET_H */
