/* SPDX-License-Identifier: MIT */
/*
 * What the CPUs have, and the control registers that follow from it.
 *
 * The baseline is long mode, NX, SYSCALL and a local APIC; without one of these the start ends with
 * a sentence that names it. What goes beyond is used when CPUID has it and never needed: all CPUs
 * have what the boot CPU has, or are left out (x86/smp.c). CR4 holds
 * what the hypervisor wants (cr4_base) and the few bits that the running guest chose (pv/cpu/):
 * never one that changes what the guest's own instructions do behind its back (XSA-293).
 */
#include <port/machine.h>

#include <parvis/string.h>

#include "flush_way.h"
#include "insn.h"
#include "regs.h"
#include "x86.h"

struct cpu_features cpu_has;
enum flush_way flush_way;
uint64_t cr4_base;

#define BIT(word, n) (((word) >> (n)) & 1)

static void read_extended(struct cpu_features *f, uint32_t max)
{
    uint32_t r[4];

    cpuid(0x80000001, 0, r);
    f->nx = BIT(r[3], 20);
    f->syscall = BIT(r[3], 11);
    f->pages_1g = BIT(r[3], 26);
    f->svm = BIT(r[2], 2);
    if (max >= 0x80000007) {
        cpuid(0x80000007, 0, r);
        f->invariant_tsc = BIT(r[3], 8);
    }
    if (f->svm && max >= 0x8000000a) {
        cpuid(0x8000000a, 0, r);
        f->nested_paging = BIT(r[3], 0);
    }
    f->phys_bits = 36;
    if (max >= 0x80000008) {
        cpuid(0x80000008, 0, r);
        f->phys_bits = r[0] & 0xff;
    }
}

static bool says_tcg(void)
{
    uint32_t r[4];

    cpuid(0x40000000, 0, r);
    return !memcmp(&r[1], "TCGTCGTCGTCG", 12);
}

static void read_features(struct cpu_features *f)
{
    uint32_t r[4], max;

    cpuid(0, 0, r);
    max = r[0];
    f->is_amd = r[1] == 0x68747541; /* "Auth" */
    cpuid(1, 0, r);
    f->has_apic = BIT(r[3], 9);
    f->sysenter = BIT(r[3], 11);
    f->pge = BIT(r[3], 13);
    f->pat = BIT(r[3], 16);
    f->x2apic = BIT(r[2], 21);
    f->tsc_deadline = BIT(r[2], 24);
    f->xsave = BIT(r[2], 26);
    f->below_hypervisor = BIT(r[2], 31);
    f->tcg = f->below_hypervisor && says_tcg();
    if (max >= 7) {
        cpuid(7, 0, r);
        f->umip = BIT(r[2], 2);
        f->smep = BIT(r[1], 7);
        f->invpcid = BIT(r[1], 10);
        f->tsc_adjust = BIT(r[1], 1);
        /* TCG reads the stack of an IRET in ring 3 as if the CPU were in ring 0, so that SMAP makes
         * a page fault of every such IRET of a guest kernel. No guest can be run that way. */
        f->smap = BIT(r[1], 20) && !f->tcg;
    }
    if (f->xsave && max >= 0xd) {
        cpuid(0xd, 0, r);
        f->xcr0 = r[0];
        cpuid(0xd, 1, r);
        f->xsaveopt = BIT(r[0], 0);
    }
    cpuid(0x80000000, 0, r);
    read_extended(f, r[0]);
}

void detect_features(void)
{
    read_features(&cpu_has);
    flush_way = choose_flush_way(&cpu_has);
    if (!cpu_has.has_apic)
        panic("this CPU has no local APIC");
    if (!cpu_has.nx)
        panic("this CPU has no NX (no-execute pages); is it switched off in the firmware?");
    if (!cpu_has.syscall || !cpu_has.pat || !cpu_has.pge)
        panic("this CPU lacks SYSCALL, PAT or global pages");
}

const char *missing_feature(void)
{
    struct cpu_features mine = {0};

    read_features(&mine);
#define CHECK(name)                                                                                \
    if (cpu_has.name && !mine.name)                                                                \
        return #name;
    CPU_FLAGS(CHECK)
#undef CHECK
    if (cpu_has.xcr0 & ~mine.xcr0)
        return "states of XSAVE";
    return mine.phys_bits < cpu_has.phys_bits ? "address bits" : NULL;
}

/* Each entry: offset of three bytes of NOP, 1 for STAC, 0 for CLAC. The image is still writable. */
static void patch_smap_sites(void)
{
    extern int32_t smap_sites_start[], smap_sites_end[];

    for (int32_t *site = smap_sites_start; site < smap_sites_end; site += 2) {
        uint8_t *code = (uint8_t *)site + site[0];

        code[0] = 0x0f;
        code[1] = 0x01;
        code[2] = site[1] ? 0xcb : 0xca;
    }
}

static uint64_t wanted_cr4(void)
{
    return X86_CR4_PAE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_MCE |
           (flush_way == FLUSH_BY_CR3 ? 0 : X86_CR4_PGE) | (cpu_has.umip ? X86_CR4_UMIP : 0) |
           (cpu_has.smep ? X86_CR4_SMEP : 0) | (cpu_has.smap ? X86_CR4_SMAP : 0) |
           (cpu_has.xsave ? X86_CR4_OSXSAVE : 0);
}

/* rdtsc() relies on LFENCE to wait for all that stands before it. AMD's does where this bit says
 * so, and where there is no such register; firmware need not have set it. */
static void make_lfence_serialize(void)
{
    uint64_t v;

    if (cpu_has.is_amd && rdmsr_safe(MSR_AMD_DE_CFG, &v) && !(v & DE_CFG_LFENCE_SERIALIZE))
        (void)wrmsr_safe(MSR_AMD_DE_CFG, v | DE_CFG_LFENCE_SERIALIZE);
}

/* By the signature of CPUID's leaf 1: family 6, model below 0x1a. */
static bool is_old_p6(uint32_t signature)
{
    return (signature >> 8 & 15) == 6 && ((signature >> 4 & 15) | (signature >> 12 & 0xf0)) < 0x1a;
}

/* CR4.MCE lets a machine check in; which errors make one, each bank says, and none after a reset.
 * Bank 0 of Intel's older CPUs is the firmware's (SDM volume 3, machine-check initialization). */
static void enable_machine_checks(void)
{
    uint32_t r[4];
    uint64_t cap;

    cpuid(1, 0, r);
    if (!rdmsr_safe(MSR_MCG_CAP, &cap))
        return;
    if (cap & MCG_CTL_P)
        (void)wrmsr_safe(MSR_MCG_CTL, ~0ull);
    for (uint32_t bank = !cpu_has.is_amd && is_old_p6(r[0]); bank < (cap & 0xff); bank++)
        (void)wrmsr_safe(MSR_MC0_CTL + 4 * bank, ~0ull);
}

void init_control_registers(void)
{
    write_cr0(X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM |
              X86_CR0_PG);
    if (!cr4_base && cpu_has.smap) /* the boot CPU */
        patch_smap_sites();
    cr4_base = wanted_cr4();
    write_cr4(cr4_base);
    wrmsr(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
    wrmsr(MSR_PAT, PAT_VALUE);
    make_lfence_serialize();
    enable_machine_checks();
}

void machine_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    cpuid(leaf, sub, out);
}

bool machine_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    return rdmsr_safe(msr, value);
}

void machine_cpu_features(uint32_t *words, unsigned int n)
{
    uint32_t one[4], extended[4], seven[4], max[4];

    cpuid(0, 0, max);
    cpuid(1, 0, one);
    cpuid(0x80000001, 0, extended);
    cpuid(7, 0, seven);
    const uint32_t all[] = {one[3], one[2], extended[3], extended[2], max[0] >= 7 ? seven[1] : 0};

    for (unsigned int i = 0; i < n; i++)
        words[i] = i < ARRAY_SIZE(all) ? all[i] : 0;
}
