/* SPDX-License-Identifier: MIT */
/*
 * mca: machine checks for the control domain. A machine check stops this hypervisor, so there is
 * nothing to fetch; what is offered is the list of physical CPUs, which stock kernels ask for at
 * start.
 */
#include <core/base/hypercall.h>
#include <core/base/log.h>
#include <core/domain/guest_memory.h>
#include <parvis/string.h>
#include <port/machine.h>
#include <xen/arch-x86/xen-mca.h>

static int physcpuinfo(xen_mc_physcpuinfo_t *a)
{
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

long do_mca(gva_t arg)
{
    struct xen_mc op;

    if (copy_from_guest(&op, arg, sizeof(op)))
        return -XEN_EFAULT;
    if (op.interface_version != XEN_MCA_INTERFACE_VERSION)
        return refused(-XEN_EACCES, "mca: interface version %#x, this is %#x", op.interface_version,
                       XEN_MCA_INTERFACE_VERSION);
    switch (op.cmd) {
    case XEN_MC_fetch: /* nothing was kept */
        op.u.mc_fetch.flags = XEN_MC_NODATA;
        break;
    case XEN_MC_physcpuinfo:
        if (physcpuinfo(&op.u.mc_physcpuinfo))
            return -XEN_EFAULT;
        break;
    default:
        return refused(-XEN_EOPNOTSUPP, "mca: operation %u is not offered", op.cmd);
    }
    return copy_to_guest(arg, &op, sizeof(op));
}
