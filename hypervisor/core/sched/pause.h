/* SPDX-License-Identifier: MIT */
/* Why a vCPU does not run: core/sched/pause.c. */
#ifndef CORE_PAUSE_H
#define CORE_PAUSE_H

#include <hv/types.h>

struct domain;
struct vcpu;

/* Counts; vCPUs that run elsewhere have left when it returns, but for current. With no lock held */
void domain_pause(struct domain *d);
void domain_pause_nosync(struct domain *d); /* they leave soon */
void domain_unpause(struct domain *d);
void domain_pause_by_controller(struct domain *d);
int __must_check domain_unpause_by_controller(struct domain *d);
void vcpu_pause(struct vcpu *v);
void vcpu_unpause(struct vcpu *v);
/* The current one: until an event, at once undone when one is pending */
void vcpu_block(struct vcpu *v);
void vcpu_unblock(struct vcpu *v);
/* After something was set that v is to see on its way to the guest: its CPU, if it is another,
 * comes there */
void vcpu_kick(const struct vcpu *v);
void vcpu_send_nmi(struct vcpu *v); /* it ends a wait, as an event does */
/* It polls for a port, or several (~0), from here on until it is unblocked, or until a time (0:
 * none). */
void vcpu_poll_begin(struct vcpu *v, uint32_t port, s_time_t until);
/* Is there something to deliver now? By its kind */
bool vcpu_event_pending(const struct vcpu *v);

#endif
