/* SPDX-License-Identifier: MIT */
/*
 * What CPUID shows to a fully virtualized guest. Feature bits are an allow-list: what runs in the
 * guest without the hypervisor's doing, what is in the VMCB, and what the hypervisor keeps for it.
 * Profile hvm is not told of a hypervisor.
 */
#include <core/guest/cpuid.h>
#include <core/state/domain.h>
#include <hv/fpu_area.h>
#include <hv/x86_bits.h>
#include <hvm/hvm.h>
#include <hvm/lapic_internal.h>
#include <hvm/npt.h>
#include <parvis/string.h>
#include <port/machine.h>
#include <xen/arch-x86/cpuid.h>

#define B(n) (1u << (n))

/* Leaf 1. Not MTRRs: there is nothing whose type they would say. */
#define L1_EDX                                                                                     \
    (B(0) | B(1) | B(2) | B(3) | B(4) | B(5) | B(6) | B(7) | B(8) | B(9) | B(11) | B(13) | B(14) | \
     B(15) | B(16) | B(17) | B(19) | B(23) | B(24) | B(25) | B(26) | B(27))
#define L1_ECX (B(0) | B(1) | B(9) | B(13) | B(17) | B(19) | B(20) | B(22) | B(23) | B(25) | B(30))

#define L1_ECX_XSAVE      (B(12) | B(26) | B(28) | B(29)) /* FMA, XSAVE, AVX, F16C */
#define L1_ECX_OSXSAVE    B(27)
#define L1_ECX_DEADLINE   B(24)
#define L1_ECX_X2APIC     B(21)
#define L1_ECX_HYPERVISOR B(31)
#define L1_EDX_HTT        B(28) /* here: several cores */
/* Leaf 7, subleaf 0: FSGSBASE, BMI, AVX2, SMEP, ERMS, INVPCID, RDSEED, ADX, SMAP, CLFLUSHOPT, CLWB,
 * SHA */
#define L7_EBX                                                                                     \
    (B(0) | B(3) | B(7) | B(8) | B(9) | B(10) | B(18) | B(19) | B(20) | B(23) | B(24) | B(29))
#define L7_EBX_AVX B(5)
#define L7_ECX     B(2) /* UMIP */
/* Leaf 0x80000001: with SYSCALL, NX, 1 GiB pages, long mode; not RDTSCP: there is no TSC_AUX. */
#define E1_EDX                                                                                     \
    (B(0) | B(1) | B(2) | B(3) | B(4) | B(5) | B(6) | B(7) | B(8) | B(9) | B(11) | B(13) | B(14) | \
     B(15) | B(16) | B(17) | B(20) | B(22) | B(23) | B(24) | B(26) | B(29))
#define E1_ECX_CMP_LEGACY B(1) /* HTT means cores */
#define E1_ECX            (B(0) | B(5) | B(6) | B(7) | B(8))

/* All vCPUs are cores of one package. Linux measures the speed of the first one of a package alone,
 * which takes long on a machine with more to do than that. */
static uint32_t cores(const struct vcpu *v)
{
    return v->domain->max_vcpus;
}

static void leaf_1(const struct vcpu *v, uint32_t out[4])
{
    bool xsave = out[2] & L1_ECX_OSXSAVE; /* the hypervisor turned it on */
    uint32_t ecx = L1_ECX | (xsave ? L1_ECX_XSAVE : 0);

    out[1] = (out[1] & 0xff00) | cores(v) << 16 | v->vcpu_id << 24; /* CLFLUSH size */
    out[2] = (out[2] & ecx) | L1_ECX_DEADLINE;
    if (v->domain->arch.hvm.xen)
        out[2] |= L1_ECX_X2APIC | L1_ECX_HYPERVISOR;
    if (xsave && (vmcb_of(v)->save.cr4 & X86_CR4_OSXSAVE))
        out[2] |= L1_ECX_OSXSAVE;
    out[3] = (out[3] & L1_EDX) | B(9); /* there is a local APIC, if it is not off */
    if (cores(v) > 1)
        out[3] |= L1_EDX_HTT;
    if (!lapic_enabled(&v->arch.hvm.lapic))
        out[3] &= ~B(9);
}

static void leaf_7(uint32_t sub, uint32_t out[4])
{
    uint32_t ebx = out[1] & (L7_EBX | (fpu_has_xsave() ? L7_EBX_AVX : 0)), ecx = out[2] & L7_ECX;

    memset(out, 0, 4 * sizeof(*out));
    out[1] = sub ? 0 : ebx;
    out[2] = sub ? 0 : ecx;
}

/* And how many cores there are, and bits of the APIC's id for them. */
static void leaf_sizes(const struct vcpu *v, uint32_t out[4])
{
    uint32_t phys = MIN(out[0] & 0xff, (uint32_t)NPT_ADDRESS_BITS), last = cores(v) - 1;

    memset(out, 0, 4 * sizeof(*out));
    out[0] = phys | 48 << 8;
    machine_cpuid_speculation(0x80000008, out);
    out[2] = last | (last ? 32 - (uint32_t)__builtin_clz(last) : 0) << 12;
}

/* What only this kind has of the hypervisor's own leaves. */
static void leaf_numbers(const struct vcpu *v, uint32_t out[4])
{
    out[0] = XEN_HVM_CPUID_VCPU_ID_PRESENT | XEN_HVM_CPUID_DOMID_PRESENT;
    out[1] = v->vcpu_id;
    out[2] = v->domain->domain_id;
}

void hvm_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    if (v->domain->arch.hvm.xen && hypervisor_cpuid(v, leaf, sub, out)) {
        if (leaf == XEN_CPUID_LEAF(4))
            leaf_numbers(v, out);
        return;
    }
    machine_cpuid(leaf, sub, out);
    switch (leaf) {
    case 0:
        out[0] = MIN(out[0], 0xdu);
        break;
    case 1:
        leaf_1(v, out);
        break;
    case 4:
        out[0] &= 0x3fff; /* caches, of one core with one thread */
        break;
    case 6:
        memset(out, 0, 4 * sizeof(*out));
        out[0] = B(2); /* the APIC's timer never stops */
        break;
    case 7:
        leaf_7(sub, out);
        break;
    case 0xd:
        fpu_cpuid_leaf(v->arch.xcr0, sub, out);
        break;
    case 0x80000000:
        out[0] = MIN(out[0], 0x80000021u);
        break;
    case 0x80000001:
        out[2] &= E1_ECX;
        if (cores(v) > 1)
            out[2] |= E1_ECX_CMP_LEGACY;
        out[3] &= E1_EDX;
        break;
    case 0x80000007:
        out[0] = out[1] = out[2] = 0;
        out[3] = clock_stable() ? B(8) : 0; /* invariant TSC */
        break;
    case 0x80000008:
        leaf_sizes(v, out);
        break;
    case 0x80000021:
        machine_cpuid_speculation(leaf, out);
        break;
    case 2:
    case 0x80000002 ... 0x80000006:
        break;
    default: /* monitor, performance counters, topology, SVM, and what is new: not shown */
        memset(out, 0, 4 * sizeof(*out));
    }
}
