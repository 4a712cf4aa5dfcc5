/* SPDX-License-Identifier: MIT */
/*
 * What CPUID shows to a guest that asks through the forced-emulation prefix (plain CPUID does not
 * trap and shows the hardware; stock kernels use the prefix). Feature bits are an allow-list: what
 * works in ring 3 without the hypervisor's doing, or what the hypervisor keeps per vCPU. A domain
 * that was given a policy (core/domain/cpu_policy.c) is told what stands there, which is no more.
 * The hypervisor's own leaves are core's (core/guest/cpuid.c).
 */
#include <core/domain/cpu_policy.h>
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

#define L1_ECX_XSAVE        (B(12) | B(26) | B(28) | B(29)) /* FMA, XSAVE, AVX, F16C */
#define L1_ECX_XSAVE_ITSELF B(26)
#define L1_ECX_OSXSAVE      B(27)
#define L1_ECX_HYPERVISOR   B(31)
/* Leaf 7, subleaf 0. */
#define L7_EBX     (B(3) | B(8) | B(9) | B(18) | B(19) | B(23) | B(24) | B(29))
#define L7_EBX_AVX B(5)
#define L7_EDX     B(10) /* VERW clears buffers */
/* Leaf 0x80000001. */
#define E1_EDX                                                                                     \
    (B(0) | B(2) | B(4) | B(5) | B(6) | B(7) | B(8) | B(9) | B(11) | B(14) | B(15) | B(16) |       \
     B(20) | B(22) | B(23) | B(24) | B(29))
#define E1_ECX (B(0) | B(5) | B(6) | B(7) | B(8))

static void leaf_1(uint32_t out[4])
{
    bool xsave = out[2] & L1_ECX_OSXSAVE; /* the hypervisor turned it on */

    out[1] &= 0xff00; /* CLFLUSH size; one thread a package */
    out[2] &= L1_ECX_ALWAYS | (xsave ? L1_ECX_XSAVE : 0);
    out[2] |= L1_ECX_HYPERVISOR;
    out[3] &= L1_EDX;
}

static void leaf_7(uint32_t sub, uint32_t out[4])
{
    uint32_t ebx = out[1] & (L7_EBX | (fpu_has_xsave() ? L7_EBX_AVX : 0)), edx = out[3] & L7_EDX;

    memset(out, 0, 4 * sizeof(*out));
    out[1] = sub ? 0 : ebx;
    out[3] = sub ? 0 : edx;
}

static __inlined void of_kind(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    machine_cpuid(leaf, sub, out);
    switch (leaf) {
    case 0:
        out[0] = MIN(out[0], 0xdu);
        break;
    case 1:
        leaf_1(out);
        break;
    case 7:
        leaf_7(sub, out);
        break;
    case 0xd:
        fpu_cpuid_leaf(XCR0_X87, sub, out);
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

void pv_cpuid_of_kind(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    of_kind(leaf, sub, out);
}

static void of_domain(const struct domain *d, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    const struct cpu_leaf *l;

    if (likely(!d->cpu_policy)) {
        of_kind(leaf, sub, out);
        return;
    }
    l = cpu_policy_find(d->cpu_policy, leaf, sub);
    if (l)
        memcpy(out, l->reg, sizeof(l->reg));
    else
        memset(out, 0, sizeof(l->reg));
}

/* What is v's own, and what it turned on. */
static void of_vcpu(const struct vcpu *v, uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    if (leaf == 1) {
        out[1] |= v->vcpu_id * 2 << 24;
        if ((out[2] & L1_ECX_XSAVE_ITSELF) && (v->arch.pv.ctrlreg[4] & X86_CR4_OSXSAVE))
            out[2] |= L1_ECX_OSXSAVE;
    } else if (leaf == 0xd && sub == 0 && out[0]) {
        out[1] = fpu_area_bytes(v->arch.xcr0);
    }
}

void pv_cpuid(struct vcpu *v)
{
    uint32_t leaf = (uint32_t)v->regs.rax, sub = (uint32_t)v->regs.rcx, out[4] __uninitialized;

    if (!hypervisor_cpuid(v, leaf, sub, out)) {
        of_domain(v->domain, leaf, sub, out);
        of_vcpu(v, leaf, sub, out);
    }
    v->regs.rax = out[0];
    v->regs.rbx = out[1];
    v->regs.rcx = out[2];
    v->regs.rdx = out[3];
}
