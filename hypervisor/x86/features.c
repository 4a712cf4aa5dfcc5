/* SPDX-License-Identifier: MIT */
/*
 * What this CPU has, and the control registers that follow from it.
 *
 * The baseline is long mode, NX, SYSCALL and a local APIC; without one of these the start ends with
 * a sentence that names it. What goes beyond is used when CPUID has it and never needed. CR4 holds
 * what the hypervisor wants (cr4_base) and the few bits that the running guest chose (pv/cpu/):
 * never one that changes what the guest's own instructions do behind its back (XSA-293).
 */
#include <port/machine.h>

#include <parvis/string.h>

#include "insn.h"
#include "regs.h"
#include "x86.h"

struct cpu_features cpu_has;
uint64_t cr4_base;

#define BIT(word, n) (((word) >> (n)) & 1)

static void detect_extended(uint32_t max)
{
    uint32_t r[4];

    cpuid(0x80000001, 0, r);
    cpu_has.nx = BIT(r[3], 20);
    cpu_has.syscall = BIT(r[3], 11);
    cpu_has.pages_1g = BIT(r[3], 26);
    if (max >= 0x80000007) {
        cpuid(0x80000007, 0, r);
        cpu_has.invariant_tsc = BIT(r[3], 8);
    }
    cpu_has.phys_bits = 36;
    if (max >= 0x80000008) {
        cpuid(0x80000008, 0, r);
        cpu_has.phys_bits = r[0] & 0xff;
    }
}

/*
 * QEMU's software emulation reads the stack of an IRET in ring 3 as if the CPU were in ring 0, so
 * that SMAP makes a page fault of every such IRET of a guest kernel. No guest can be run that way:
 * SMAP stays off there.
 */
static bool runs_on_tcg(void)
{
    uint32_t r[4];

    cpuid(1, 0, r);
    if (!BIT(r[2], 31))
        return false;
    cpuid(0x40000000, 0, r);
    return !memcmp(&r[1], "TCGTCGTCGTCG", 12);
}

void detect_features(void)
{
    uint32_t r[4], max;

    cpuid(0, 0, r);
    max = r[0];
    cpu_has.is_amd = r[1] == 0x68747541; /* "Auth" */
    cpuid(1, 0, r);
    cpu_has.sysenter = BIT(r[3], 11);
    cpu_has.pge = BIT(r[3], 13);
    cpu_has.pat = BIT(r[3], 16);
    cpu_has.x2apic = BIT(r[2], 21);
    cpu_has.tsc_deadline = BIT(r[2], 24);
    cpu_has.xsave = BIT(r[2], 26);
    if (!BIT(r[3], 9))
        panic("this CPU has no local APIC");
    if (max >= 7) {
        cpuid(7, 0, r);
        cpu_has.umip = BIT(r[2], 2);
        cpu_has.smep = BIT(r[1], 7);
        cpu_has.smap = BIT(r[1], 20) && !runs_on_tcg();
    }
    if (cpu_has.xsave && max >= 0xd) {
        cpuid(0xd, 1, r);
        cpu_has.xsaveopt = BIT(r[0], 0);
    }
    cpuid(0x80000000, 0, r);
    detect_extended(r[0]);
    if (!cpu_has.nx)
        panic("this CPU has no NX (no-execute pages); is it switched off in the firmware?");
    if (!cpu_has.syscall || !cpu_has.pat || !cpu_has.pge)
        panic("this CPU lacks SYSCALL, PAT or global pages");
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

void init_control_registers(void)
{
    static bool patched;

    write_cr0(X86_CR0_PE | X86_CR0_MP | X86_CR0_ET | X86_CR0_NE | X86_CR0_WP | X86_CR0_AM |
              X86_CR0_PG);
    cr4_base = X86_CR4_PAE | X86_CR4_PGE | X86_CR4_OSFXSR | X86_CR4_OSXMMEXCPT | X86_CR4_MCE;
    if (cpu_has.umip)
        cr4_base |= X86_CR4_UMIP;
    if (cpu_has.smep)
        cr4_base |= X86_CR4_SMEP;
    if (cpu_has.smap)
        cr4_base |= X86_CR4_SMAP;
    if (cpu_has.xsave)
        cr4_base |= X86_CR4_OSXSAVE;
    write_cr4(cr4_base);
    wrmsr(MSR_EFER, EFER_SCE | EFER_LME | EFER_LMA | EFER_NXE);
    wrmsr(MSR_PAT, PAT_VALUE);
    if (cpu_has.smap && !patched) {
        patch_smap_sites();
        patched = true;
    }
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
