/* SPDX-License-Identifier: MIT */
/*
 * What a CPU that is a thread remembers of page tables (tlb_threads.c).
 */
#ifndef TESTS_TLB_THREADS_H
#define TESTS_TLB_THREADS_H

#include "host.h"

/* A guest's load or store of the word at va, by this CPU's translation; false: it faults. Panics
 * when the CPU knows what it must not. */
bool host_touch(gva_t va, uint64_t *load, const uint64_t *store);

void host_thread_switch(struct vcpu *prev, struct vcpu *next);
void host_thread_load_cr3(uint64_t cr3, bool keep_global);
void host_thread_flush(void);
void host_thread_flush_one(gva_t va);

#endif
