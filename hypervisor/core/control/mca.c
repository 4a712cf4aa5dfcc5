/* SPDX-License-Identifier: MIT */
/*
 * mca: machine checks for the control domain. A machine check stops this hypervisor, so there is
 * nothing to fetch; what is offered is the list of physical CPUs, which stock kernels ask for at
 * start.
 */
#include <core/base/hypercall.h>
#include <core/domain/guest_memory.h>
#include <core/domain/subop.h>
#include <parvis/string.h>
#include <port/machine.h>
#include <xen/arch-x86/xen-mca.h>

static int physcpuinfo(struct xen_mc *op)
{
    xen_mc_physcpuinfo_t *a = &op->u.mc_physcpuinfo;
    unsigned int n = machine_nr_cpus();
    struct mcinfo_logical_cpu cpu;
    uint32_t words[4];

    if (!a->info) { /* ABI: asks for the number alone */
        a->ncpus = n;
        return 0;
    }
    machine_cpu_features(words, ARRAY_SIZE(words));
    a->ncpus = MIN(a->ncpus, n);
    memset(&cpu, 0, sizeof(cpu)); /* XSA-132: the gaps between members too */
    cpu.mc_ncores = cpu.mc_ncores_active = cpu.mc_nthreads = 1;
    cpu.mc_cpu_caps[MC_CAPS_STD_EDX] = words[0];
    cpu.mc_cpu_caps[MC_CAPS_STD_ECX] = words[1];
    cpu.mc_cpu_caps[MC_CAPS_AMD_EDX] = words[2];
    cpu.mc_cpu_caps[MC_CAPS_AMD_ECX] = words[3];
    for (uint32_t i = 0; i < a->ncpus; i++) {
        cpu.mc_cpunr = cpu.mc_chipid = i;
        cpu.mc_apicid = machine_apic_id(i);
        if (copy_to_guest(a->info + i * sizeof(cpu), &cpu, sizeof(cpu)))
            return -XEN_EFAULT;
    }
    return 0;
}

static int fetch(struct xen_mc *op)
{
    op->u.mc_fetch.flags = XEN_MC_NODATA; /* nothing was kept */
    return 0;
}

/* clang-format off */
#define OPS(OP)                                                  \
    OP(XEN_MC_fetch,       fetch,       struct xen_mc, SUBOP_INOUT) \
    OP(XEN_MC_physcpuinfo, physcpuinfo, struct xen_mc, SUBOP_INOUT)
SUBOPS(operations, OPS, -XEN_EOPNOTSUPP, .version = XEN_MCA_INTERFACE_VERSION, .size = sizeof(struct xen_mc))
/* clang-format on */

long do_mca(gva_t arg)
{
    return subop_run_control(&operations, arg);
}
