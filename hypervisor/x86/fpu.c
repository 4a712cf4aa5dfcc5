/* SPDX-License-Identifier: MIT */
/*
 * FPU, SSE and AVX state of guests.
 *
 * Switched eagerly (XSA-267): while a vCPU runs, the registers hold its state and nobody else's.
 * The hypervisor itself uses no FPU, and leaves CR0.TS clear. A vCPU's area is up to date whenever
 * it is switched out; when it comes back to the CPU where it was last, and nobody else was there
 * meanwhile (idling), its registers are still right and are not loaded again.
 *
 * The whole state that the hypervisor manages (xcr0_host) is saved and loaded whatever the guest's
 * own XCR0 is, so that none leaks (XSA-62, XSA-165). A state that cannot be loaded (a header that a
 * guest made up, XSA-53) is replaced by the initial one.
 */
#include <core/base/log.h>
#include <core/state/domain.h>
#include <hv/fpu_area.h>
#include <port/current.h>
#include <port/machine.h>

#include "fpu.h"
#include "insn.h"
#include "x86.h"

#define FSW_EXCEPTION 0x80

static uint64_t xcr0_host;

static void set_xcr0(uint64_t value)
{
    struct cpu *c = this_cpu();

    if (cpu_has.xsave && value != c->arch.xcr0 && xsetbv_safe(0, value))
        c->arch.xcr0 = value;
}

void init_fpu(void)
{
    __asm__ volatile("fninit");
    xcr0_host = cpu_has.xcr0 & XCR0_GUEST;
    set_xcr0(xcr0_host);
}

bool machine_xsetbv_safe(uint64_t xcr0)
{
    /* x87 always; AVX needs SSE. */
    if (!cpu_has.xsave || !(xcr0 & XCR0_X87) || (xcr0 & ~xcr0_host) ||
        ((xcr0 & XCR0_AVX) && !(xcr0 & XCR0_SSE)))
        return false;
    set_xcr0(xcr0);
    return true;
}

void fpu_save(struct vcpu *v)
{
    uint32_t lo = (uint32_t)xcr0_host;

    clts();
    set_xcr0(xcr0_host);
    if (cpu_has.xsaveopt)
        __asm__ volatile("xsaveopt64 (%0)" : : "r"(v->arch.fpu), "a"(lo), "d"(0) : "memory");
    else if (cpu_has.xsave)
        __asm__ volatile("xsave64 (%0)" : : "r"(v->arch.fpu), "a"(lo), "d"(0) : "memory");
    else
        __asm__ volatile("fxsave64 (%0)" : : "r"(v->arch.fpu) : "memory");
}

static bool restore(const void *area)
{
    uint32_t bad = 1;

    if (cpu_has.xsave)
        __asm__ volatile("1: xrstor64 (%1)\n\txorl %0, %0\n2:\n\t" EXTABLE("1b", "2b")
                         : "+r"(bad)
                         : "r"(area), "a"((uint32_t)xcr0_host), "d"(0)
                         : "memory");
    else
        __asm__ volatile("1: fxrstor64 (%1)\n\txorl %0, %0\n2:\n\t" EXTABLE("1b", "2b")
                         : "+r"(bad)
                         : "r"(area)
                         : "memory");
    return !bad;
}

/* XSA-52, XSA-172: these CPUs keep the last instruction's address of someone else unless an
 * exception is pending. */
static void clear_amd_pointers(const uint8_t *area)
{
    static const uint32_t zero;

    if (!cpu_has.is_amd || (area[FPU_FSW] & FSW_EXCEPTION))
        return;
    __asm__ volatile("fnclex; ffree %%st(7); fildl %0" : : "m"(zero));
}

static void fpu_load(struct vcpu *v)
{
    clts();
    set_xcr0(xcr0_host);
    clear_amd_pointers(v->arch.fpu);
    if (!restore(v->arch.fpu)) {
        log_guest(v->domain, "d%uv%u: FPU state is not valid, replaced by the initial one",
                  v->domain->domain_id, v->vcpu_id);
        fpu_area_reset(v->arch.fpu);
        if (!restore(v->arch.fpu))
            panic("the initial FPU state cannot be loaded");
    }
}

void fpu_switch_in(struct vcpu *v)
{
    struct cpu *c = this_cpu();

    /* A new vCPU in the memory of a dead one has been nowhere; one that was elsewhere meanwhile
     * left old registers here. */
    if (c->arch.fpu_owner != v || v->arch.fpu_cpu != c)
        fpu_load(v);
    c->arch.fpu_owner = v;
    v->arch.fpu_cpu = c;
    set_xcr0(v->arch.xcr0 & xcr0_host ? v->arch.xcr0 & xcr0_host : XCR0_X87);
}

void machine_sync_fpu(struct vcpu *v)
{
    if (this_cpu()->arch.loaded == v) {
        fpu_save(v);
        set_xcr0(v->arch.xcr0);
    } else {
        v->arch.fpu_cpu = NULL; /* its area may be changed now: it will be loaded again */
    }
}
