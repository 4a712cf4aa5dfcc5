/* SPDX-License-Identifier: MIT */
/*
 * What CPUID shows to a guest that asks through the forced-emulation prefix (plain CPUID does not
 * trap and shows the hardware; stock kernels use the prefix). Feature bits are an allow-list: what
 * works in ring 3 without the hypervisor's doing, or what the hypervisor keeps per vCPU. The
 * hypervisor's own leaves are core's (core/guest/cpuid.c).
 */
#include <core/guest/cpuid.h>
#include <core/state/domain.h>
#include <hv/fpu_area.h>
#include <parvis/string.h>
#include <port/machine.h>
#include <pv/pv_bits.h>

#define B(n) (1u << (n))

/* Leaf 1. */
#define L1_EDX                                                                                     \
    (B(0) | B(2) | B(4) | B(5) | B(6) | B(7) | B(8) | B(9) | B(11) | B(14) | B(15) | B(16) |       \
     B(19) | B(22) | B(23) | B(24) | B(25) | B(26) | B(27))
#define L1_ECX_ALWAYS (B(0) | B(1) | B(9) | B(13) | B(19) | B(20) | B(22) | B(23) | B(25) | B(30))

#define L1_ECX_XSAVE      (B(12) | B(26) | B(28) | B(29)) /* FMA, XSAVE, AVX, F16C */
#define L1_ECX_OSXSAVE    B(27)
#define L1_ECX_HYPERVISOR B(31)
/* Leaf 7, subleaf 0. */
#define L7_EBX     (B(3) | B(8) | B(9) | B(18) | B(19) | B(23) | B(24) | B(29))
#define L7_EBX_AVX B(5)
#define L7_EDX     B(10) /* VERW clears buffers */
/* Leaf 0x80000001. */
#define E1_EDX                                                                                     \
    (B(0) | B(2) | B(4) | B(5) | B(6) | B(7) | B(8) | B(9) | B(11) | B(14) | B(15) | B(16) |       \
     B(20) | B(22) | B(23) | B(24) | B(29))
#define E1_ECX (B(0) | B(5) | B(6) | B(7) | B(8))

static void leaf_1(const struct vcpu *v, uint32_t out[4])
{
    bool xsave = out[2] & L1_ECX_OSXSAVE; /* the hypervisor turned it on */
    uint32_t ecx = L1_ECX_ALWAYS | (xsave ? L1_ECX_XSAVE : 0);

    out[1] = (out[1] & 0xff00) | v->vcpu_id * 2 << 24; /* CLFLUSH size; one thread a package */
    out[2] &= ecx;
    out[2] |= L1_ECX_HYPERVISOR;
    if (xsave && (v->arch.pv.ctrlreg[4] & X86_CR4_OSXSAVE))
        out[2] |= L1_ECX_OSXSAVE;
    out[3] &= L1_EDX;
}

static void leaf_7(uint32_t sub, uint32_t out[4])
{
    uint32_t ebx = out[1] & (L7_EBX | (fpu_has_xsave() ? L7_EBX_AVX : 0)), edx = out[3] & L7_EDX;

    memset(out, 0, 4 * sizeof(*out));
    out[1] = sub ? 0 : ebx;
    out[3] = sub ? 0 : edx;
}

void pv_cpuid(struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    if (hypervisor_cpuid(v, leaf, sub, out))
        return;
    machine_cpuid(leaf, sub, out);
    switch (leaf) {
    case 0:
        out[0] = MIN(out[0], 0xdu);
        break;
    case 1:
        leaf_1(v, out);
        break;
    case 7:
        leaf_7(sub, out);
        break;
    case 0xd:
        fpu_cpuid_leaf(v->arch.xcr0, sub, out);
        break;
    case 0x80000001:
        out[2] &= E1_ECX;
        out[3] &= E1_EDX;
        break;
    case 0x80000007:
        out[0] = out[1] = out[2] = 0;
        out[3] &= clock_stable() ? B(8) : 0; /* invariant TSC */
        break;
    case 0x80000008:
        out[2] = out[3] = 0;
        machine_cpuid_speculation(leaf, out);
        break;
    case 0x80000021:
        machine_cpuid_speculation(leaf, out);
        break;
    case 2:
    case 4: /* caches */
    case 0x80000000:
    case 0x80000002 ... 0x80000006:
        break;
    default: /* monitor, thermal, performance counters, topology, and what is new: not shown */
        memset(out, 0, 4 * sizeof(*out));
    }
}
