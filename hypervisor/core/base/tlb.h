/* SPDX-License-Identifier: MIT */
/*
 * Requests of other CPUs that this one flush its TLB.
 */
#ifndef HV_TLB_H
#define HV_TLB_H

/* Does what this CPU is asked for (CPU_WORK_FLUSH). */
void serve_flush(void);

#endif
