/* SPDX-License-Identifier: MIT */
/* Where a vCPU's struct vcpu_info is: core/life/vcpu_info.c. */
#ifndef HV_VCPU_INFO_H
#define HV_VCPU_INFO_H

struct vcpu;
struct vcpu_register_vcpu_info;

void vcpu_info_init(struct vcpu *v);
/* VCPUOP_register_vcpu_info: v is current or not up. -XEN_EINVAL: set already, or the place is not
 * allowed. */
long vcpu_info_register(struct vcpu *v, const struct vcpu_register_vcpu_info *info);
void vcpu_info_unmap(struct vcpu *v); /* gives the registered page back (teardown) */

#endif
