/* SPDX-License-Identifier: MIT */
/* A vCPU's timers: core/event/vcpu_timer.c. */
#ifndef HV_VCPU_TIMER_H
#define HV_VCPU_TIMER_H

#include <hv/types.h>

struct vcpu;

void vcpu_timer_init(struct vcpu *v);
void vcpu_timer_stop_all(struct vcpu *v);
/* VCPUOP_set_singleshot_timer for the current vCPU; flags VCPU_SSHOTTMR_*. -XEN_ETIME: passed
 * already and "future" was asked for. */
int __must_check vcpu_set_singleshot(struct vcpu *v, uint64_t deadline, uint32_t flags);
int __must_check vcpu_set_periodic(struct vcpu *v, uint64_t period);

#endif
