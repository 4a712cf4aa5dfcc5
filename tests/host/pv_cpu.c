/* SPDX-License-Identifier: MIT */
/*
 * What pv/ asks of the CPU (pv/cpu.h), and what of the port it alone uses, on the host: they keep
 * what they are told, where a test can look.
 */
#include "host.h"

#include <core/base/tlb.h>
#include <pv/cpu.h>
#include <pv/hypercall.h>
#include <pv/pv.h>

static __thread uint64_t bases[3];

void pv_cpu_bounce(struct vcpu *v, gva_t handler, unsigned int flags, uint32_t error_code)
{
    pv_bounce(v, handler, flags, error_code);
}

long do_iret(void)
{
    return pv_iret(current);
}

void pv_cpu_swapgs(void)
{
    uint64_t user = bases[SEGBASE_GS_USER];

    bases[SEGBASE_GS_USER] = bases[SEGBASE_GS_KERNEL];
    bases[SEGBASE_GS_KERNEL] = user;
}

void pv_cpu_write_base(unsigned int which, uint64_t base)
{
    bases[which] = base;
}

uint64_t pv_cpu_read_base(unsigned int which)
{
    return bases[which];
}

void pv_cpu_load_gs(uint16_t sel)
{
    (void)sel;
}

bool pv_cpu_code_is_64(uint16_t cs)
{
    return cs != FLAT_USER_CS32;
}

void pv_cpu_load_tables(struct vcpu *v)
{
    (void)v;
}

void pv_cpu_load_debugregs(const struct vcpu *v)
{
    (void)v;
}

void pv_cpu_load_cr4(const struct vcpu *v)
{
    (void)v;
}

void pv_cpu_set_ts(void)
{
}

void pv_cpu_clear_ts(void)
{
}

void pv_cpu_sync(struct vcpu *v)
{
    machine_sync_fpu(v);
}

/* Where a CPU is a thread. */
void pv_cpu_load(struct vcpu *v)
{
    load_cr3(v->arch.pv.cr3);
}

void pv_cpu_save(struct vcpu *v)
{
    (void)v;
}

void pv_enter(void)
{
}

uint32_t machine_io_read(unsigned int port, unsigned int bytes)
{
    (void)port;
    return bytes >= 4 ? ~0u : (1u << bytes * 8) - 1; /* nothing answers */
}

void machine_io_write(unsigned int port, unsigned int bytes, uint32_t value)
{
    (void)port;
    (void)bytes;
    (void)value;
}

/* A CPU without model-specific registers and with no features; or with all. */
bool host_full_cpu;

bool machine_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    *value = host_full_cpu ? msr : 0;
    return host_full_cpu;
}

unsigned int host_barriers;

bool machine_has_ssbd(void)
{
    return host_full_cpu;
}

bool machine_spec_ctrl(struct vcpu *v, uint64_t value)
{
    if (!host_full_cpu || value & ~4ull)
        return false;
    v->arch.spec_ctrl = (uint32_t)value;
    return true;
}

void machine_cpuid_speculation(uint32_t leaf, uint32_t out[4])
{
    if (leaf == 0x80000008) {
        out[1] = host_full_cpu ? 1u << 12 : 0;
        return;
    }
    out[0] = host_full_cpu ? 1u << 5 : 0;
    out[1] = out[3] = 0;
    out[2] = host_full_cpu ? 6 : 0;
}

bool machine_pred_cmd(uint64_t value)
{
    host_barriers += host_full_cpu && value == 1;
    return host_full_cpu && value <= 1;
}

void (*host_cpuid)(uint32_t leaf, uint32_t sub, uint32_t out[4]);

void machine_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    if (host_cpuid)
        host_cpuid(leaf, sub, out);
    else
        out[0] = out[1] = out[2] = out[3] = host_full_cpu ? ~0u : 0;
}

bool machine_xsetbv_safe(uint64_t xcr0)
{
    return host_full_cpu && (xcr0 == 1 || xcr0 == 3 || xcr0 == 7);
}
