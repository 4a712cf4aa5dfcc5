/* SPDX-License-Identifier: MIT */
/*
 * What is shown of a vCPU whose domain crashed.
 */
#include <core/base/log.h>
#include <core/base/registers.h>
#include <pv/pv.h>

void pv_show_vcpu(const struct vcpu *v)
{
    struct domain *d = v->domain;

    log_end(d, LOG_ERROR, "vcpu %u, in its %s:", v->vcpu_id,
            guest_kernel_mode(v) ? "kernel" : "user mode");
    dump_registers(d, &v->regs, v->arch.pv.ctrlreg[2], v->arch.pv.cr3);
}
