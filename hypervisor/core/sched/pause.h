/* SPDX-License-Identifier: MIT */
/* Why a vCPU does not run: core/sched/pause.c. */
#ifndef CORE_PAUSE_H
#define CORE_PAUSE_H

#include <hv/types.h>

struct domain;
struct vcpu;

/* Counts; vCPUs that run elsewhere have left when it returns, but for current */
void domain_pause(struct domain *d);
void domain_unpause(struct domain *d);
void domain_pause_by_controller(struct domain *d);
int __must_check domain_unpause_by_controller(struct domain *d);
void vcpu_pause(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
/* The current one: until an event, at once undone when one is pending */
void vcpu_block(struct vcpu *v);
void vcpu_unblock(struct vcpu *v);
/* v's vcpu_info moved or its events were unmasked: is there something to deliver now? */
bool vcpu_event_pending(const struct vcpu *v);

#endif
