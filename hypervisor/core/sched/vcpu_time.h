/* SPDX-License-Identifier: MIT */
/*
 * What a guest sees of time: pvclock in its vcpu_info (and a registered copy), run state times,
 * wall clock. core/sched/vcpu_time.c
 */
#ifndef HV_VCPU_TIME_H
#define HV_VCPU_TIME_H

#include <hv/types.h>

struct domain;
struct vcpu;

/* Brings v's pvclock up to date when a second has passed since it was last done, or it never was. v
 * is current. */
void vcpu_time_refresh(struct vcpu *v, s_time_t now);
void vcpu_time_write(struct vcpu *v); /* whatever its age: its vcpu_info moved */
/* The registered areas, by guest address: written through v's page tables, which are loaded. When
 * that fails because v runs in user mode, v->areas_stale is set and pv calls
 * vcpu_areas_switched_in() again when the guest kernel is entered. */
void vcpu_runstate_write(struct vcpu *v);
void vcpu_areas_switched_in(struct vcpu *v);
/* Wall clock: shared_info.wc_*. Of one domain, now; of all, when they run next (XENPF_settime: ns
 * since 1970 at system time 0). */
void wallclock_write(struct domain *d);
void wallclock_set(uint64_t ns_at_zero);

#endif
