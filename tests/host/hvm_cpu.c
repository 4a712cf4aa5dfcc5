/* SPDX-License-Identifier: MIT */
/*
 * What hvm/ asks of the CPU (hvm/cpu.h), on the host, where nobody enters a guest: a test looks at
 * the VMCB instead.
 */
#include "host.h"

#include <core/base/tlb.h>
#include <hvm/cpu.h>
#include <hvm/vmcb.h>
#include <string.h>
#include <xen/sysctl.h>

const char *host_hvm_lacks;
uint64_t host_hvm_xcr0, host_hvm_affinity = ~0ull;
__thread uint64_t host_hvm_debugreg[4];

const char *hvm_cpu_lacks(void)
{
    return host_hvm_lacks;
}

uint32_t hvm_cpu_capabilities(void)
{
    return host_hvm_lacks ? 0 : XEN_SYSCTL_PHYSCAP_hvm | XEN_SYSCTL_PHYSCAP_hap;
}

uint64_t hvm_cpu_affinity(void)
{
    return host_hvm_affinity;
}

uint64_t hvm_cpu_iopm(void)
{
    return 0x1000;
}

uint64_t hvm_cpu_msrpm(void)
{
    return 0x2000;
}

uint64_t hvm_cpu_xcr0(void)
{
    return host_hvm_xcr0;
}

void hvm_cpu_write_dr(unsigned int n, uint64_t value)
{
    host_hvm_debugreg[n] = value;
}

void hvm_cpu_leave_at_once(void)
{
    machine_kick(this_cpu()->id);
}

void hvm_cpu_load(struct vcpu *v)
{
    if (host_threads)
        load_cr3(0);
    v->arch.hvm.flushes = this_cpu()->arch.flushes - 1;
    memcpy(host_hvm_debugreg, v->arch.hvm.debugreg, sizeof(host_hvm_debugreg));
}

void hvm_cpu_save(struct vcpu *v)
{
    memcpy(v->arch.hvm.debugreg, host_hvm_debugreg, sizeof(host_hvm_debugreg));
}

void hvm_enter(void)
{
}
