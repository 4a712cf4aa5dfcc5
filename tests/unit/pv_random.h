/* SPDX-License-Identifier: MIT */
/*
 * Whole lives of paravirtual domains, drawn from a stream of bytes: the same for the fuzzer and for
 * the short fixed run in the unit tests.
 *
 * A control domain and two guests, of two vCPUs each, beside a fully virtualized one
 * (pv_random_neighbour.c), do all that they can: every hypercall with
 * arguments that have a chance to mean something, exceptions of every kind over any code, returns
 * to any frame, tables of descriptors and traps, contexts of further vCPUs, events, timers, rings,
 * memory that comes and goes, grants; domains end in the middle of it and come anew. The oracles,
 * after each few operations: what CPUs know of page tables (tests/host/tlb.c, after each), all
 * references and types, all uses of grants, both ends of channels, run queues; at the end every
 * frame must come back.
 */
#ifndef TESTS_PV_RANDOM_H
#define TESTS_PV_RANDOM_H

#include <stddef.h>
#include <stdint.h>

#include "pv_mm_support.h"

/* Makes a machine, carries out what the bytes say, recounting after every `every` operations, and
 * ends the machine. Aborts when something is wrong. */
void pv_random_run(const uint8_t *data, size_t n, unsigned int every);

/* ---- between pv_random.c, pv_random_cpu.c and pv_random_memory.c ---- */
#define PV_RANDOM_ARG  HOST_GUEST_BASE
#define PV_RANDOM_LIST (HOST_GUEST_BASE + 0x10000)

unsigned int pv_random_take(unsigned int below);
/* A number, a frame, an address, an entry: one that may mean something */
uint64_t pv_random_word(void);
mfn_t pv_random_frame(void);
uint64_t pv_random_entry(void); /* of a page table */
domid_t pv_random_domid(void);
struct mm_guest *pv_random_guest(void);
long pv_random_call(struct vcpu *v, unsigned int nr, uint64_t a0, uint64_t a1, uint64_t a2,
                    uint64_t a3);
void pv_random_tables(struct mm_guest *g, struct vcpu *v);
void pv_random_make_table(struct mm_guest *g, struct vcpu *v);
void pv_random_reservations(struct mm_guest *g, struct vcpu *v);
void pv_random_grants(struct mm_guest *g, struct vcpu *v);
void pv_random_fill(gva_t at, unsigned int words);
/* Exceptions, returns, system calls, events: v is current and may run. */
void pv_random_cpu(struct mm_guest *g, struct vcpu *v);
/* The neighbour (NULL: not now); and what is done with its memory. */
void pv_random_neighbour_begin(domid_t id);
struct domain *pv_random_neighbour(void);
void pv_random_beside_it(struct mm_guest *g, struct vcpu *v);
void pv_random_neighbour_end(void);
/* VCPUOP_initialise and setvcpucontext: a context at PV_RANDOM_ARG. */
void pv_random_context(struct mm_guest *g);

#endif
