/* SPDX-License-Identifier: MIT */
/* A TLB, simulated: tlb.c. */
#ifndef BENCH_COMPARE_TLB_H
#define BENCH_COMPARE_TLB_H

#include <stdint.h>

/* How large the pages are that the kernel's and the hypervisor's memory is mapped by. */
enum { TLB_LARGE, TLB_SMALL, TLB_SIZES };

/* So many accesses found no entry, until now. */
extern uint64_t tlb_walks[TLB_SIZES];

void tlb_access(uint64_t address);

/* CR3 is written, by the instruction at this address. */
void tlb_load_cr3(uint64_t by);

/* Nothing is kept: CR4 is written, or INVPCID executed. */
void tlb_flush(void);

#endif
