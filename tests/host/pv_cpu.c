/* SPDX-License-Identifier: MIT */
/*
 * The machine services that only pv uses (pv/pv.h), on the host: they keep what they are told,
 * where a test can look.
 */
#include "host.h"

#include <pv/pv.h>

static uint64_t bases[3];

void machine_swapgs(void)
{
    uint64_t user = bases[SEGBASE_GS_USER];

    bases[SEGBASE_GS_USER] = bases[SEGBASE_GS_KERNEL];
    bases[SEGBASE_GS_KERNEL] = user;
}

void machine_write_base(unsigned int which, uint64_t base)
{
    bases[which] = base;
}

uint64_t machine_read_base(unsigned int which)
{
    return bases[which];
}

void machine_load_gs_selector(uint16_t sel)
{
    (void)sel;
}

void machine_load_ldt(struct vcpu *v)
{
    (void)v;
}

void machine_load_gdt(struct vcpu *v)
{
    (void)v;
}

void machine_write_debugreg(unsigned int reg, uint64_t value)
{
    (void)reg;
    (void)value;
}

void machine_load_cr4(const struct vcpu *v)
{
    (void)v;
}

void machine_fpu_ts(bool set)
{
    (void)set;
}

bool machine_io_read(unsigned int port, unsigned int bytes, uint32_t *value)
{
    (void)port;
    *value = bytes >= 4 ? ~0u : (1u << bytes * 8) - 1; /* nothing answers */
    return true;
}

bool machine_io_write(unsigned int port, unsigned int bytes, uint32_t value)
{
    (void)port;
    (void)bytes;
    (void)value;
    return true;
}

/* A CPU without model-specific registers and with no features; or with all. */
bool host_full_cpu;

bool machine_rdmsr_safe(uint32_t msr, uint64_t *value)
{
    *value = host_full_cpu ? msr : 0;
    return host_full_cpu;
}

void machine_cpuid(uint32_t leaf, uint32_t sub, uint32_t out[4])
{
    (void)leaf;
    (void)sub;
    out[0] = out[1] = out[2] = out[3] = host_full_cpu ? ~0u : 0;
}

bool machine_xsetbv_safe(uint64_t xcr0)
{
    return host_full_cpu && (xcr0 == 1 || xcr0 == 3 || xcr0 == 7);
}
