/* SPDX-License-Identifier: MIT */
/* A vCPU's timers: core/event/vcpu_timer.c. */
#ifndef HV_VCPU_TIMER_H
#define HV_VCPU_TIMER_H

struct vcpu;
struct vcpu_set_singleshot_timer;
struct vcpu_set_periodic_timer;

void vcpu_timer_init(struct vcpu *v);
void vcpu_timer_kill_all(struct vcpu *v);
/* Operations of vcpu_op. -XEN_ETIME: passed already and "future" was asked for. */
long vcpu_set_singleshot(struct vcpu *v, const struct vcpu_set_singleshot_timer *set);
long vcpu_set_periodic(struct vcpu *v, const struct vcpu_set_periodic_timer *set);

#endif
